-- The event store. Event rows are never removed; positions start at 1 and have no gaps.

CREATE TABLE disco_store (
    id BLOB NOT NULL,
    epoch INTEGER NOT NULL,
    settled_at INTEGER                -- new events are recorded after this time (microseconds since 1970)
) STRICT;
INSERT INTO disco_store VALUES (randomblob(16), 1, NULL);

CREATE TABLE disco_categories (
    key INTEGER PRIMARY KEY,
    name TEXT NOT NULL UNIQUE
) STRICT;

CREATE TABLE disco_types (
    key INTEGER PRIMARY KEY,
    name TEXT NOT NULL UNIQUE
) STRICT;

CREATE TABLE disco_streams (
    key INTEGER PRIMARY KEY,
    name TEXT NOT NULL UNIQUE,
    category INTEGER NOT NULL REFERENCES disco_categories,
    deleted_at INTEGER,               -- if set: hidden and closed to appends until restored
    closed INTEGER NOT NULL DEFAULT 0 -- erased and permanently closed to appends
) STRICT;
CREATE INDEX disco_streams_by_category ON disco_streams (category, name);
CREATE INDEX disco_streams_hidden ON disco_streams (key) WHERE deleted_at IS NOT NULL;

-- Names are stored once, and events refer to them by number: this writes a quarter less per event.
CREATE TABLE disco_events (
    position INTEGER PRIMARY KEY,
    stream INTEGER NOT NULL REFERENCES disco_streams,
    version INTEGER NOT NULL,
    category INTEGER NOT NULL REFERENCES disco_categories,
    type INTEGER NOT NULL REFERENCES disco_types,
    type_version INTEGER NOT NULL,
    id BLOB NOT NULL,
    payload TEXT NOT NULL,        -- JSON, byte for byte as appended
    content_type TEXT,            -- NULL means application/json
    metadata TEXT,
    correlation_id BLOB,
    causation_id BLOB,
    tags TEXT,                    -- a JSON array, in the order given; queries by tag use disco_tags
    slice INTEGER NOT NULL,       -- FNV-1a 64 of the stream's name, modulo 1024
    append_id INTEGER NOT NULL,   -- the position of the append's first event
    recorded_at INTEGER NOT NULL, -- microseconds since 1970, never less than that of the previous event
    erased_at INTEGER             -- when payload, metadata and tags were blanked
) STRICT;
CREATE UNIQUE INDEX disco_events_by_stream ON disco_events (stream, version);
CREATE UNIQUE INDEX disco_events_by_id ON disco_events (id);
CREATE INDEX disco_events_by_type ON disco_events (type, position);
CREATE INDEX disco_events_by_category ON disco_events (category, position);

CREATE TABLE disco_tags (
    tag TEXT NOT NULL,
    position INTEGER NOT NULL REFERENCES disco_events,
    PRIMARY KEY (tag, position)
) STRICT, WITHOUT ROWID;

CREATE TABLE disco_keys (
    key TEXT PRIMARY KEY,
    fingerprint TEXT NOT NULL,
    first_position INTEGER NOT NULL,
    events INTEGER NOT NULL,      -- the number of events, starting at first_position
    recorded_at INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

CREATE TABLE disco_snapshots (
    stream TEXT NOT NULL,
    name TEXT NOT NULL,
    fingerprint TEXT NOT NULL,
    version INTEGER NOT NULL,
    state TEXT NOT NULL,
    saved_at INTEGER NOT NULL,
    PRIMARY KEY (stream, name, fingerprint)
) STRICT, WITHOUT ROWID;

-- Permits to erase: the events of a stream may be blanked while it has a row here, within one transaction.
CREATE TABLE disco_permits (
    stream INTEGER PRIMARY KEY
) STRICT;

-- INSERT OR REPLACE removes rows without firing delete triggers, so this trigger refuses to replace rows.
CREATE TRIGGER disco_events_insert BEFORE INSERT ON disco_events
WHEN NEW.position IS NOT (SELECT coalesce(max(position), 0) + 1 FROM disco_events)
    OR NEW.version IS NOT (SELECT coalesce(max(version), 0) + 1 FROM disco_events WHERE stream = NEW.stream)
    OR EXISTS (SELECT 1 FROM disco_events WHERE id = NEW.id)
BEGIN
    SELECT RAISE(ABORT, 'disco: an event must have the next position, the next version and a new id');
END;

CREATE TRIGGER disco_events_update BEFORE UPDATE ON disco_events
WHEN NOT EXISTS (SELECT 1 FROM disco_permits WHERE stream = OLD.stream)
    OR NEW.position IS NOT OLD.position OR NEW.stream IS NOT OLD.stream OR NEW.version IS NOT OLD.version
    OR NEW.category IS NOT OLD.category OR NEW.type IS NOT OLD.type OR NEW.type_version IS NOT OLD.type_version
    OR NEW.id IS NOT OLD.id OR NEW.slice IS NOT OLD.slice OR NEW.append_id IS NOT OLD.append_id
    OR NEW.recorded_at IS NOT OLD.recorded_at OR NEW.payload IS NOT 'null' OR NEW.metadata IS NOT NULL
    OR NEW.correlation_id IS NOT NULL OR NEW.causation_id IS NOT NULL OR NEW.tags IS NOT NULL
    OR NEW.erased_at IS NULL
BEGIN
    SELECT RAISE(ABORT, 'disco: events cannot be changed');
END;

CREATE TRIGGER disco_events_delete BEFORE DELETE ON disco_events
BEGIN
    SELECT RAISE(ABORT, 'disco: events cannot be removed');
END;

CREATE TRIGGER disco_tags_insert BEFORE INSERT ON disco_tags
WHEN NEW.position IS NOT (SELECT max(position) FROM disco_events)
    OR NOT EXISTS (
        SELECT 1 FROM disco_events e, json_each(e.tags) j WHERE e.position = NEW.position AND j.value = NEW.tag)
BEGIN
    SELECT RAISE(ABORT, 'disco: a tag must belong to the last event');
END;

CREATE TRIGGER disco_tags_update BEFORE UPDATE ON disco_tags
BEGIN
    SELECT RAISE(ABORT, 'disco: tags cannot be changed');
END;

CREATE TRIGGER disco_tags_delete BEFORE DELETE ON disco_tags
WHEN NOT EXISTS (
    SELECT 1 FROM disco_permits p JOIN disco_events e ON e.stream = p.stream WHERE e.position = OLD.position)
BEGIN
    SELECT RAISE(ABORT, 'disco: tags cannot be removed');
END;

CREATE TRIGGER disco_streams_insert BEFORE INSERT ON disco_streams
WHEN EXISTS (SELECT 1 FROM disco_streams WHERE name = NEW.name OR key = NEW.key)
BEGIN
    SELECT RAISE(ABORT, 'disco: a stream with this name or key already exists');
END;

CREATE TRIGGER disco_streams_update BEFORE UPDATE OF key, name, category ON disco_streams
BEGIN
    SELECT RAISE(ABORT, 'disco: the key, name and category of a stream cannot be changed');
END;

CREATE TRIGGER disco_streams_delete BEFORE DELETE ON disco_streams
BEGIN
    SELECT RAISE(ABORT, 'disco: streams cannot be removed');
END;

CREATE TRIGGER disco_types_insert BEFORE INSERT ON disco_types
WHEN EXISTS (SELECT 1 FROM disco_types WHERE name = NEW.name OR key = NEW.key)
BEGIN
    SELECT RAISE(ABORT, 'disco: an event type with this name or key already exists');
END;

CREATE TRIGGER disco_types_update BEFORE UPDATE ON disco_types
BEGIN
    SELECT RAISE(ABORT, 'disco: event types cannot be changed');
END;

CREATE TRIGGER disco_types_delete BEFORE DELETE ON disco_types
BEGIN
    SELECT RAISE(ABORT, 'disco: event types cannot be removed');
END;

CREATE TRIGGER disco_categories_insert BEFORE INSERT ON disco_categories
WHEN EXISTS (SELECT 1 FROM disco_categories WHERE name = NEW.name OR key = NEW.key)
BEGIN
    SELECT RAISE(ABORT, 'disco: a category with this name or key already exists');
END;

CREATE TRIGGER disco_categories_update BEFORE UPDATE ON disco_categories
BEGIN
    SELECT RAISE(ABORT, 'disco: categories cannot be changed');
END;

CREATE TRIGGER disco_categories_delete BEFORE DELETE ON disco_categories
BEGIN
    SELECT RAISE(ABORT, 'disco: categories cannot be removed');
END;
