-- Consumers that several processes share: leases, and one row for each held stream.

-- One row for each consumer.
CREATE TABLE disco_consumers (
    name TEXT NOT NULL PRIMARY KEY,
    partitions INTEGER NOT NULL,              -- how many it should have
    live INTEGER NOT NULL DEFAULT 1,          -- the generation of its read model that queries see
    live_definition TEXT,                     -- version and fingerprint of the query, as in 2:5f0c
    building INTEGER,                         -- a generation that is being built
    building_definition TEXT,
    building_since INTEGER,                   -- microseconds since 1970
    previous INTEGER,                         -- the generation that was live before
    previous_definition TEXT,
    switched_at INTEGER,
    run_to INTEGER,                           -- its partitions stop here, because they are about to be exchanged
    paused_at INTEGER,
    paused_reason TEXT
) STRICT, WITHOUT ROWID;

-- The tables of projections, which exist once for each generation; the name itself is a view of the live one.
CREATE TABLE disco_tables (
    name TEXT NOT NULL PRIMARY KEY,
    consumer TEXT NOT NULL
) STRICT, WITHOUT ROWID;

ALTER TABLE disco_partitions RENAME TO disco_partitions_old;

CREATE TABLE disco_partitions (
    consumer TEXT NOT NULL,
    generation INTEGER NOT NULL DEFAULT 1,
    slice_from INTEGER NOT NULL,          -- covers streams whose slice is in this range, bounds included
    slice_to INTEGER NOT NULL,
    store TEXT,
    epoch INTEGER,
    position INTEGER NOT NULL,
    event_id TEXT,
    owner TEXT,
    fence INTEGER NOT NULL DEFAULT 0,
    crashes INTEGER NOT NULL DEFAULT 0,   -- owners in a row that ended without progress
    in_hand INTEGER,                      -- the event that is processed alone, after crashes
    updated_at INTEGER NOT NULL,          -- microseconds since 1970
    PRIMARY KEY (consumer, generation, slice_from, slice_to)
) STRICT, WITHOUT ROWID;

INSERT INTO disco_partitions (consumer, slice_from, slice_to, store, epoch, position, event_id, owner, fence, updated_at)
SELECT consumer, slice_from, slice_to, store, epoch, position, event_id, owner, fence, updated_at
FROM disco_partitions_old;

DROP TABLE disco_partitions_old;

ALTER TABLE disco_held RENAME TO disco_held_events;

CREATE TABLE disco_held (
    consumer TEXT NOT NULL,
    generation INTEGER NOT NULL DEFAULT 1,
    stream TEXT NOT NULL,
    slice INTEGER NOT NULL,               -- the slice of the stream
    first_position INTEGER NOT NULL,      -- the event that failed
    through_position INTEGER NOT NULL,    -- the last event that waits behind it
    attempts INTEGER NOT NULL,
    retry_at INTEGER,                     -- microseconds since 1970
    parked_at INTEGER,
    type TEXT,                            -- of the event that failed
    code TEXT,                            -- of its error
    reason TEXT,
    first_failed_at INTEGER,
    last_failed_at INTEGER,
    build TEXT,
    PRIMARY KEY (consumer, generation, stream)
) STRICT, WITHOUT ROWID;

INSERT INTO disco_held (consumer, stream, slice, first_position, through_position, attempts, retry_at, parked_at, type,
    code, reason, first_failed_at, last_failed_at, build)
SELECT e.consumer, e.stream, e.slice, e.position, s.through_position, e.attempts,
    CASE WHEN e.parked_at IS NULL THEN coalesce(e.retry_at, 0) END, e.parked_at, '', '', e.reason,
    coalesce(e.parked_at, e.retry_at, 0), coalesce(e.parked_at, e.retry_at, 0), ''
FROM disco_held_events e
JOIN (
    SELECT consumer, stream, min(position) AS first_position, max(position) AS through_position
    FROM disco_held_events GROUP BY consumer, stream
) s ON s.consumer = e.consumer AND s.stream = e.stream AND s.first_position = e.position;

DROP TABLE disco_held_events;

-- What people decided about held streams.
CREATE TABLE disco_audit (
    at INTEGER NOT NULL,                  -- microseconds since 1970
    action TEXT NOT NULL,
    consumer TEXT NOT NULL,
    stream TEXT NOT NULL,
    first_position INTEGER NOT NULL,
    through_position INTEGER NOT NULL,
    attempts INTEGER NOT NULL,
    failure TEXT NOT NULL,
    reason TEXT NOT NULL,
    decided_by TEXT NOT NULL
) STRICT;
CREATE INDEX disco_audit_consumer ON disco_audit (consumer, at);
