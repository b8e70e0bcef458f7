#if SQLite
    import DiscoCore
    import DiscoEventStore
    import Foundation
    import GRDB

    /// Appends one after the other inside a write transaction, each seeing those before it.
    struct SQLiteAppendTransaction {
        private let db: Database
        private let recordedAt: Int64
        private(set) var position: Int64
        private(set) var changed = false

        init(_ db: Database, clock: StoreClock) throws {
            self.db = db
            let last = try Row.fetchOne(
                db.cachedStatement(sql: "SELECT position, recorded_at FROM disco_events ORDER BY position DESC LIMIT 1")
            )
            position = last?[0] ?? 0
            recordedAt = clock.microseconds(notBefore: last?[1] ?? 0)
        }

        /// Nothing is written for an append that is refused: all checks come before the first row.
        mutating func outcome(of append: Append) throws -> BatchOutcome {
            if let key = append.key, let outcome = try outcome(of: key) { return outcome }
            if let outcome = try outcomeByIDs(append) { return outcome }
            if let conflict = try conflict(append) { return .refused(conflict) }
            if let condition = append.condition,
                let match = try SQLiteReading.page(Read(condition.query, after: condition.after, limit: 1), db).events
                    .first
            {
                return .refused(ConditionFailed(position: match.position, id: match.id))
            }
            let first = position + 1
            for event in append.events { try insert(event, append: first) }
            if let key = append.key {
                changed = true
                try execute(
                    "INSERT INTO disco_keys VALUES (?, ?, ?, ?, ?)",
                    [key.key, key.fingerprint, first, append.events.count, recordedAt])
            }
            return .appended(Appended(events: try recorded(first, append.events.count)))
        }

        private func outcome(of key: IdempotencyKey) throws -> BatchOutcome? {
            guard
                let row = try fetch(
                    "SELECT fingerprint, first_position, events FROM disco_keys WHERE key = ?", [key.key])
            else { return nil }
            guard row[0] == key.fingerprint else { return .refused(IdempotencyConflict(key: key.key)) }
            return .appended(Appended(events: try recorded(row[1], row[2]), repeated: true))
        }

        /// A repeat or a duplicate, where any of the ids is recorded already.
        private func outcomeByIDs(_ append: Append) throws -> BatchOutcome? {
            var known: UUID?
            for event in append.events
            where try fetch("SELECT 1 FROM disco_events WHERE id = ?", [event.id.blob]) != nil {
                known = event.id
                break
            }
            guard let known, let start = append.events.first else { return nil }
            guard let row = try fetch("SELECT append_id FROM disco_events WHERE id = ?", [start.id.blob]) else {
                return .refused(DuplicateEvent(id: known))
            }
            let first: Int64 = row[0]
            // One more than the append has: an append that went on is another one.
            let rows = try Row.fetchAll(
                db.cachedStatement(
                    sql: """
                        SELECT e.id, s.name FROM disco_events e JOIN disco_streams s ON s.key = e.stream
                        WHERE e.position >= ?1 AND e.append_id = ?1 ORDER BY e.position LIMIT ?2
                        """), arguments: [first, append.events.count + 1])
            let same =
                rows.count == append.events.count
                && zip(rows, append.events).allSatisfy { row, event in
                    UUID(blob: row[0]) == event.id && row[1] == event.stream.name
                }
            guard same else { return .refused(DuplicateEvent(id: known)) }
            return .appended(Appended(events: try recorded(first, rows.count), repeated: true))
        }

        private func conflict(_ append: Append) throws -> VersionConflict? {
            let refused = try append.expect.compactMap { stream, expected -> VersionConflict.Stream? in
                let actual = try version(of: try streamKey(stream))
                return expected.allows(actual) ? nil : .init(stream: stream, expected: expected, actual: actual)
            }
            return refused.isEmpty ? nil : VersionConflict(streams: refused.sorted { $0.stream.name < $1.stream.name })
        }

        private func version(of key: Int64?) throws -> Int {
            guard let key else { return 0 }
            return try fetch("SELECT version FROM disco_events WHERE stream = ? ORDER BY version DESC LIMIT 1", [key])?[
                0] ?? 0
        }

        private func streamKey(_ stream: StreamID) throws -> Int64? {
            try fetch("SELECT key FROM disco_streams WHERE name = ?", [stream.name])?[0]
        }

        private mutating func insert(_ event: NewEvent, append: Int64) throws {
            changed = true
            let category = try key(of: event.stream.category, in: "disco_categories")
            let stream: Int64
            if let known = try streamKey(event.stream) {
                stream = known
            } else {
                try execute("INSERT INTO disco_streams (name, category) VALUES (?, ?)", [event.stream.name, category])
                stream = db.lastInsertedRowID
            }
            position += 1
            try execute(
                """
                INSERT INTO disco_events (position, stream, version, category, type, type_version, id, payload, metadata,
                    correlation_id, causation_id, tags, slice, append_id, recorded_at)
                VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)
                """,
                [
                    position, stream, try version(of: stream) + 1, category, try key(of: event.type, in: "disco_types"),
                    event.typeVersion, event.id.blob, event.payload.string, event.metadata.values?.string,
                    event.metadata.correlationID?.blob, event.metadata.causationID?.blob, event.tags.jsonArray,
                    Int64(FNV1a.hash(event.stream.name) % 1024), append, recordedAt,
                ])
            for tag in Set(event.tags) { try execute("INSERT INTO disco_tags VALUES (?, ?)", [tag.name, position]) }
        }

        private func key(of name: String, in table: String) throws -> Int64 {
            if let key: Int64 = try fetch("SELECT key FROM \(table) WHERE name = ?", [name])?[0] { return key }
            try execute("INSERT INTO \(table) (name) VALUES (?)", [name])
            return db.lastInsertedRowID
        }

        private func recorded(_ first: Int64, _ count: Int) throws -> [Appended.Event] {
            if count == 0 { return [] }
            return try Row.fetchAll(
                db.cachedStatement(
                    sql: """
                        SELECT e.id, s.name, e.version, e.position FROM disco_events e JOIN disco_streams s ON s.key = e.stream
                        WHERE e.position >= ? AND e.position < ? ORDER BY e.position
                        """), arguments: [first, first + Int64(count)]
            ).map { row in
                guard let id = UUID(blob: row[0]) else {
                    throw EventStoreError(.corrupt, "The event at position \(row[3] as Int64) has no valid id.")
                }
                return .init(id: id, stream: StreamID(row[1]), version: row[2], position: Position(rawValue: row[3]))
            }
        }

        private func fetch(_ sql: String, _ arguments: StatementArguments) throws -> Row? {
            try Row.fetchOne(db.cachedStatement(sql: sql), arguments: arguments)
        }

        private func execute(_ sql: String, _ arguments: StatementArguments) throws {
            try db.cachedStatement(sql: sql).execute(arguments: arguments)
        }
    }

    extension [Tag] {
        /// Nil for none.
        fileprivate var jsonArray: String? {
            isEmpty ? nil : JSONText(.array(map { .string($0.name) })).string
        }
    }
#endif
