-- The state of consumers, in the file of the read models: it changes in the same transactions as they do.

CREATE TABLE disco_partitions (
    consumer TEXT NOT NULL,
    slice_from INTEGER NOT NULL,  -- covers streams whose slice is in this range, bounds included
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
    slice INTEGER NOT NULL,       -- the slice of the stream
    attempts INTEGER NOT NULL,
    retry_at INTEGER,             -- microseconds since 1970
    parked_at INTEGER,
    reason TEXT NOT NULL,
    PRIMARY KEY (consumer, position)
) STRICT, WITHOUT ROWID;

-- The revision increases when a consumer is claimed or reset, so that whoever runs the consumer reads its state again.
CREATE TABLE disco_changes (
    revision INTEGER NOT NULL
) STRICT;
INSERT INTO disco_changes VALUES (0);
