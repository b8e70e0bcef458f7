PRAGMA foreign_keys=OFF;
BEGIN TRANSACTION;
CREATE TABLE disco_migrations (
    number INTEGER PRIMARY KEY, name TEXT NOT NULL, checksum TEXT NOT NULL, applied_at TEXT NOT NULL) STRICT;
INSERT INTO disco_migrations VALUES(1,'sqlite_0001_event_store.sql','fb5bb8b8d4b90767','2026-11-28T14:11:57.6767367Z');
CREATE TABLE disco_store (
    id BLOB NOT NULL,
    epoch INTEGER NOT NULL,
    settled_at INTEGER                -- events recorded from now on are later than this (microseconds since 1970)
) STRICT;
INSERT INTO disco_store VALUES(X'56b5fe2126fc52b356ac45eb8de97742',1,NULL);
CREATE TABLE disco_categories (
    key INTEGER PRIMARY KEY,
    name TEXT NOT NULL UNIQUE
) STRICT;
INSERT INTO disco_categories VALUES(1,'wallet');
CREATE TABLE disco_types (
    key INTEGER PRIMARY KEY,
    name TEXT NOT NULL UNIQUE
) STRICT;
INSERT INTO disco_types VALUES(1,'WalletOpened');
INSERT INTO disco_types VALUES(2,'MoneyDeposited');
CREATE TABLE disco_streams (
    key INTEGER PRIMARY KEY,
    name TEXT NOT NULL UNIQUE,
    category INTEGER NOT NULL REFERENCES disco_categories,
    deleted_at INTEGER,               -- hidden, and closed to appends, until restored
    closed INTEGER NOT NULL DEFAULT 0 -- erased, and closed to appends for good
) STRICT;
INSERT INTO disco_streams VALUES(1,'wallet-1',1,NULL,0);
INSERT INTO disco_streams VALUES(2,'wallet-2',1,NULL,0);
CREATE TABLE disco_events (
    position INTEGER PRIMARY KEY,
    stream INTEGER NOT NULL REFERENCES disco_streams,
    version INTEGER NOT NULL,
    category INTEGER NOT NULL REFERENCES disco_categories,
    type INTEGER NOT NULL REFERENCES disco_types,
    type_version INTEGER NOT NULL,
    id BLOB NOT NULL,
    payload TEXT NOT NULL,        -- JSON, byte for byte as it was appended
    content_type TEXT,            -- NULL: application/json
    metadata TEXT,
    correlation_id BLOB,
    causation_id BLOB,
    tags TEXT,                    -- a JSON array, in the order given; disco_tags is for finding them
    slice INTEGER NOT NULL,       -- FNV-1a 64 of the stream's name, modulo 1024
    append_id INTEGER NOT NULL,   -- the first position of the append
    recorded_at INTEGER NOT NULL, -- microseconds since 1970, never less than that of the event before
    erased_at INTEGER             -- payload, metadata and tags were blanked then
) STRICT;
INSERT INTO disco_events VALUES(1,1,1,1,1,1,X'01a2227f9a717bad8d4afc9498faa539','{"owner": "Ada"}',NULL,NULL,NULL,NULL,'["owner:ada"]',230,1,1795875117683770,NULL);
INSERT INTO disco_events VALUES(2,2,1,1,1,1,X'01a2227f9aa67d6fb6c20df0f3fcc682','{"owner": "Grace"}',NULL,NULL,NULL,NULL,'["owner:grace","vip"]',819,2,1795875117735875,NULL);
INSERT INTO disco_events VALUES(3,1,2,1,2,1,X'01a2227f9adb770ca169efcce5c6a256','{"amount": 1.50}',NULL,NULL,NULL,NULL,NULL,230,3,1795875117789214,NULL);
INSERT INTO disco_events VALUES(4,1,3,1,2,1,X'01a2227f9b1071a69288486c9aab795b','{"amount": 2.00}',NULL,NULL,NULL,NULL,NULL,230,4,1795875117842456,NULL);
INSERT INTO disco_events VALUES(5,1,4,1,2,1,X'01a2227f9b4177d2ad70c195500de012','{"amount": 12345678901234567890.123}',NULL,NULL,NULL,NULL,NULL,230,5,1795875117891528,NULL);
CREATE TABLE disco_tags (
    tag TEXT NOT NULL,
    position INTEGER NOT NULL REFERENCES disco_events,
    PRIMARY KEY (tag, position)
) STRICT, WITHOUT ROWID;
INSERT INTO disco_tags VALUES('owner:ada',1);
INSERT INTO disco_tags VALUES('owner:grace',2);
INSERT INTO disco_tags VALUES('vip',2);
CREATE TABLE disco_keys (
    key TEXT PRIMARY KEY,
    fingerprint TEXT NOT NULL,
    first_position INTEGER NOT NULL,
    events INTEGER NOT NULL,      -- how many, from first_position on
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
CREATE TABLE disco_permits (
    stream INTEGER PRIMARY KEY
) STRICT;
CREATE INDEX disco_streams_by_category ON disco_streams (category, name);
CREATE INDEX disco_streams_hidden ON disco_streams (key) WHERE deleted_at IS NOT NULL;
CREATE UNIQUE INDEX disco_events_by_stream ON disco_events (stream, version);
CREATE UNIQUE INDEX disco_events_by_id ON disco_events (id);
CREATE INDEX disco_events_by_type ON disco_events (type, position);
CREATE INDEX disco_events_by_category ON disco_events (category, position);
CREATE TRIGGER disco_events_insert BEFORE INSERT ON disco_events
WHEN NEW.position IS NOT (SELECT coalesce(max(position), 0) + 1 FROM disco_events)
    OR NEW.version IS NOT (SELECT coalesce(max(version), 0) + 1 FROM disco_events WHERE stream = NEW.stream)
    OR EXISTS (SELECT 1 FROM disco_events WHERE id = NEW.id)
BEGIN
    SELECT RAISE(ABORT, 'disco: an event goes to the next position and version, under an id of its own');
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
    SELECT RAISE(ABORT, 'disco: events are never changed');
END;
CREATE TRIGGER disco_events_delete BEFORE DELETE ON disco_events
BEGIN
    SELECT RAISE(ABORT, 'disco: events are never removed');
END;
CREATE TRIGGER disco_tags_insert BEFORE INSERT ON disco_tags
WHEN NEW.position IS NOT (SELECT max(position) FROM disco_events)
    OR NOT EXISTS (
        SELECT 1 FROM disco_events e, json_each(e.tags) j WHERE e.position = NEW.position AND j.value = NEW.tag)
BEGIN
    SELECT RAISE(ABORT, 'disco: tags come with their event');
END;
CREATE TRIGGER disco_tags_update BEFORE UPDATE ON disco_tags
BEGIN
    SELECT RAISE(ABORT, 'disco: tags are never changed');
END;
CREATE TRIGGER disco_tags_delete BEFORE DELETE ON disco_tags
WHEN NOT EXISTS (
    SELECT 1 FROM disco_permits p JOIN disco_events e ON e.stream = p.stream WHERE e.position = OLD.position)
BEGIN
    SELECT RAISE(ABORT, 'disco: tags are never removed');
END;
CREATE TRIGGER disco_streams_insert BEFORE INSERT ON disco_streams
WHEN EXISTS (SELECT 1 FROM disco_streams WHERE name = NEW.name OR key = NEW.key)
BEGIN
    SELECT RAISE(ABORT, 'disco: streams are never replaced');
END;
CREATE TRIGGER disco_streams_update BEFORE UPDATE OF key, name, category ON disco_streams
BEGIN
    SELECT RAISE(ABORT, 'disco: streams are never renamed');
END;
CREATE TRIGGER disco_streams_delete BEFORE DELETE ON disco_streams
BEGIN
    SELECT RAISE(ABORT, 'disco: streams are never removed');
END;
CREATE TRIGGER disco_types_insert BEFORE INSERT ON disco_types
WHEN EXISTS (SELECT 1 FROM disco_types WHERE name = NEW.name OR key = NEW.key)
BEGIN
    SELECT RAISE(ABORT, 'disco: event types are never replaced');
END;
CREATE TRIGGER disco_types_update BEFORE UPDATE ON disco_types
BEGIN
    SELECT RAISE(ABORT, 'disco: event types are never renamed');
END;
CREATE TRIGGER disco_types_delete BEFORE DELETE ON disco_types
BEGIN
    SELECT RAISE(ABORT, 'disco: event types are never removed');
END;
CREATE TRIGGER disco_categories_insert BEFORE INSERT ON disco_categories
WHEN EXISTS (SELECT 1 FROM disco_categories WHERE name = NEW.name OR key = NEW.key)
BEGIN
    SELECT RAISE(ABORT, 'disco: categories are never replaced');
END;
CREATE TRIGGER disco_categories_update BEFORE UPDATE ON disco_categories
BEGIN
    SELECT RAISE(ABORT, 'disco: categories are never renamed');
END;
CREATE TRIGGER disco_categories_delete BEFORE DELETE ON disco_categories
BEGIN
    SELECT RAISE(ABORT, 'disco: categories are never removed');
END;
COMMIT;
