-- The state of consumers, in the schema of the read models: it changes in the same transactions as they do.

CREATE TABLE "disco".disco_partitions (
    consumer text COLLATE "C" NOT NULL,
    slice_from integer NOT NULL,     -- covers streams whose slice is in this range, bounds included
    slice_to integer NOT NULL,
    store text COLLATE "C",
    epoch bigint,
    position bigint NOT NULL,
    event_id text COLLATE "C",
    owner text COLLATE "C",
    fence bigint NOT NULL DEFAULT 0,
    updated_at bigint NOT NULL,      -- microseconds since 1970
    PRIMARY KEY (consumer, slice_from, slice_to)
);

CREATE TABLE "disco".disco_held (
    consumer text COLLATE "C" NOT NULL,
    position bigint NOT NULL,
    stream text COLLATE "C" NOT NULL,
    slice integer NOT NULL,          -- the slice of the stream
    attempts integer NOT NULL,
    retry_at bigint,                 -- microseconds since 1970
    parked_at bigint,
    reason text NOT NULL,
    PRIMARY KEY (consumer, position)
);

-- The revision increases when a consumer is claimed or reset, so that whoever runs the consumer reads its state again.
CREATE TABLE "disco".disco_changes (
    revision bigint NOT NULL
);
INSERT INTO "disco".disco_changes VALUES (0);
