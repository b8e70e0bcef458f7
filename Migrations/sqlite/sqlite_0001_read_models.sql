-- What consumers remember, in the file of the read models: changed in the same transaction as they are.

CREATE TABLE disco_checkpoints (
    consumer TEXT NOT NULL,
    "partition" INTEGER NOT NULL DEFAULT 0,
    store BLOB,
    epoch INTEGER,
    position INTEGER NOT NULL,
    event_id BLOB,
    fence INTEGER NOT NULL DEFAULT 0,
    updated_at INTEGER NOT NULL,
    PRIMARY KEY (consumer, "partition")
) STRICT, WITHOUT ROWID;

CREATE TABLE disco_held (
    consumer TEXT NOT NULL,
    "partition" INTEGER NOT NULL DEFAULT 0,
    key TEXT NOT NULL,            -- the stream that is held
    position INTEGER NOT NULL,
    attempts INTEGER NOT NULL,
    retry_at INTEGER,
    reason TEXT NOT NULL,
    parked INTEGER NOT NULL DEFAULT 0,
    PRIMARY KEY (consumer, "partition", position)
) STRICT, WITHOUT ROWID;
