-- The event store. Its schema is "disco" here; the adapter substitutes the name from the settings.
-- Event rows are never removed; positions start at 1 and have no gaps.

CREATE TABLE "disco".store (
    id uuid NOT NULL,                 -- the table has one row
    epoch bigint NOT NULL,
    settled_at timestamptz            -- new events are recorded after this time
);
INSERT INTO "disco".store (id, epoch) VALUES (gen_random_uuid(), 1);

-- Text columns compare by bytes (COLLATE "C"), as in every other store.
CREATE TABLE "disco".events (
    position bigint NOT NULL,
    stream text COLLATE "C" NOT NULL,
    version bigint NOT NULL,
    category text COLLATE "C" NOT NULL,
    type text COLLATE "C" NOT NULL,
    type_version integer NOT NULL,
    id uuid NOT NULL,
    payload json NOT NULL,            -- byte for byte as appended
    payload_bytes integer NOT NULL,   -- its length: limits the size of pages without reading TOASTed payloads
    content_type text,                -- NULL means application/json
    metadata json,
    correlation_id uuid,
    causation_id uuid,
    tags text[] COLLATE "C",          -- in the order given; queries by tag use the table tags
    slice smallint NOT NULL,          -- FNV-1a 64 of the stream's name, modulo 1024
    append_id bigint NOT NULL,        -- the position of the append's first event
    recorded_at timestamptz NOT NULL, -- never earlier than that of the previous event
    erased_at timestamptz,            -- when payload, metadata, correlation, causation and tags were blanked
    CONSTRAINT events_by_position PRIMARY KEY (position)
);
CREATE UNIQUE INDEX events_by_stream ON "disco".events (stream, version);
CREATE UNIQUE INDEX events_by_id ON "disco".events (id);
CREATE INDEX events_by_type ON "disco".events (type, position);
CREATE INDEX events_by_category ON "disco".events (category, position);
-- For listing the streams in the order of their names.
CREATE INDEX events_that_begin_streams ON "disco".events (stream) WHERE version = 1;

CREATE TABLE "disco".tags (
    tag text COLLATE "C" NOT NULL,
    position bigint NOT NULL,
    CONSTRAINT tags_by_tag PRIMARY KEY (tag, position)
);

-- Streams that cannot be read or do not accept appends. Other streams need no row.
CREATE TABLE "disco".concealed_streams (
    stream text COLLATE "C" PRIMARY KEY,
    deleted_at timestamptz,                -- if set: hidden and closed to appends until restored
    closed boolean NOT NULL DEFAULT false  -- erased and permanently closed to appends
);

CREATE TABLE "disco".keys (
    key text COLLATE "C" PRIMARY KEY,
    fingerprint text COLLATE "C" NOT NULL,
    first_position bigint NOT NULL,
    events bigint NOT NULL,                -- the number of events, starting at first_position
    recorded_at timestamptz NOT NULL
);

CREATE TABLE "disco".snapshots (
    stream text COLLATE "C" NOT NULL,
    name text COLLATE "C" NOT NULL,
    fingerprint text COLLATE "C" NOT NULL,
    version bigint NOT NULL,
    state text NOT NULL,
    saved_at timestamptz NOT NULL DEFAULT clock_timestamp(),
    PRIMARY KEY (stream, name, fingerprint)
);

-- Permits to erase: the events of a stream may be blanked while it has a row here, within one transaction.
CREATE TABLE "disco".permits (
    stream text COLLATE "C" PRIMARY KEY
);

CREATE FUNCTION "disco".refuse() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION 'disco: % on % is not allowed: recorded data is never changed or removed', TG_OP, TG_TABLE_NAME
        USING ERRCODE = 'restrict_violation';
END $$;

CREATE FUNCTION "disco".refuse_but_erasing() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF NOT EXISTS (SELECT 1 FROM "disco".permits p WHERE p.stream = OLD.stream)
        OR (NEW.position, NEW.stream, NEW.version, NEW.category, NEW.type, NEW.type_version, NEW.id, NEW.slice, NEW.append_id,
            NEW.recorded_at)
            IS DISTINCT FROM (OLD.position, OLD.stream, OLD.version, OLD.category, OLD.type, OLD.type_version, OLD.id,
                OLD.slice, OLD.append_id, OLD.recorded_at)
        OR NEW.payload::text <> 'null' OR NEW.metadata IS NOT NULL OR NEW.correlation_id IS NOT NULL
        OR NEW.causation_id IS NOT NULL OR NEW.tags IS NOT NULL OR NEW.erased_at IS NULL
    THEN
        RAISE EXCEPTION 'disco: % on % is not allowed: recorded data is never changed or removed', TG_OP, TG_TABLE_NAME
            USING ERRCODE = 'restrict_violation';
    END IF;
    RETURN NEW;
END $$;

-- Positions have no gaps because only `append` and `append_one` assign them and insert rows. They identify themselves
-- by a setting that any role can change: like all of these triggers, this one protects against accidents, not against
-- the owner of the tables.
CREATE FUNCTION "disco".refuse_by_hand() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION 'disco: % on % is not allowed: use the function append', TG_OP, TG_TABLE_NAME
        USING ERRCODE = 'restrict_violation';
END $$;

CREATE TRIGGER events_insert BEFORE INSERT ON "disco".events FOR EACH STATEMENT
    WHEN (current_setting('disco.appending', true) IS DISTINCT FROM 'on') EXECUTE FUNCTION "disco".refuse_by_hand();
CREATE TRIGGER events_update BEFORE UPDATE ON "disco".events
    FOR EACH ROW EXECUTE FUNCTION "disco".refuse_but_erasing();
CREATE TRIGGER events_delete BEFORE DELETE ON "disco".events FOR EACH ROW EXECUTE FUNCTION "disco".refuse();
CREATE TRIGGER events_truncate BEFORE TRUNCATE ON "disco".events
    FOR EACH STATEMENT EXECUTE FUNCTION "disco".refuse();

CREATE FUNCTION "disco".refuse_other_tags() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    -- Erasing removes the tags, within the transaction that holds the permit.
    IF TG_OP = 'DELETE' AND EXISTS (
        SELECT 1 FROM "disco".events e JOIN "disco".permits p ON p.stream = e.stream WHERE e.position = OLD.position)
    THEN
        RETURN OLD;
    END IF;
    RAISE EXCEPTION 'disco: % on % is not allowed: recorded data is never changed or removed', TG_OP, TG_TABLE_NAME
        USING ERRCODE = 'restrict_violation';
END $$;

CREATE TRIGGER tags_change BEFORE UPDATE OR DELETE ON "disco".tags
    FOR EACH ROW EXECUTE FUNCTION "disco".refuse_other_tags();
CREATE TRIGGER tags_truncate BEFORE TRUNCATE ON "disco".tags FOR EACH STATEMENT EXECUTE FUNCTION "disco".refuse();

CREATE TRIGGER tags_insert BEFORE INSERT ON "disco".tags FOR EACH STATEMENT
    WHEN (current_setting('disco.appending', true) IS DISTINCT FROM 'on') EXECUTE FUNCTION "disco".refuse_by_hand();

-- Returns the last version of a stream recorded at or before this position, or 0 if there is none. Versions have no
-- gaps and increase with positions, so a binary search finds it without an additional index.
CREATE FUNCTION "disco".version_at(name text, place bigint) RETURNS bigint LANGUAGE plpgsql STABLE
    SET enable_seqscan = off SET enable_bitmapscan = off SET jit = off SET plan_cache_mode = force_generic_plan AS $$
DECLARE
    low bigint := 0;
    high bigint;
    middle bigint;
    found_at bigint;
BEGIN
    IF place <= 0 THEN RETURN 0; END IF;
    SELECT e.version, e.position INTO high, found_at FROM "disco".events e
    WHERE e.stream = name ORDER BY e.version DESC LIMIT 1;
    IF high IS NULL OR found_at <= place THEN RETURN coalesce(high, 0); END IF;
    high := high - 1;
    WHILE low < high LOOP
        middle := (low + high + 1) / 2;
        IF (SELECT e.position FROM "disco".events e WHERE e.stream = name AND e.version = middle) <= place THEN
            low := middle;
        ELSE
            high := middle - 1;
        END IF;
    END LOOP;
    RETURN low;
END $$;

-- Finds the first event after position `behind` that matches an item of a query. Each kind of item uses its own index.
CREATE FUNCTION "disco".first_match(
    types text[], tags text[], category text, stream text, behind bigint, OUT match_position bigint, OUT match_id uuid
) LANGUAGE plpgsql STABLE
    SET enable_seqscan = off SET enable_bitmapscan = off SET jit = off SET plan_cache_mode = force_generic_plan AS $$
#variable_conflict use_column
BEGIN
    IF first_match.stream IS NOT NULL THEN
        SELECT e.position, e.id INTO match_position, match_id FROM "disco".events e
        WHERE e.stream = first_match.stream AND e.version > (SELECT "disco".version_at(first_match.stream, behind))
            AND e.erased_at IS NULL
            AND (first_match.types IS NULL OR e.type = ANY (first_match.types))
            AND (first_match.category IS NULL OR e.category = first_match.category)
            AND (first_match.tags IS NULL OR e.tags @> first_match.tags)
            AND NOT EXISTS (SELECT 1 FROM "disco".concealed_streams c WHERE c.stream = e.stream AND c.deleted_at IS NOT NULL)
        ORDER BY e.version LIMIT 1;
    ELSIF first_match.tags IS NOT NULL THEN
        SELECT e.position, e.id INTO match_position, match_id
        FROM "disco".tags t JOIN "disco".events e ON e.position = t.position
        WHERE t.tag = first_match.tags[1] AND t.position > behind AND e.erased_at IS NULL
            AND (first_match.types IS NULL OR e.type = ANY (first_match.types))
            AND (first_match.category IS NULL OR e.category = first_match.category)
            AND e.tags @> first_match.tags
            AND NOT EXISTS (SELECT 1 FROM "disco".concealed_streams c WHERE c.stream = e.stream AND c.deleted_at IS NOT NULL)
        ORDER BY t.position LIMIT 1;
    ELSIF first_match.types IS NOT NULL THEN
        SELECT m.position, m.id INTO match_position, match_id
        FROM unnest(first_match.types) AS wanted(name) CROSS JOIN LATERAL (
            SELECT e.position, e.id FROM "disco".events e
            WHERE e.type = wanted.name AND e.position > behind AND e.erased_at IS NULL
                AND (first_match.category IS NULL OR e.category = first_match.category)
                AND NOT EXISTS (
                    SELECT 1 FROM "disco".concealed_streams c WHERE c.stream = e.stream AND c.deleted_at IS NOT NULL)
            -- Only the index by type provides this order; a walk along the index by position would read all other
            -- events too.
            ORDER BY e.type, e.position LIMIT 1
        ) AS m ORDER BY m.position LIMIT 1;
    ELSIF first_match.category IS NOT NULL THEN
        SELECT e.position, e.id INTO match_position, match_id FROM "disco".events e
        WHERE e.category = first_match.category AND e.position > behind AND e.erased_at IS NULL
            AND NOT EXISTS (SELECT 1 FROM "disco".concealed_streams c WHERE c.stream = e.stream AND c.deleted_at IS NOT NULL)
        ORDER BY e.category, e.position LIMIT 1;
    ELSE
        SELECT e.position, e.id INTO match_position, match_id FROM "disco".events e
        WHERE e.position > behind AND e.erased_at IS NULL
            AND NOT EXISTS (SELECT 1 FROM "disco".concealed_streams c WHERE c.stream = e.stream AND c.deleted_at IS NOT NULL)
        ORDER BY e.position LIMIT 1;
    END IF;
END $$;

-- Returns the tags of each event of a batch, in the order of the events; null for an event without tags. Each event
-- appears in tag_event at least once; an event without tags has a null in tag_names.
CREATE FUNCTION "disco".tags_of(tag_names text[], tag_event integer[], events integer) RETURNS SETOF text[]
LANGUAGE plpgsql STABLE AS $$
BEGIN
    IF cardinality(tag_names) = events THEN
        -- One entry per event, the usual case: no grouping needed.
        RETURN QUERY SELECT CASE WHEN t.tag IS NOT NULL THEN ARRAY[t.tag] END FROM unnest(tag_names) AS t(tag);
        RETURN;
    END IF;
    RETURN QUERY SELECT array_agg(t.tag ORDER BY t.n) FILTER (WHERE t.tag IS NOT NULL)
        FROM unnest(tag_names, tag_event) WITH ORDINALITY AS t(tag, event, n) GROUP BY t.event ORDER BY t.event;
END $$;

-- Records a batch of appends that do not depend on each other. Each append is recorded completely or not at all.
--
-- Appends, events and streams are referred to by their index in the batch, starting at 1. append_events has the number
-- of events of each append. Each event has its append (event_append), the index of that append's first event
-- (event_first), its stream (event_stream), and its number among the batch's events of that stream (event_number).
-- Expectations (expected_*) have one entry per append and stream: -1 any version, -2 no stream, -3 the stream exists,
-- otherwise the exact version. Conditions have one entry per item of their queries: types, tags, category and stream as
-- JSON, each null if it is not restricted. tag_names and tag_event hold the tags as `tags_of` takes them; tag_again is
-- true for a tag that the event already has earlier in its list. An array is null if the batch has no values for it.
--
-- If an id is already recorded, the call fails with unique_violation, unless repeats_ids is true: then the function
-- looks up the ids first. Repeats are rare, and the lookup would slow down every batch.
--
-- Returns one row. Appends that are not listed in `refused` were recorded: over the events of these appends, the caller
-- counts positions up from last_position and versions up from heads. The reasons for a refusal, and their details:
--   K, I already recorded under its key or ids: `numbers` events starting at position `places`
--   X its key was used for a different append
--   D the event `ids` is already recorded, but not by this append
--   G its stream with the index `numbers` is deleted or closed
--   V it expected versions other than those in `shown`
--   C its condition fails because of the event `ids` at position `places`
CREATE FUNCTION "disco".append(
    append_keys text[], append_fingerprints text[], append_events integer[],
    streams text[],
    event_append integer[], event_first integer[], event_stream integer[], event_number integer[], event_streams text[], event_categories text[],
    event_slices smallint[], event_types text[], event_type_versions integer[], event_ids uuid[], event_payloads text[],
    event_metadata text[], event_correlations uuid[], event_causations uuid[],
    tag_names text[], tag_event integer[], tag_again boolean[], repeats_ids boolean,
    expected_append integer[], expected_stream integer[], expected_version bigint[],
    condition_append integer[], condition_after bigint[], condition_queries text[],
    OUT last_position bigint, OUT heads bigint[], OUT shown bigint[],
    OUT refused integer[], OUT reasons text[], OUT places bigint[], OUT numbers bigint[], OUT ids uuid[]
) LANGUAGE plpgsql VOLATILE
    SET enable_seqscan = off SET enable_bitmapscan = off SET jit = off SET plan_cache_mode = force_generic_plan AS $$
#variable_conflict use_variable
DECLARE
    now_at timestamptz;
    closed integer[];
    number bigint;
    place bigint;
    rec record;
BEGIN
    -- Must come first: every later statement then sees everything committed before the lock was acquired.
    PERFORM pg_advisory_xact_lock(hashtextextended('disco event store "disco"', 0));

    SELECT e.position, e.recorded_at INTO last_position, now_at FROM "disco".events e ORDER BY e.position DESC LIMIT 1;
    last_position := coalesce(last_position, 0);
    -- Later than the time that was reported as settled.
    now_at := greatest(clock_timestamp(), now_at, (SELECT s.settled_at + interval '1 microsecond' FROM "disco".store s LIMIT 1));

    IF append_keys IS NOT NULL THEN
        FOR rec IN
            SELECT a.n, k.first_position, k.events, k.fingerprint = a.fingerprint AS same
            FROM unnest(append_keys, append_fingerprints) WITH ORDINALITY AS a(key, fingerprint, n)
            JOIN "disco".keys k ON k.key = a.key
        LOOP
            refused := refused || rec.n::integer;
            reasons := reasons || CASE WHEN rec.same THEN 'K' ELSE 'X' END;
            places := places || rec.first_position;
            numbers := numbers || rec.events;
            ids := ids || NULL::uuid;
        END LOOP;
    END IF;

    IF repeats_ids THEN
        FOR rec IN
            SELECT event_append[i.n] AS append, min(i.n) AS n, (array_agg(i.id ORDER BY i.n))[1] AS id
            FROM unnest(event_ids) WITH ORDINALITY AS i(id, n) JOIN "disco".events e ON e.id = i.id
            GROUP BY event_append[i.n]
        LOOP
            CONTINUE WHEN rec.append = ANY (refused);
            number := append_events[rec.append];
            -- In a repeat, the recorded append has the same events in the same streams and order, and no others.
            place := (
                SELECT e.append_id FROM unnest(event_ids) WITH ORDINALITY AS i(id, n) JOIN "disco".events e ON e.id = i.id
                WHERE event_append[i.n] = rec.append ORDER BY i.n LIMIT 1);
            refused := refused || rec.append;
            places := places || place;
            numbers := numbers || number;
            IF (SELECT array_agg(e.id ORDER BY e.position) FROM "disco".events e
                    WHERE e.position BETWEEN place AND place + number AND e.append_id = place)
                IS NOT DISTINCT FROM
                (SELECT array_agg(i.id ORDER BY i.n)
                    FROM unnest(event_append, event_ids) WITH ORDINALITY AS i(append, id, n) WHERE i.append = rec.append)
                AND (SELECT array_agg(e.stream ORDER BY e.position) FROM "disco".events e
                    WHERE e.position BETWEEN place AND place + number AND e.append_id = place)
                IS NOT DISTINCT FROM
                (SELECT array_agg(i.stream ORDER BY i.n)
                    FROM unnest(event_append, event_streams) WITH ORDINALITY AS i(append, stream, n) WHERE i.append = rec.append)
            THEN
                reasons := reasons || 'I'::text;
                ids := ids || NULL::uuid;
            ELSE
                reasons := reasons || 'D'::text;
                ids := ids || rec.id;
            END IF;
        END LOOP;
    END IF;

    SELECT array_agg(coalesce(h.version, 0) ORDER BY s.n),
        array_agg(CASE WHEN h.erased THEN 0 ELSE coalesce(h.version, 0) END ORDER BY s.n)
    INTO heads, shown
    FROM unnest(streams) WITH ORDINALITY AS s(name, n) LEFT JOIN LATERAL (
        SELECT e.version, e.erased_at IS NOT NULL AS erased FROM "disco".events e
        WHERE e.stream = s.name ORDER BY e.version DESC LIMIT 1
    ) AS h ON true;

    IF EXISTS (SELECT 1 FROM "disco".concealed_streams) THEN
        SELECT array_agg(s.n) INTO closed
        FROM "disco".concealed_streams c JOIN unnest(streams) WITH ORDINALITY AS s(name, n) ON s.name = c.stream
        WHERE c.deleted_at IS NOT NULL OR c.closed;
    END IF;
    IF closed IS NOT NULL THEN
        FOR rec IN
            SELECT t.append, min(t.stream) AS stream
            FROM (
                SELECT e.append, e.stream FROM unnest(event_append, event_stream) AS e(append, stream)
                UNION ALL
                SELECT x.append, x.stream FROM unnest(expected_append, expected_stream) AS x(append, stream)
            ) AS t WHERE t.stream = ANY (closed) GROUP BY t.append
        LOOP
            CONTINUE WHEN rec.append = ANY (refused);
            refused := refused || rec.append;
            reasons := reasons || 'G'::text;
            places := places || NULL::bigint;
            numbers := numbers || rec.stream::bigint;
            ids := ids || NULL::uuid;
        END LOOP;
    END IF;

    IF expected_append IS NOT NULL THEN
        FOR rec IN
            SELECT DISTINCT x.append FROM unnest(expected_append, expected_stream, expected_version) AS x(append, stream, version)
            WHERE NOT CASE x.version
                WHEN -1 THEN true WHEN -2 THEN shown[x.stream] = 0 WHEN -3 THEN shown[x.stream] > 0
                ELSE shown[x.stream] = x.version END
        LOOP
            CONTINUE WHEN rec.append = ANY (refused);
            refused := refused || rec.append;
            reasons := reasons || 'V'::text;
            places := places || NULL::bigint;
            numbers := numbers || NULL::bigint;
            ids := ids || NULL::uuid;
        END LOOP;
    END IF;

    IF condition_append IS NOT NULL THEN
        FOR rec IN
            SELECT DISTINCT ON (q.append) q.append, m.match_position, m.match_id
            FROM unnest(condition_append, condition_after, condition_queries) AS q(append, behind, query)
            CROSS JOIN LATERAL "disco".first_match(
                CASE WHEN json_typeof(q.query::json -> 'types') = 'array'
                    THEN ARRAY(SELECT json_array_elements_text(q.query::json -> 'types')) END,
                CASE WHEN json_typeof(q.query::json -> 'tags') = 'array'
                    THEN ARRAY(SELECT json_array_elements_text(q.query::json -> 'tags')) END,
                q.query::json ->> 'category', q.query::json ->> 'stream', q.behind) AS m
            WHERE m.match_position IS NOT NULL ORDER BY q.append, m.match_position
        LOOP
            CONTINUE WHEN rec.append = ANY (refused);
            refused := refused || rec.append;
            reasons := reasons || 'C'::text;
            places := places || rec.match_position;
            numbers := numbers || NULL::bigint;
            ids := ids || rec.match_id;
        END LOOP;
    END IF;

    -- An append that is already recorded is a repeat, whatever has happened to its streams since.
    IF refused IS NOT NULL AND NOT repeats_ids AND EXISTS (
        SELECT 1 FROM unnest(event_append, event_ids) AS u(append, id) JOIN "disco".events e ON e.id = u.id
        WHERE u.append = ANY (refused))
    THEN
        RAISE EXCEPTION 'disco: an event id is already recorded' USING ERRCODE = 'unique_violation';
    END IF;

    PERFORM set_config('disco.appending', 'on', true);
    IF refused IS NULL THEN
        INSERT INTO "disco".events (position, stream, version, category, type, type_version, id, payload, payload_bytes,
            metadata, correlation_id, causation_id, tags, slice, append_id, recorded_at)
        SELECT last_position + e.n, e.name, heads[e.stream] + e.number, e.category, e.type, e.type_version, e.id,
            e.payload::json, octet_length(e.payload), e.metadata::json, e.correlation, e.causation, e.tags, e.slice,
            last_position + e.first, now_at
        FROM ROWS FROM (
                unnest(event_first, event_stream, event_number, event_streams, event_categories, event_slices, event_types,
                    event_type_versions, event_ids, event_payloads, event_metadata, event_correlations, event_causations),
                "disco".tags_of(tag_names, tag_event, cardinality(event_append)))
            WITH ORDINALITY AS e(first, stream, number, name, category, slice, type, type_version, id, payload, metadata,
                correlation, causation, tags, n);
        IF tag_names IS NOT NULL THEN
            INSERT INTO "disco".tags (tag, position)
            SELECT t.tag, last_position + t.event FROM unnest(tag_names, tag_event, tag_again) AS t(tag, event, again)
            WHERE t.tag IS NOT NULL AND t.again IS NOT TRUE;
        END IF;
    ELSE
        -- Refused appends leave no gaps: the events of the others get consecutive positions.
        INSERT INTO "disco".events (position, stream, version, category, type, type_version, id, payload, payload_bytes,
            metadata, correlation_id, causation_id, tags, slice, append_id, recorded_at)
        SELECT last_position + e.place, e.name, heads[e.stream] + e.number, e.category, e.type, e.type_version, e.id,
            e.payload::json, octet_length(e.payload), e.metadata::json, e.correlation, e.causation, e.tags, e.slice,
            last_position + first_value(e.place) OVER (PARTITION BY e.append ORDER BY e.place), now_at
        FROM (
            SELECT u.*, row_number() OVER (ORDER BY u.n) AS place, row_number() OVER (PARTITION BY u.stream ORDER BY u.n) AS number
            FROM ROWS FROM (
                    unnest(event_append, event_stream, event_streams, event_categories, event_slices, event_types,
                        event_type_versions, event_ids, event_payloads, event_metadata, event_correlations, event_causations),
                    "disco".tags_of(tag_names, tag_event, cardinality(event_append)))
                WITH ORDINALITY AS u(append, stream, name, category, slice, type, type_version, id, payload, metadata,
                    correlation, causation, tags, n)
            WHERE u.append <> ALL (refused)
        ) AS e
        ORDER BY e.place;
        IF tag_names IS NOT NULL THEN
            INSERT INTO "disco".tags (tag, position)
            SELECT t.tag, last_position + e.place
            FROM (
                SELECT u.n, row_number() OVER (ORDER BY u.n) AS place
                FROM unnest(event_append) WITH ORDINALITY AS u(append, n)
                WHERE u.append <> ALL (refused)
            ) AS e JOIN unnest(tag_names, tag_event, tag_again) AS t(tag, event, again) ON t.event = e.n
            WHERE t.tag IS NOT NULL AND t.again IS NOT TRUE;
        END IF;
    END IF;

    PERFORM set_config('disco.appending', 'off', true);

    IF append_keys IS NOT NULL THEN
        INSERT INTO "disco".keys (key, fingerprint, first_position, events, recorded_at)
        SELECT a.key, a.fingerprint, a.first_position, a.events, now_at
        FROM (
            SELECT u.key, u.fingerprint, u.events,
                last_position + 1 + sum(u.events) OVER (ORDER BY u.n) - u.events AS first_position
            FROM unnest(append_keys, append_fingerprints, append_events) WITH ORDINALITY AS u(key, fingerprint, events, n)
            WHERE refused IS NULL OR u.n <> ALL (refused)
        ) AS a
        WHERE a.key IS NOT NULL;
        -- An append that was recorded earlier without its key must take effect only once under the key, too.
        IF 'I' = ANY (reasons) THEN
            INSERT INTO "disco".keys (key, fingerprint, first_position, events, recorded_at)
            SELECT append_keys[r.append], append_fingerprints[r.append], r.place, r.events, now_at
            FROM unnest(refused, reasons, places, numbers) AS r(append, reason, place, events)
            WHERE r.reason = 'I' AND append_keys[r.append] IS NOT NULL;
        END IF;
    END IF;

    IF 'K' = ANY (reasons) OR 'I' = ANY (reasons) THEN
        -- "Recorded before" is an acknowledgment too: committing something makes it wait for the standby, as the first
        -- append did.
        PERFORM pg_logical_emit_message(true, 'disco', '');
    END IF;
    IF expected_append IS NULL OR NOT coalesce('V' = ANY (reasons), false) THEN
        shown := NULL;
    END IF;
END $$;

-- Records a single event without key or condition, in half the time of a batch of one. If anything other than an
-- already recorded id prevents this, it records nothing and returns null; `append` then reports the reason.
CREATE FUNCTION "disco".append_one(
    new_stream text, new_category text, new_slice smallint, new_type text, new_type_version integer, new_id uuid, new_payload text,
    new_metadata text, new_correlation uuid, new_causation uuid, new_tags text[], expected bigint,
    OUT new_position bigint, OUT new_version bigint
) LANGUAGE plpgsql VOLATILE
    SET enable_seqscan = off SET enable_bitmapscan = off SET jit = off SET plan_cache_mode = force_generic_plan AS $$
#variable_conflict use_variable
DECLARE
    place bigint;
    head bigint;
    shown bigint;
    now_at timestamptz;
BEGIN
    -- Must come first, as in `append`.
    PERFORM pg_advisory_xact_lock(hashtextextended('disco event store "disco"', 0));
    SELECT coalesce(l.position, 0) + 1, greatest(clock_timestamp(), l.recorded_at, m.settled_at + interval '1 microsecond'),
        coalesce(h.version, 0),
        CASE WHEN h.erased THEN 0 ELSE coalesce(h.version, 0) END
    INTO place, now_at, head, shown
    FROM (SELECT 1) AS one
        LEFT JOIN LATERAL (
            SELECT e.position, e.recorded_at FROM "disco".events e ORDER BY e.position DESC LIMIT 1) AS l ON true
        LEFT JOIN LATERAL (SELECT s.settled_at FROM "disco".store s LIMIT 1) AS m ON true
        LEFT JOIN LATERAL (
            SELECT e.version, e.erased_at IS NOT NULL AS erased FROM "disco".events e
            WHERE e.stream = new_stream ORDER BY e.version DESC LIMIT 1) AS h ON true
    WHERE NOT EXISTS (
        SELECT 1 FROM "disco".concealed_streams c WHERE c.stream = new_stream AND (c.deleted_at IS NOT NULL OR c.closed));
    IF place IS NULL
        OR NOT (CASE expected WHEN -1 THEN true WHEN -2 THEN shown = 0 WHEN -3 THEN shown > 0 ELSE shown = expected END)
    THEN
        RETURN;
    END IF;
    new_position := place;
    new_version := head + 1;
    PERFORM set_config('disco.appending', 'on', true);
    INSERT INTO "disco".events (position, stream, version, category, type, type_version, id, payload, payload_bytes, metadata,
        correlation_id, causation_id, tags, slice, append_id, recorded_at)
    VALUES (new_position, new_stream, new_version, new_category, new_type, new_type_version, new_id, new_payload::json,
        octet_length(new_payload), new_metadata::json, new_correlation, new_causation, new_tags, new_slice, new_position, now_at);
    IF new_tags IS NOT NULL THEN
        INSERT INTO "disco".tags (tag, position) SELECT t.tag, new_position FROM unnest(new_tags) AS t(tag);
    END IF;
    PERFORM set_config('disco.appending', 'off', true);
END $$;

-- Advances settled_at, the time up to which everything is visible, to the present: events appended after this call are
-- recorded later than that.
CREATE FUNCTION "disco".settle() RETURNS void LANGUAGE plpgsql VOLATILE AS $$
BEGIN
    -- Must come first, as in `append`.
    PERFORM pg_advisory_xact_lock(hashtextextended('disco event store "disco"', 0));
    UPDATE "disco".store SET settled_at = greatest(settled_at, clock_timestamp());
END $$;

-- Returns the last position recorded at or before this time. Times never decrease as positions increase, and positions
-- have no gaps, so a binary search finds it without an index.
CREATE FUNCTION "disco".position_as_of(at timestamptz) RETURNS bigint LANGUAGE plpgsql STABLE AS $$
DECLARE
    low bigint := 0;
    high bigint;
    middle bigint;
BEGIN
    SELECT coalesce(max(e.position), 0) INTO high FROM "disco".events e;
    WHILE low < high LOOP
        middle := (low + high + 1) / 2;
        IF (SELECT e.recorded_at FROM "disco".events e WHERE e.position = middle) <= at THEN
            low := middle;
        ELSE
            high := middle - 1;
        END IF;
    END LOOP;
    RETURN low;
END $$;
