-- The event store, in a schema of its own ("disco" unless the settings name another: it is put in this one's place).
-- Rows are never removed; positions are gapless from 1.

CREATE TABLE "disco".store (
    id uuid NOT NULL,                 -- in one row
    epoch bigint NOT NULL,
    settled_at timestamptz            -- events recorded from now on are later than this
);
INSERT INTO "disco".store (id, epoch) VALUES (gen_random_uuid(), 1);

-- Texts compare by bytes (COLLATE "C"), as they do in every other store.
CREATE TABLE "disco".events (
    position bigint NOT NULL,
    stream text COLLATE "C" NOT NULL,
    version bigint NOT NULL,
    category text COLLATE "C" NOT NULL,
    type text COLLATE "C" NOT NULL,
    type_version integer NOT NULL,
    id uuid NOT NULL,
    payload json NOT NULL,            -- byte for byte as it was appended
    payload_bytes integer NOT NULL,   -- its length: pages are cut by it without reading payloads that are kept apart
    content_type text,                -- NULL: application/json
    metadata json,
    correlation_id uuid,
    causation_id uuid,
    tags text[] COLLATE "C",          -- in the order given; the table tags is for finding them
    slice smallint NOT NULL,          -- FNV-1a 64 of the stream's name, modulo 1024
    append_id bigint NOT NULL,        -- the first position of the append
    recorded_at timestamptz NOT NULL, -- never before that of the event before
    erased_at timestamptz,            -- payload, metadata and tags were blanked then
    CONSTRAINT events_by_position PRIMARY KEY (position)
);
CREATE UNIQUE INDEX events_by_stream ON "disco".events (stream, version);
CREATE UNIQUE INDEX events_by_id ON "disco".events (id);
CREATE INDEX events_by_type ON "disco".events (type, position);
CREATE INDEX events_by_category ON "disco".events (category, position);
-- The list of streams, in the order of their names.
CREATE INDEX events_that_begin_streams ON "disco".events (stream) WHERE version = 1;

CREATE TABLE "disco".tags (
    tag text COLLATE "C" NOT NULL,
    position bigint NOT NULL,
    CONSTRAINT tags_by_tag PRIMARY KEY (tag, position)
);

-- Streams that cannot be read, or take no appends; all others have no row here.
CREATE TABLE "disco".concealed_streams (
    stream text COLLATE "C" PRIMARY KEY,
    deleted_at timestamptz,                -- hidden, and closed to appends, until restored
    closed boolean NOT NULL DEFAULT false  -- erased, and closed to appends for good
);

CREATE TABLE "disco".keys (
    key text COLLATE "C" PRIMARY KEY,
    fingerprint text COLLATE "C" NOT NULL,
    first_position bigint NOT NULL,
    events bigint NOT NULL,                -- how many, from first_position on
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

-- The narrow way in: while a stream stands here, inside one transaction, its events may be blanked.
CREATE TABLE "disco".permits (
    stream text COLLATE "C" PRIMARY KEY
);

CREATE FUNCTION "disco".refuse() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION 'disco: what is recorded is never changed or removed (% on %)', TG_OP, TG_TABLE_NAME
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
        RAISE EXCEPTION 'disco: what is recorded is never changed or removed (% on %)', TG_OP, TG_TABLE_NAME
            USING ERRCODE = 'restrict_violation';
    END IF;
    RETURN NEW;
END $$;

-- Positions have no gap because one function counts them; rows come through it alone. It says so by a setting, which
-- every role may use: this guards against accidents, as all of these triggers do, and not against the tables' owner.
CREATE FUNCTION "disco".refuse_by_hand() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION 'disco: events are recorded by the function append (% on %)', TG_OP, TG_TABLE_NAME
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
    -- Erasing takes the tags away, inside the transaction that has its permit.
    IF TG_OP = 'DELETE' AND EXISTS (
        SELECT 1 FROM "disco".events e JOIN "disco".permits p ON p.stream = e.stream WHERE e.position = OLD.position)
    THEN
        RETURN OLD;
    END IF;
    RAISE EXCEPTION 'disco: what is recorded is never changed or removed (% on %)', TG_OP, TG_TABLE_NAME
        USING ERRCODE = 'restrict_violation';
END $$;

CREATE TRIGGER tags_change BEFORE UPDATE OR DELETE ON "disco".tags
    FOR EACH ROW EXECUTE FUNCTION "disco".refuse_other_tags();
CREATE TRIGGER tags_truncate BEFORE TRUNCATE ON "disco".tags FOR EACH STATEMENT EXECUTE FUNCTION "disco".refuse();

CREATE TRIGGER tags_insert BEFORE INSERT ON "disco".tags FOR EACH STATEMENT
    WHEN (current_setting('disco.appending', true) IS DISTINCT FROM 'on') EXECUTE FUNCTION "disco".refuse_by_hand();

-- The last version of a stream that was recorded at this position or before, 0 for none: versions have no gap and the
-- order of positions, so halving finds it without an index of its own.
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

-- The first event after `behind` that an item of a query matches: each kind of item walks along its own index.
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
            -- So that the index of types alone has the order, and not that of positions, which leads through everything
            -- else.
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

-- The tags of each event of a batch, in the order of the events: null for one that has none. Each event stands in tag_event
-- at least once, with a null in the place of a tag where it has none.
CREATE FUNCTION "disco".tags_of(tag_names text[], tag_event integer[], events integer) RETURNS SETOF text[]
LANGUAGE plpgsql STABLE AS $$
BEGIN
    IF cardinality(tag_names) = events THEN
        -- One for each, as most have it: no grouping.
        RETURN QUERY SELECT CASE WHEN t.tag IS NOT NULL THEN ARRAY[t.tag] END FROM unnest(tag_names) AS t(tag);
        RETURN;
    END IF;
    RETURN QUERY SELECT array_agg(t.tag ORDER BY t.n) FILTER (WHERE t.tag IS NOT NULL)
        FROM unnest(tag_names, tag_event) WITH ORDINALITY AS t(tag, event, n) GROUP BY t.event ORDER BY t.event;
END $$;

-- Records a batch of appends that do not depend on each other, each whole or not at all.
--
-- Appends and streams are referred to by their place in the batch, from 1: each append has append_events events, each
-- event its append, the place of that one's first event, its stream, and its number among the batch's events of that
-- stream. What must hold before an append (expected_*) has one entry for each append and stream: -1 any, -2 no stream,
-- -3 an existing one, otherwise the version. Conditions have one entry for each item of their queries: types, tags,
-- category and stream as JSON, null where nothing is demanded. Tags stand in tag_names with their event in tag_event, as
-- `tags_of` takes them, and true in tag_again where the event has that tag before. Arrays are null where the batch has nothing of the kind.
--
-- Ids that are recorded already end the call with unique_violation, unless repeats_ids says to look for them first:
-- that is rare, and looking costs every batch.
--
-- Answers with one row. An append that is not among the refused was recorded: the caller counts positions on from
-- last_position and versions from heads, over the events of these appends. Refused are, with what is known of them:
--   K, I recorded before under its key or ids: `numbers` events from `places` on
--   X its key was used for something else        D the event `ids` is recorded, and not as this append
--   G its stream of place `numbers` is deleted   V it expected other versions than those in `shown`
--   C its condition fails for `ids` at `places`
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
    -- The first statement: each of the following sees everything that was committed before the lock was had.
    PERFORM pg_advisory_xact_lock(hashtextextended('disco event store "disco"', 0));

    SELECT e.position, e.recorded_at INTO last_position, now_at FROM "disco".events e ORDER BY e.position DESC LIMIT 1;
    last_position := coalesce(last_position, 0);
    -- Later than what was said to be settled.
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
            -- A repeat has the same events in the same streams and order, and no other event came with them.
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

    -- What was recorded before is a repeat, whatever has happened to its streams since.
    IF refused IS NOT NULL AND NOT repeats_ids AND EXISTS (
        SELECT 1 FROM unnest(event_append, event_ids) AS u(append, id) JOIN "disco".events e ON e.id = u.id
        WHERE u.append = ANY (refused))
    THEN
        RAISE EXCEPTION 'disco: an id is recorded already' USING ERRCODE = 'unique_violation';
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
        -- Those that are recorded move up.
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
        -- One that was recorded before without its key takes effect once under the key too.
        IF 'I' = ANY (reasons) THEN
            INSERT INTO "disco".keys (key, fingerprint, first_position, events, recorded_at)
            SELECT append_keys[r.append], append_fingerprints[r.append], r.place, r.events, now_at
            FROM unnest(refused, reasons, places, numbers) AS r(append, reason, place, events)
            WHERE r.reason = 'I' AND append_keys[r.append] IS NOT NULL;
        END IF;
    END IF;

    IF 'K' = ANY (reasons) OR 'I' = ANY (reasons) THEN
        -- "Recorded before" is an acknowledgement too: something to commit makes it wait for the standby as the first
        -- one did.
        PERFORM pg_logical_emit_message(true, 'disco', '');
    END IF;
    IF expected_append IS NULL OR NOT coalesce('V' = ANY (reasons), false) THEN
        shown := NULL;
    END IF;
END $$;

-- The short way of one event that comes alone, without key and condition: half the time of a batch of one. Where
-- anything but a recorded id stands in its way it records nothing and answers null; `append` then tells what it is.
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
    -- The first statement, as in `append`.
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

-- Brings the time up to which everything is visible up to the present: whatever is appended after this is later.
CREATE FUNCTION "disco".settle() RETURNS void LANGUAGE plpgsql VOLATILE AS $$
BEGIN
    -- The first statement, as in `append`.
    PERFORM pg_advisory_xact_lock(hashtextextended('disco event store "disco"', 0));
    UPDATE "disco".store SET settled_at = greatest(settled_at, clock_timestamp());
END $$;

-- The last position that was recorded at this time or before: times never run backwards with the position, and
-- positions have no gap, so halving finds it without an index.
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
