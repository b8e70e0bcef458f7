--
-- PostgreSQL database dump
--

\restrict dkoEjNBgybLwIT0whhMqb1qO6wAbsAQbzDgCaWpGtVtQDzZonf9aCS6izhJ17um

-- Dumped from database version 15.18 (Debian 15.18-0+deb12u1)
-- Dumped by pg_dump version 15.18 (Debian 15.18-0+deb12u1)

SET statement_timeout = 0;
SET lock_timeout = 0;
SET idle_in_transaction_session_timeout = 0;
SET client_encoding = 'UTF8';
SET standard_conforming_strings = on;
SELECT pg_catalog.set_config('search_path', '', false);
SET check_function_bodies = false;
SET xmloption = content;
SET client_min_messages = warning;
SET row_security = off;

--
-- Name: disco; Type: SCHEMA; Schema: -; Owner: -
--

CREATE SCHEMA disco;


--
-- Name: append(text[], text[], integer[], text[], integer[], integer[], integer[], integer[], text[], text[], smallint[], text[], integer[], uuid[], text[], text[], uuid[], uuid[], text[], integer[], boolean[], boolean, integer[], integer[], bigint[], integer[], bigint[], text[]); Type: FUNCTION; Schema: disco; Owner: -
--

CREATE FUNCTION disco.append(append_keys text[], append_fingerprints text[], append_events integer[], streams text[], event_append integer[], event_first integer[], event_stream integer[], event_number integer[], event_streams text[], event_categories text[], event_slices smallint[], event_types text[], event_type_versions integer[], event_ids uuid[], event_payloads text[], event_metadata text[], event_correlations uuid[], event_causations uuid[], tag_names text[], tag_event integer[], tag_again boolean[], repeats_ids boolean, expected_append integer[], expected_stream integer[], expected_version bigint[], condition_append integer[], condition_after bigint[], condition_queries text[], OUT last_position bigint, OUT heads bigint[], OUT shown bigint[], OUT refused integer[], OUT reasons text[], OUT places bigint[], OUT numbers bigint[], OUT ids uuid[]) RETURNS record
    LANGUAGE plpgsql
    SET enable_seqscan TO 'off'
    SET enable_bitmapscan TO 'off'
    SET jit TO 'off'
    SET plan_cache_mode TO 'force_generic_plan'
    AS $$
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


--
-- Name: append_one(text, text, smallint, text, integer, uuid, text, text, uuid, uuid, text[], bigint); Type: FUNCTION; Schema: disco; Owner: -
--

CREATE FUNCTION disco.append_one(new_stream text, new_category text, new_slice smallint, new_type text, new_type_version integer, new_id uuid, new_payload text, new_metadata text, new_correlation uuid, new_causation uuid, new_tags text[], expected bigint, OUT new_position bigint, OUT new_version bigint) RETURNS record
    LANGUAGE plpgsql
    SET enable_seqscan TO 'off'
    SET enable_bitmapscan TO 'off'
    SET jit TO 'off'
    SET plan_cache_mode TO 'force_generic_plan'
    AS $$
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


--
-- Name: first_match(text[], text[], text, text, bigint); Type: FUNCTION; Schema: disco; Owner: -
--

CREATE FUNCTION disco.first_match(types text[], tags text[], category text, stream text, behind bigint, OUT match_position bigint, OUT match_id uuid) RETURNS record
    LANGUAGE plpgsql STABLE
    SET enable_seqscan TO 'off'
    SET enable_bitmapscan TO 'off'
    SET jit TO 'off'
    SET plan_cache_mode TO 'force_generic_plan'
    AS $$
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


--
-- Name: position_as_of(timestamp with time zone); Type: FUNCTION; Schema: disco; Owner: -
--

CREATE FUNCTION disco.position_as_of(at timestamp with time zone) RETURNS bigint
    LANGUAGE plpgsql STABLE
    AS $$
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


--
-- Name: refuse(); Type: FUNCTION; Schema: disco; Owner: -
--

CREATE FUNCTION disco.refuse() RETURNS trigger
    LANGUAGE plpgsql
    AS $$
BEGIN
    RAISE EXCEPTION 'disco: % on % is not allowed: recorded data is never changed or removed', TG_OP, TG_TABLE_NAME
        USING ERRCODE = 'restrict_violation';
END $$;


--
-- Name: refuse_but_erasing(); Type: FUNCTION; Schema: disco; Owner: -
--

CREATE FUNCTION disco.refuse_but_erasing() RETURNS trigger
    LANGUAGE plpgsql
    AS $$
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


--
-- Name: refuse_by_hand(); Type: FUNCTION; Schema: disco; Owner: -
--

CREATE FUNCTION disco.refuse_by_hand() RETURNS trigger
    LANGUAGE plpgsql
    AS $$
BEGIN
    RAISE EXCEPTION 'disco: % on % is not allowed: use the function append', TG_OP, TG_TABLE_NAME
        USING ERRCODE = 'restrict_violation';
END $$;


--
-- Name: refuse_other_tags(); Type: FUNCTION; Schema: disco; Owner: -
--

CREATE FUNCTION disco.refuse_other_tags() RETURNS trigger
    LANGUAGE plpgsql
    AS $$
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


--
-- Name: settle(); Type: FUNCTION; Schema: disco; Owner: -
--

CREATE FUNCTION disco.settle() RETURNS void
    LANGUAGE plpgsql
    AS $$
BEGIN
    -- Must come first, as in `append`.
    PERFORM pg_advisory_xact_lock(hashtextextended('disco event store "disco"', 0));
    UPDATE "disco".store SET settled_at = greatest(settled_at, clock_timestamp());
END $$;


--
-- Name: tags_of(text[], integer[], integer); Type: FUNCTION; Schema: disco; Owner: -
--

CREATE FUNCTION disco.tags_of(tag_names text[], tag_event integer[], events integer) RETURNS SETOF text[]
    LANGUAGE plpgsql STABLE
    AS $$
BEGIN
    IF cardinality(tag_names) = events THEN
        -- One entry per event, the usual case: no grouping needed.
        RETURN QUERY SELECT CASE WHEN t.tag IS NOT NULL THEN ARRAY[t.tag] END FROM unnest(tag_names) AS t(tag);
        RETURN;
    END IF;
    RETURN QUERY SELECT array_agg(t.tag ORDER BY t.n) FILTER (WHERE t.tag IS NOT NULL)
        FROM unnest(tag_names, tag_event) WITH ORDINALITY AS t(tag, event, n) GROUP BY t.event ORDER BY t.event;
END $$;


--
-- Name: version_at(text, bigint); Type: FUNCTION; Schema: disco; Owner: -
--

CREATE FUNCTION disco.version_at(name text, place bigint) RETURNS bigint
    LANGUAGE plpgsql STABLE
    SET enable_seqscan TO 'off'
    SET enable_bitmapscan TO 'off'
    SET jit TO 'off'
    SET plan_cache_mode TO 'force_generic_plan'
    AS $$
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


SET default_tablespace = '';

SET default_table_access_method = heap;

--
-- Name: concealed_streams; Type: TABLE; Schema: disco; Owner: -
--

CREATE TABLE disco.concealed_streams (
    stream text NOT NULL COLLATE pg_catalog."C",
    deleted_at timestamp with time zone,
    closed boolean DEFAULT false NOT NULL
);


--
-- Name: disco_migrations; Type: TABLE; Schema: disco; Owner: -
--

CREATE TABLE disco.disco_migrations (
    number bigint NOT NULL,
    name text NOT NULL,
    checksum text NOT NULL,
    applied_at timestamp with time zone DEFAULT clock_timestamp() NOT NULL
);


--
-- Name: events; Type: TABLE; Schema: disco; Owner: -
--

CREATE TABLE disco.events (
    "position" bigint NOT NULL,
    stream text NOT NULL COLLATE pg_catalog."C",
    version bigint NOT NULL,
    category text NOT NULL COLLATE pg_catalog."C",
    type text NOT NULL COLLATE pg_catalog."C",
    type_version integer NOT NULL,
    id uuid NOT NULL,
    payload json NOT NULL,
    payload_bytes integer NOT NULL,
    content_type text,
    metadata json,
    correlation_id uuid,
    causation_id uuid,
    tags text[] COLLATE pg_catalog."C",
    slice smallint NOT NULL,
    append_id bigint NOT NULL,
    recorded_at timestamp with time zone NOT NULL,
    erased_at timestamp with time zone
);


--
-- Name: keys; Type: TABLE; Schema: disco; Owner: -
--

CREATE TABLE disco.keys (
    key text NOT NULL COLLATE pg_catalog."C",
    fingerprint text NOT NULL COLLATE pg_catalog."C",
    first_position bigint NOT NULL,
    events bigint NOT NULL,
    recorded_at timestamp with time zone NOT NULL
);


--
-- Name: permits; Type: TABLE; Schema: disco; Owner: -
--

CREATE TABLE disco.permits (
    stream text NOT NULL COLLATE pg_catalog."C"
);


--
-- Name: snapshots; Type: TABLE; Schema: disco; Owner: -
--

CREATE TABLE disco.snapshots (
    stream text NOT NULL COLLATE pg_catalog."C",
    name text NOT NULL COLLATE pg_catalog."C",
    fingerprint text NOT NULL COLLATE pg_catalog."C",
    version bigint NOT NULL,
    state text NOT NULL,
    saved_at timestamp with time zone DEFAULT clock_timestamp() NOT NULL
);


--
-- Name: store; Type: TABLE; Schema: disco; Owner: -
--

CREATE TABLE disco.store (
    id uuid NOT NULL,
    epoch bigint NOT NULL,
    settled_at timestamp with time zone
);


--
-- Name: tags; Type: TABLE; Schema: disco; Owner: -
--

CREATE TABLE disco.tags (
    tag text NOT NULL COLLATE pg_catalog."C",
    "position" bigint NOT NULL
);


--
-- Data for Name: concealed_streams; Type: TABLE DATA; Schema: disco; Owner: -
--

COPY disco.concealed_streams (stream, deleted_at, closed) FROM stdin;
\.


--
-- Data for Name: disco_migrations; Type: TABLE DATA; Schema: disco; Owner: -
--

COPY disco.disco_migrations (number, name, checksum, applied_at) FROM stdin;
1	postgres_0001_event_store.sql	76f03adc34c61a80	2026-11-28 14:59:15.175896+00
\.


--
-- Data for Name: events; Type: TABLE DATA; Schema: disco; Owner: -
--

COPY disco.events ("position", stream, version, category, type, type_version, id, payload, payload_bytes, content_type, metadata, correlation_id, causation_id, tags, slice, append_id, recorded_at, erased_at) FROM stdin;
1	wallet-1	1	wallet	WalletOpened	1	01a222aa-e669-7376-be24-394eb9ab78aa	{"owner": "Ada"}	16	\N	\N	\N	\N	{owner:ada}	230	1	2026-11-28 14:59:15.184622+00	\N
2	wallet-2	1	wallet	WalletOpened	1	01a222aa-e6cd-7d19-8acc-0d45836e9ea7	{"owner": "Grace"}	18	\N	\N	\N	\N	{owner:grace,vip}	819	2	2026-11-28 14:59:15.283093+00	\N
3	wallet-1	2	wallet	MoneyDeposited	1	01a222aa-e72d-764f-ad02-5e638df9655e	{"amount": 1.50}	16	\N	\N	\N	\N	\N	230	3	2026-11-28 14:59:15.380303+00	\N
4	wallet-1	3	wallet	MoneyDeposited	1	01a222aa-e78f-7a08-975c-e5ba3d3ddf3d	{"amount": 2.00}	16	\N	\N	\N	\N	\N	230	4	2026-11-28 14:59:15.477059+00	\N
5	wallet-1	4	wallet	MoneyDeposited	1	01a222aa-e7f1-7e83-9dc3-44883b7c7538	{"amount": 12345678901234567890.123}	36	\N	\N	\N	\N	\N	230	5	2026-11-28 14:59:15.575847+00	\N
\.


--
-- Data for Name: keys; Type: TABLE DATA; Schema: disco; Owner: -
--

COPY disco.keys (key, fingerprint, first_position, events, recorded_at) FROM stdin;
\.


--
-- Data for Name: permits; Type: TABLE DATA; Schema: disco; Owner: -
--

COPY disco.permits (stream) FROM stdin;
\.


--
-- Data for Name: snapshots; Type: TABLE DATA; Schema: disco; Owner: -
--

COPY disco.snapshots (stream, name, fingerprint, version, state, saved_at) FROM stdin;
\.


--
-- Data for Name: store; Type: TABLE DATA; Schema: disco; Owner: -
--

COPY disco.store (id, epoch, settled_at) FROM stdin;
d0449410-5b94-4595-a3c1-96a95698c614	1	\N
\.


--
-- Data for Name: tags; Type: TABLE DATA; Schema: disco; Owner: -
--

COPY disco.tags (tag, "position") FROM stdin;
owner:ada	1
owner:grace	2
vip	2
\.


--
-- Name: concealed_streams concealed_streams_pkey; Type: CONSTRAINT; Schema: disco; Owner: -
--

ALTER TABLE ONLY disco.concealed_streams
    ADD CONSTRAINT concealed_streams_pkey PRIMARY KEY (stream);


--
-- Name: disco_migrations disco_migrations_pkey; Type: CONSTRAINT; Schema: disco; Owner: -
--

ALTER TABLE ONLY disco.disco_migrations
    ADD CONSTRAINT disco_migrations_pkey PRIMARY KEY (number);


--
-- Name: events events_by_position; Type: CONSTRAINT; Schema: disco; Owner: -
--

ALTER TABLE ONLY disco.events
    ADD CONSTRAINT events_by_position PRIMARY KEY ("position");


--
-- Name: keys keys_pkey; Type: CONSTRAINT; Schema: disco; Owner: -
--

ALTER TABLE ONLY disco.keys
    ADD CONSTRAINT keys_pkey PRIMARY KEY (key);


--
-- Name: permits permits_pkey; Type: CONSTRAINT; Schema: disco; Owner: -
--

ALTER TABLE ONLY disco.permits
    ADD CONSTRAINT permits_pkey PRIMARY KEY (stream);


--
-- Name: snapshots snapshots_pkey; Type: CONSTRAINT; Schema: disco; Owner: -
--

ALTER TABLE ONLY disco.snapshots
    ADD CONSTRAINT snapshots_pkey PRIMARY KEY (stream, name, fingerprint);


--
-- Name: tags tags_by_tag; Type: CONSTRAINT; Schema: disco; Owner: -
--

ALTER TABLE ONLY disco.tags
    ADD CONSTRAINT tags_by_tag PRIMARY KEY (tag, "position");


--
-- Name: events_by_category; Type: INDEX; Schema: disco; Owner: -
--

CREATE INDEX events_by_category ON disco.events USING btree (category, "position");


--
-- Name: events_by_id; Type: INDEX; Schema: disco; Owner: -
--

CREATE UNIQUE INDEX events_by_id ON disco.events USING btree (id);


--
-- Name: events_by_stream; Type: INDEX; Schema: disco; Owner: -
--

CREATE UNIQUE INDEX events_by_stream ON disco.events USING btree (stream, version);


--
-- Name: events_by_type; Type: INDEX; Schema: disco; Owner: -
--

CREATE INDEX events_by_type ON disco.events USING btree (type, "position");


--
-- Name: events_that_begin_streams; Type: INDEX; Schema: disco; Owner: -
--

CREATE INDEX events_that_begin_streams ON disco.events USING btree (stream) WHERE (version = 1);


--
-- Name: events events_delete; Type: TRIGGER; Schema: disco; Owner: -
--

CREATE TRIGGER events_delete BEFORE DELETE ON disco.events FOR EACH ROW EXECUTE FUNCTION disco.refuse();


--
-- Name: events events_insert; Type: TRIGGER; Schema: disco; Owner: -
--

CREATE TRIGGER events_insert BEFORE INSERT ON disco.events FOR EACH STATEMENT WHEN ((current_setting('disco.appending'::text, true) IS DISTINCT FROM 'on'::text)) EXECUTE FUNCTION disco.refuse_by_hand();


--
-- Name: events events_truncate; Type: TRIGGER; Schema: disco; Owner: -
--

CREATE TRIGGER events_truncate BEFORE TRUNCATE ON disco.events FOR EACH STATEMENT EXECUTE FUNCTION disco.refuse();


--
-- Name: events events_update; Type: TRIGGER; Schema: disco; Owner: -
--

CREATE TRIGGER events_update BEFORE UPDATE ON disco.events FOR EACH ROW EXECUTE FUNCTION disco.refuse_but_erasing();


--
-- Name: tags tags_change; Type: TRIGGER; Schema: disco; Owner: -
--

CREATE TRIGGER tags_change BEFORE DELETE OR UPDATE ON disco.tags FOR EACH ROW EXECUTE FUNCTION disco.refuse_other_tags();


--
-- Name: tags tags_insert; Type: TRIGGER; Schema: disco; Owner: -
--

CREATE TRIGGER tags_insert BEFORE INSERT ON disco.tags FOR EACH STATEMENT WHEN ((current_setting('disco.appending'::text, true) IS DISTINCT FROM 'on'::text)) EXECUTE FUNCTION disco.refuse_by_hand();


--
-- Name: tags tags_truncate; Type: TRIGGER; Schema: disco; Owner: -
--

CREATE TRIGGER tags_truncate BEFORE TRUNCATE ON disco.tags FOR EACH STATEMENT EXECUTE FUNCTION disco.refuse();


--
-- PostgreSQL database dump complete
--

\unrestrict dkoEjNBgybLwIT0whhMqb1qO6wAbsAQbzDgCaWpGtVtQDzZonf9aCS6izhJ17um

