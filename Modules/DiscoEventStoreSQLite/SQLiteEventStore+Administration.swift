#if SQLite
public import DiscoCore
import DiscoEventStore
public import Foundation
import GRDB

extension SQLiteEventStore: StreamDeletion {
    public func isDeleted(_ stream: StreamID) async throws -> Bool {
        try NameCheck.argument.check(stream)
        return try await database.read { db in
            try Bool.fetchOne(
                db.cachedStatement(sql: "SELECT deleted_at IS NOT NULL FROM disco_streams WHERE name = ?"),
                arguments: [stream.name]) ?? false
        }
    }

    public func delete(_ stream: StreamID) async throws {
        try NameCheck.argument.check(stream)
        let now = Timestamp.microseconds(of: context.now())
        try await database.write { db in
            let key = try Self.key(of: stream, db).key
            try db.execute(
                sql: "UPDATE disco_streams SET deleted_at = coalesce(deleted_at, ?) WHERE key = ?",
                arguments: [now, key])
        }
    }

    public func restore(_ stream: StreamID) async throws {
        try NameCheck.argument.check(stream)
        try await database.write { db in
            let known = try Self.key(of: stream, db)
            if known.closed { throw StreamDeleted(stream: stream) }
            try db.execute(sql: "UPDATE disco_streams SET deleted_at = NULL WHERE key = ?", arguments: [known.key])
        }
    }

    public func erase(_ stream: StreamID, close: Bool) async throws {
        try NameCheck.argument.check(stream)
        guard settings.allowsErasing else { throw EventStoreError.erasingNotAllowed("Settings.allowsErasing") }
        let now = Timestamp.microseconds(of: context.now())
        try await database.write { db in
            let known = try Self.key(of: stream, db)
            let close = close || known.closed
            try db.execute(sql: "INSERT INTO disco_permits VALUES (?)", arguments: [known.key])
            try db.execute(
                sql: """
                    DELETE FROM disco_tags WHERE (tag, position) IN (
                        SELECT j.value, e.position FROM disco_events e, json_each(e.tags) j
                        WHERE e.stream = ? AND e.erased_at IS NULL)
                    """,
                arguments: [known.key])
            try db.execute(
                sql: """
                    UPDATE disco_events SET payload = 'null', metadata = NULL, correlation_id = NULL, causation_id = NULL,
                        tags = NULL, erased_at = ?
                    WHERE stream = ? AND erased_at IS NULL
                    """, arguments: [now, known.key])
            try db.execute(sql: "DELETE FROM disco_permits WHERE stream = ?", arguments: [known.key])
            try db.execute(
                sql: "UPDATE disco_streams SET deleted_at = NULL, closed = ? WHERE key = ?",
                arguments: [close, known.key])
            try db.execute(sql: "DELETE FROM disco_snapshots WHERE stream = ?", arguments: [stream.name])
        }
    }

    private static func key(of stream: StreamID, _ db: Database) throws -> (key: Int64, closed: Bool) {
        let row = try Row.fetchOne(
            db, sql: "SELECT key, closed FROM disco_streams WHERE name = ?", arguments: [stream.name])
        guard let row else { throw EventStoreError.unknownStream(stream) }
        return (row[0], row[1])
    }
}

extension SQLiteEventStore: SnapshotStore {
    public func snapshot(_ key: SnapshotKey) async throws -> Snapshot? {
        try key.check()
        return try await database.read { db in
            try Row.fetchOne(
                db.cachedStatement(
                    sql: """
                        SELECT version, state FROM disco_snapshots WHERE stream = ? AND name = ? AND fingerprint = ?
                        """), arguments: [key.stream.name, key.name, key.fingerprint]
            ).map { row in
                let state: String = row[1]
                return Snapshot(key: key, version: row[0], state: JSONText(unchecked: Array(state.utf8)))
            }
        }
    }

    public func save(_ snapshot: Snapshot) async throws {
        try snapshot.key.check()
        let key = snapshot.key
        let now = Timestamp.microseconds(of: context.now())
        try await database.write { db in
            try db.execute(
                sql: """
                    INSERT INTO disco_snapshots
                    SELECT ?1, ?2, ?3, e.version, ?5, ?6 FROM disco_events e JOIN disco_streams s ON s.key = e.stream
                    WHERE s.name = ?1 AND e.version = ?4 AND e.erased_at IS NULL
                    ON CONFLICT DO UPDATE SET version = excluded.version, state = excluded.state, saved_at = excluded.saved_at
                    WHERE excluded.version >= version
                    """,
                arguments: [
                    key.stream.name, key.name, key.fingerprint, snapshot.version, snapshot.state.string,
                    now,
                ])
        }
    }

    public func delete(_ key: SnapshotKey) async throws {
        try key.check()
        try await database.write { db in
            try db.execute(
                sql: "DELETE FROM disco_snapshots WHERE stream = ? AND name = ? AND fingerprint = ?",
                arguments: [key.stream.name, key.name, key.fingerprint])
        }
    }
}

extension SQLiteEventStore: IdempotencyKeyStore {
    public func recorded(under key: IdempotencyKey) async throws -> Appended? {
        try NameCheck.argument.check(key)
        return try await database.read { db in
            let row = try Row.fetchOne(
                db.cachedStatement(sql: "SELECT fingerprint, first_position, events FROM disco_keys WHERE key = ?"),
                arguments: [key.key])
            guard let row else { return nil }
            guard ExactText.areEqual(row[0], key.fingerprint) else { throw IdempotencyConflict(key: key.key) }
            return Appended(events: try SQLiteReading.recorded(row[1], row[2], db), repeated: true)
        }
    }

    public func forgetKeys(storedBefore date: Date, ofPolicies: Bool) async throws -> Int {
        let date = try NameCheck.argument.checked(date, "date before which keys are forgotten")
        var forgotten = 0
        while true {
            // A few thousand at a time, so that others can write in between.
            let some = try await database.write { db in
                try db.execute(
                    sql: """
                        DELETE FROM disco_keys WHERE key IN (
                            SELECT key FROM disco_keys WHERE recorded_at < ? AND (? OR key NOT LIKE '$%') LIMIT 5000)
                        """,
                    arguments: [Timestamp.microseconds(of: date), ofPolicies])
                return db.changesCount
            }
            if some == 0 { return forgotten }
            forgotten += some
        }
    }
}

extension SQLiteEventStore: StreamCatalog {
    public func streams(
        category: String?, prefix: String?, after: StreamID?, limit: Int
    ) async throws -> [StreamInfo] {
        try NameCheck.argument.check(category: category, prefix: prefix, after: after)
        return try await database.read { db in
            try SQLiteReading.streams(category: category, prefix: prefix, after: after, limit: limit, db)
        }
    }

    public func event(_ id: UUID) async throws -> RecordedEvent? {
        try await database.read { db in try SQLiteReading.event(id, db) }
    }
}
#endif
