-- What consumers remember, in the file of the read models: changed in the same transaction as they are.

CREATE TABLE disco_partitions (
    consumer TEXT NOT NULL,
    slice_from INTEGER NOT NULL,  -- of the streams whose slices lie in this range
    slice_to INTEGER NOT NULL,
    store TEXT,
    epoch INTEGER,
    position INTEGER NOT NULL,
    event_id TEXT,
    owner TEXT,
    fence INTEGER NOT NULL DEFAULT 0,
    updated_at INTEGER NOT NULL,  -- microseconds since 1970
    PRIMARY KEY (consumer, slice_from, slice_to)
) STRICT, WITHOUT ROWID;

CREATE TABLE disco_held (
    consumer TEXT NOT NULL,
    position INTEGER NOT NULL,
    stream TEXT NOT NULL,
    slice INTEGER NOT NULL,       -- that of the stream
    attempts INTEGER NOT NULL,
    retry_at INTEGER,             -- microseconds since 1970
    parked_at INTEGER,
    reason TEXT NOT NULL,
    PRIMARY KEY (consumer, position)
) STRICT, WITHOUT ROWID;

-- Counted up where a consumer was claimed or reset: whoever works on it looks again.
CREATE TABLE disco_changes (
    revision INTEGER NOT NULL
) STRICT;
INSERT INTO disco_changes VALUES (0);
