-- Consumers that several processes share: leases, and one row for each held stream.

-- One row for each consumer.
CREATE TABLE "disco".disco_consumers (
    name text COLLATE "C" PRIMARY KEY,
    partitions integer NOT NULL,              -- how many it should have
    live integer NOT NULL DEFAULT 1,          -- the generation of its read model that queries see
    live_definition text COLLATE "C",         -- version and fingerprint of the query, as in 2:5f0c
    building integer,                         -- a generation that is being built
    building_definition text COLLATE "C",
    building_since bigint,                    -- microseconds since 1970
    previous integer,                         -- the generation that was live before
    previous_definition text COLLATE "C",
    switched_at bigint,
    run_to bigint,                            -- its partitions stop here, because they are about to be exchanged
    paused_at bigint,
    paused_reason text
);

-- The tables of projections, which exist once for each generation; the name itself is a view of the live one.
CREATE TABLE "disco".disco_tables (
    name text COLLATE "C" PRIMARY KEY,
    consumer text COLLATE "C" NOT NULL
);

ALTER TABLE "disco".disco_partitions
    ADD COLUMN generation integer NOT NULL DEFAULT 1,
    ADD COLUMN crashes integer NOT NULL DEFAULT 0,  -- owners in a row that ended without progress
    ADD COLUMN in_hand bigint,                      -- the event that is processed alone, after crashes
    DROP CONSTRAINT disco_partitions_pkey,
    ADD PRIMARY KEY (consumer, generation, slice_from, slice_to);

-- One row for each process that runs consumers.
CREATE TABLE "disco".disco_members (
    id text COLLATE "C" PRIMARY KEY,
    host text NOT NULL,
    build text NOT NULL,
    consumers text NOT NULL,              -- JSON: the names of those it can run
    expires_at bigint NOT NULL            -- microseconds since 1970, by disco_now()
);

-- The clock of all leases, in microseconds since 1970.
CREATE FUNCTION "disco".disco_now() RETURNS bigint LANGUAGE sql VOLATILE
    AS 'SELECT (extract(epoch FROM clock_timestamp()) * 1000000)::bigint';

ALTER TABLE "disco".disco_held RENAME TO disco_held_events;

CREATE TABLE "disco".disco_held (
    consumer text COLLATE "C" NOT NULL,
    generation integer NOT NULL DEFAULT 1,
    stream text COLLATE "C" NOT NULL,
    slice integer NOT NULL,               -- the slice of the stream
    first_position bigint NOT NULL,       -- the event that failed
    through_position bigint NOT NULL,     -- the last event that waits behind it
    attempts integer NOT NULL,
    retry_at bigint,                      -- microseconds since 1970
    parked_at bigint,
    type text COLLATE "C",                -- of the event that failed
    code text COLLATE "C",                -- of its error
    reason text,
    first_failed_at bigint,
    last_failed_at bigint,
    build text,
    PRIMARY KEY (consumer, generation, stream)
);

INSERT INTO "disco".disco_held (consumer, stream, slice, first_position, through_position, attempts, retry_at,
    parked_at, type, code, reason, first_failed_at, last_failed_at, build)
SELECT e.consumer, e.stream, e.slice, e.position, s.through_position, e.attempts,
    CASE WHEN e.parked_at IS NULL THEN coalesce(e.retry_at, 0) END, e.parked_at, '', '', e.reason,
    coalesce(e.parked_at, e.retry_at, 0), coalesce(e.parked_at, e.retry_at, 0), ''
FROM "disco".disco_held_events e
JOIN (
    SELECT consumer, stream, min(position) AS first_position, max(position) AS through_position
    FROM "disco".disco_held_events GROUP BY consumer, stream
) s ON s.consumer = e.consumer AND s.stream = e.stream AND s.first_position = e.position;

DROP TABLE "disco".disco_held_events;

-- What people decided about held streams.
CREATE TABLE "disco".disco_audit (
    at bigint NOT NULL,                   -- microseconds since 1970
    action text COLLATE "C" NOT NULL,
    consumer text COLLATE "C" NOT NULL,
    stream text COLLATE "C" NOT NULL,
    first_position bigint NOT NULL,
    through_position bigint NOT NULL,
    attempts integer NOT NULL,
    failure text NOT NULL,
    reason text NOT NULL,
    decided_by text NOT NULL
);
CREATE INDEX disco_audit_consumer ON "disco".disco_audit (consumer, at);
