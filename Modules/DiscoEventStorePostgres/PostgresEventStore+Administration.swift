#if Postgres
public import DiscoCore
import DiscoEventStore
public import Foundation

extension PostgresEventStore {
    /// Runs statements in one transaction.
    private func change(_ body: @escaping @Sendable (PostgresConnection) throws -> Void) async throws {
        try Task.checkCancellation()
        // Not cancellable: a cancelled wait for the standby would acknowledge a change that is not replicated.
        try await pool.run(isRepeatable: false, isCancellable: false) { connection in
            try connection.run([.beginReadCommitted])
            do {
                try body(connection)
                try connection.commitOrDoubt()
            } catch {
                try? connection.run(script: "ROLLBACK")
                throw error
            }
        }
    }
}

extension PostgresEventStore: StreamDeletion {
    public func isDeleted(_ stream: StreamID) async throws -> Bool {
        try NameCheck.argument.check(stream)
        return try await pool.run { [settings] connection in
            try connection.run(
                settings.sql(
                    "SELECT 1 FROM \"disco\".concealed_streams WHERE stream = $1 AND deleted_at IS NOT NULL"),
                [.text(stream.name)]
            ).count > 0
        }
    }

    public func delete(_ stream: StreamID) async throws {
        try NameCheck.argument.check(stream)
        try await change { [settings] connection in
            try Self.lock(stream, settings, connection)
            _ = try connection.run(
                settings.sql(
                    """
                    INSERT INTO "disco".concealed_streams AS c (stream, deleted_at) VALUES ($1, clock_timestamp())
                    ON CONFLICT (stream) DO UPDATE SET deleted_at = coalesce(c.deleted_at, excluded.deleted_at)
                    """), [.text(stream.name)])
        }
    }

    public func restore(_ stream: StreamID) async throws {
        try NameCheck.argument.check(stream)
        try await change { [settings] connection in
            try Self.lock(stream, settings, connection)
            let closed = try connection.run(
                settings.sql("SELECT 1 FROM \"disco\".concealed_streams WHERE stream = $1 AND closed"),
                [.text(stream.name)])
            if closed.count > 0 { throw StreamDeleted(stream: stream) }
            _ = try connection.run(
                settings.sql("DELETE FROM \"disco\".concealed_streams WHERE stream = $1"), [.text(stream.name)])
        }
    }

    public func erase(_ stream: StreamID, close: Bool) async throws {
        try NameCheck.argument.check(stream)
        guard settings.allowsErasing else {
            throw EventStoreError.erasingNotAllowed("Settings.allowsErasing")
        }
        try await change { [settings] connection in
            try Self.lock(stream, settings, connection)
            let name = [PostgresValue.text(stream.name)]
            // A long stream takes time.
            func run(_ sql: String) throws {
                _ = try connection.run(settings.sql(sql), name, timeout: .seconds(600))
            }
            try run("INSERT INTO \"disco\".permits VALUES ($1)")
            try run(
                """
                DELETE FROM "disco".tags WHERE (tag, position) IN (
                    SELECT unnest(e.tags), e.position FROM "disco".events e WHERE e.stream = $1 AND e.erased_at IS NULL)
                """)
            try run(
                """
                UPDATE "disco".events SET payload = 'null', payload_bytes = 4, metadata = NULL, correlation_id = NULL,
                    causation_id = NULL, tags = NULL, erased_at = clock_timestamp()
                WHERE stream = $1 AND erased_at IS NULL
                """)
            try run("DELETE FROM \"disco\".permits WHERE stream = $1")
            try run("DELETE FROM \"disco\".snapshots WHERE stream = $1")
            if close {
                try run(
                    """
                    INSERT INTO "disco".concealed_streams (stream, closed) VALUES ($1, true)
                    ON CONFLICT (stream) DO UPDATE SET deleted_at = NULL, closed = true
                    """)
            } else {
                try run("UPDATE \"disco\".concealed_streams SET deleted_at = NULL WHERE stream = $1")
            }
        }
    }

    /// Takes the same lock as appends, and checks that the stream was ever written to.
    private static func lock(
        _ stream: StreamID, _ settings: PostgresEventStore.Settings, _ connection: PostgresConnection
    ) throws {
        _ = try connection.run(
            settings.sql("SELECT pg_advisory_xact_lock(hashtextextended('disco event store \"disco\"', 0))"))
        let known = try connection.run(
            settings.sql("SELECT 1 FROM \"disco\".events WHERE stream = $1 LIMIT 1"), [.text(stream.name)])
        if known.count == 0 { throw EventStoreError.unknownStream(stream) }
    }
}

extension PostgresEventStore: SnapshotStore {
    private static func values(_ key: SnapshotKey) -> [PostgresValue] {
        [.text(key.stream.name), .text(key.name), .text(key.fingerprint)]
    }

    public func snapshot(_ key: SnapshotKey) async throws -> Snapshot? {
        try key.check()
        return try await pool.run { [settings] connection in
            let result = try connection.run(
                settings.sql(
                    "SELECT version, state FROM \"disco\".snapshots WHERE stream = $1 AND name = $2 AND fingerprint = $3"
                ),
                Self.values(key))
            if result.count == 0 { return nil }
            return Snapshot(
                key: key, version: Int(result.int(0, 0)), state: JSONText(unchecked: result.bytes(0, 1)))
        }
    }

    public func save(_ snapshot: Snapshot) async throws {
        try snapshot.key.check()
        try await pool.run { [settings] connection in
            _ = try connection.run(
                settings.sql(
                    """
                    INSERT INTO "disco".snapshots AS s (stream, name, fingerprint, version, state)
                    SELECT $1, $2, $3, e.version, $5 FROM "disco".events e
                    WHERE e.stream = $1 AND e.version = $4 AND e.erased_at IS NULL FOR SHARE
                    ON CONFLICT (stream, name, fingerprint) DO UPDATE
                    SET version = excluded.version, state = excluded.state, saved_at = clock_timestamp()
                    WHERE excluded.version >= s.version
                    """),
                Self.values(snapshot.key) + [.int(Int64(snapshot.version)), .text(snapshot.state.string)])
        }
    }

    public func delete(_ key: SnapshotKey) async throws {
        try key.check()
        try await pool.run { [settings] connection in
            _ = try connection.run(
                settings.sql(
                    "DELETE FROM \"disco\".snapshots WHERE stream = $1 AND name = $2 AND fingerprint = $3"),
                Self.values(key))
        }
    }
}

extension PostgresEventStore: IdempotencyKeyStore {
    public func recorded(under key: IdempotencyKey) async throws -> Appended? {
        try NameCheck.argument.check(key)
        try Task.checkCancellation()
        // Not cancellable: the acknowledgment must wait for the standby.
        return try await pool.run(isCancellable: false) { [settings, reading] connection in
            let result = try connection.run(
                settings.sql("SELECT fingerprint, first_position, events FROM \"disco\".keys WHERE key = $1"),
                [.text(key.key)])
            if result.count == 0 { return nil }
            guard ExactText.areEqual(result.text(0, 0), key.fingerprint) else {
                throw IdempotencyConflict(key: key.key)
            }
            let events = try reading.recorded(result.int(0, 1), result.int(0, 2), connection)
            // "Recorded before" is an acknowledgment too: committing something makes it wait for the standby, as
            // the first one did.
            try connection.run([
                .beginReadCommitted, PostgresStatement("SELECT pg_logical_emit_message(true, 'disco', '')::text"),
                .commit,
            ])
            return Appended(events: events, repeated: true)
        }
    }

    public func forgetKeys(storedBefore date: Date, ofPolicies: Bool) async throws -> Int {
        let date = try NameCheck.argument.checked(date, "date before which keys are forgotten")
        var forgotten = 0
        while true {
            let some = try await pool.run { [settings] connection in
                try connection.run(
                    settings.sql(
                        """
                        WITH old AS (SELECT key FROM "disco".keys 
                            WHERE recorded_at < $1 AND ($2 OR key NOT LIKE '$%') LIMIT 5000),
                            forgotten AS (DELETE FROM "disco".keys k USING old WHERE k.key = old.key RETURNING 1)
                        SELECT count(*) FROM forgotten
                        """), [.time(Timestamp.microseconds(of: date)), .bool(ofPolicies)], timeout: .seconds(600)
                ).int(0, 0)
            }
            if some == 0 { return forgotten }
            forgotten += Int(some)
        }
    }
}

extension PostgresEventStore: StreamCatalog {
    public func streams(
        category: String?, prefix: String?, after: StreamID?, limit: Int
    ) async throws -> [StreamInfo] {
        try NameCheck.argument.check(category: category, prefix: prefix, after: after)
        return try await pool.run { [reading] connection in
            try reading.streams(category: category, prefix: prefix, after: after, limit: limit, connection)
        }
    }

    public func event(_ id: UUID) async throws -> RecordedEvent? {
        try await pool.run { [reading] connection in try reading.event(id, connection) }
    }
}

extension PostgresEventStore: StoreVerification {
    public func verify(after position: Position, limit: Int) async throws -> VerifiedPage {
        let position = max(.start, position)
        return try await pool.run { [settings, reading] connection in
            let head = try reading.head(connection)
            let before = try connection.run(
                settings.sql(
                    "SELECT recorded_at FROM \"disco\".events WHERE position <= $1 ORDER BY position DESC LIMIT 1"),
                [.int(position.rawValue)])
            let result = try connection.run(
                settings.sql(
                    """
                    SELECT e.position, e.stream, e.version, e.payload, e.recorded_at,
                        coalesce((SELECT max(p.version) FROM "disco".events p WHERE p.stream = e.stream AND p.version < e.version), 0),
                        EXISTS (SELECT 1 FROM unnest(e.tags) AS c(tag) WHERE NOT EXISTS (
                            SELECT 1 FROM "disco".tags t WHERE t.tag = c.tag AND t.position = e.position))
                    FROM "disco".events e WHERE e.position > $1 ORDER BY e.position LIMIT $2
                    """), [.int(position.rawValue), .int(Int64(max(1, limit)))])
            var examination = StoreExamination(
                after: position, recordedAt: before.count == 0 ? nil : before.date(0, 0), head: head)
            for row in 0..<result.count {
                examination.examine(
                    .init(
                        position: Position(rawValue: result.int(row, 0)), stream: StreamID(result.text(row, 1)),
                        version: Int(result.int(row, 2)), versionBefore: Int(result.int(row, 5)),
                        recordedAt: result.date(row, 4), payload: JSONText(unchecked: result.bytes(row, 3)),
                        isFoundByTags: !result.isTrue(row, 6)))
            }
            return examination.page
        }
    }
}

extension PostgresEventStore: EventCounting {
    public func events(after: Position, upTo: Position) async throws -> Int {
        let head = try await pool.run { [reading] connection in try reading.head(connection) }
        return Self.gaplessCount(after: after, upTo: upTo, head: head)
    }
}
#endif
