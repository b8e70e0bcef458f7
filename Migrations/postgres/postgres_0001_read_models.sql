-- What consumers remember, in the schema of the read models: changed in the same transaction as they are.

CREATE TABLE "disco".disco_checkpoints (
    consumer text COLLATE "C" NOT NULL,
    partition integer NOT NULL DEFAULT 0,
    store uuid,
    epoch bigint,
    position bigint NOT NULL,
    event_id uuid,
    fence bigint NOT NULL DEFAULT 0,
    updated_at timestamptz NOT NULL DEFAULT clock_timestamp(),
    PRIMARY KEY (consumer, partition)
);

CREATE TABLE "disco".disco_held (
    consumer text COLLATE "C" NOT NULL,
    partition integer NOT NULL DEFAULT 0,
    key text COLLATE "C" NOT NULL,   -- the stream that is held
    position bigint NOT NULL,
    attempts integer NOT NULL,
    retry_at timestamptz,
    reason text NOT NULL,
    parked boolean NOT NULL DEFAULT false,
    PRIMARY KEY (consumer, partition, position)
);
