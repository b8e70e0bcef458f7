#if SQLite
import DiscoCore
import DiscoEventStore
import Foundation
import GRDB

/// Records appends one by one inside a write transaction; each sees those before it.
struct SQLiteAppendTransaction {
    private let db: Database
    private let sql: Statements
    private let recordedAt: Int64
    private(set) var position: Int64
    private(set) var changed = false
    /// To be kept after the commit.
    private(set) var names: SQLiteNames
    /// The current state of streams: looked up once, then kept up to date.
    private var streams: [StreamID: Stream] = [:]

    private struct Stream {
        /// `nil` if the stream was never written to.
        var key: Int64?
        var isOpen = true
        /// The version of its last event, readable or not.
        var last: Int64 = 0
        /// The version as readers see it; 0 if none of its events can be read.
        var version: Int64 = 0
    }

    init(_ db: Database, context: StoreContext, names: SQLiteNames) throws {
        self.db = db
        self.names = names
        sql = try Statements(db)
        let last = try sql.last.first { ($0.integer(0), $0.integer(1)) } ?? (0, 0)
        position = last.0
        recordedAt = context.microseconds(notBefore: last.1)
    }

    /// Records one append. A refused append writes nothing: all checks come before the first row.
    mutating func outcome(of append: Append) throws -> BatchOutcome {
        if let key = append.key, let outcome = try outcome(of: key) { return outcome }
        if let outcome = try outcomeByIDs(append) {
            // An append that was recorded earlier without its key must take effect only once under the key, too.
            if case .appended(let recorded) = outcome, let key = append.key, let first = recorded.first {
                try keep(key, first.rawValue, recorded.events.count)
            }
            return outcome
        }
        if let refusal = try refusal(append) { return .refused(refusal) }
        if let condition = append.condition,
            let match = try SQLiteReading.page(Read(condition.query, after: condition.after, limit: 1), db).events
                .first
        {
            return .refused(ConditionFailed(position: match.position, id: match.id))
        }
        let first = position + 1
        var recorded: [Appended.Event] = []
        recorded.reserveCapacity(append.events.count)
        for event in append.events { recorded.append(try insert(event, append: first)) }
        if let key = append.key { try keep(key, first, append.events.count) }
        return .appended(Appended(events: recorded))
    }

    private mutating func keep(_ key: IdempotencyKey, _ first: Int64, _ events: Int) throws {
        changed = true
        try sql.insertKey.run(
            .text(key.key), .text(key.fingerprint), .integer(first), .integer(Int64(events)), .integer(recordedAt))
    }

    private func outcome(of key: IdempotencyKey) throws -> BatchOutcome? {
        guard
            let known = try sql.key.first(
                .text(key.key), row: { (fingerprint: $0.text(0), first: $0.integer(1), count: $0.integer(2)) })
        else { return nil }
        guard ExactText.areEqual(known.fingerprint, key.fingerprint) else {
            return .refused(IdempotencyConflict(key: key.key))
        }
        return .appended(
            Appended(events: try SQLiteReading.recorded(known.first, known.count, db), repeated: true))
    }

    /// The outcome if any of the ids is already recorded: a repeat or a duplicate.
    private func outcomeByIDs(_ append: Append) throws -> BatchOutcome? {
        guard let known = try append.events.first(where: { try appendID(of: $0.id) != nil }) else { return nil }
        guard let first = try appendID(of: append.events[0].id) else {
            return .refused(DuplicateEvent(id: known.id))
        }
        // One more than the append has: a recorded append that continues is a different append.
        let recorded = try SQLiteReading.recorded(first, Int64(append.events.count) + 1, db, ofAppend: first)
        let same =
            recorded.count == append.events.count
            && zip(recorded, append.events).allSatisfy { $0.id == $1.id && $0.stream == $1.stream }
        guard same else { return .refused(DuplicateEvent(id: known.id)) }
        return .appended(Appended(events: recorded, repeated: true))
    }

    private func appendID(of id: UUID) throws -> Int64? { try sql.appendOfID.first(.uuid(id)) { $0.integer(0) } }

    private mutating func refusal(_ append: Append) throws -> (any Error)? {
        for event in append.events where try !stream(event.stream).isOpen {
            return StreamDeleted(stream: event.stream)
        }
        if append.expect.isEmpty { return nil }
        var refused: [VersionConflict.Stream] = []
        for (id, expected) in append.expect.sorted(by: { $0.key.name < $1.key.name }) {
            let stream = try stream(id)
            if !stream.isOpen { return StreamDeleted(stream: id) }
            let actual = Int(stream.version)
            if !expected.allows(actual) { refused.append(.init(stream: id, expected: expected, actual: actual)) }
        }
        return refused.isEmpty ? nil : VersionConflict(streams: refused)
    }

    private mutating func stream(_ id: StreamID) throws -> Stream {
        if let known = streams[id] { return known }
        let stream =
            try sql.stream.first(.text(id.name)) { row in
                Stream(
                    key: row.integer(0), isOpen: !row.isTrue(1), last: row.integer(2),
                    version: row.isTrue(3) || row.isTrue(1) ? 0 : row.integer(2))
            } ?? Stream()
        streams[id] = stream
        return stream
    }

    private mutating func insert(_ event: NewEvent, append: Int64) throws -> Appended.Event {
        changed = true
        let stream = try stream(event.stream)
        let category = try names.category(event.stream.category, sql.names)
        let type = try names.type(event.type, sql.names)
        let key: Int64
        if let known = stream.key {
            key = known
        } else {
            try sql.insertStream.run(.text(event.stream.name), .integer(category))
            key = db.lastInsertedRowID
        }
        position += 1
        let version = stream.last + 1
        try sql.insertEvent.run(
            .integer(position), .integer(key), .integer(version), .integer(category), .integer(type),
            .integer(Int64(event.typeVersion)), .uuid(event.id), .bytes(event.payload.bytes),
            event.metadata.values.map { .bytes($0.bytes) } ?? .null,
            event.metadata.correlationID.map { .uuid($0) } ?? .null,
            event.metadata.causationID.map { .uuid($0) } ?? .null,
            event.tags.isEmpty ? .null : .bytes(JSONText(.array(event.tags.map { .string($0.name) })).bytes),
            .integer(Int64(event.stream.slice)), .integer(append), .integer(recordedAt))
        if !event.tags.isEmpty {
            for tag in Set(event.tags) { try sql.insertTag.run(.text(tag.name), .integer(position)) }
        }
        streams[event.stream] = Stream(key: key, last: version, version: version)
        return .init(
            id: event.id, stream: event.stream, version: Int(version), position: Position(rawValue: position))
    }
}

extension SQLiteAppendTransaction {
    /// Looked up once per transaction: looking them up in the connection's cache costs as much as running them.
    private struct Statements {
        let last, key, appendOfID, stream, insertStream, insertEvent, insertTag, insertKey: SQLiteStatement
        let names: SQLiteNames.Statements

        init(_ db: Database) throws {
            func statement(_ sql: String) throws -> SQLiteStatement { try SQLiteStatement(db, sql) }
            // Later than the time that was reported as settled.
            last = try statement(
                """
                SELECT coalesce(e.position, 0), max(coalesce(e.recorded_at, 0), coalesce(s.settled_at + 1, 0))
                FROM disco_store s LEFT JOIN disco_events e ON e.position = (SELECT max(position) FROM disco_events)
                LIMIT 1
                """)
            key = try statement("SELECT fingerprint, first_position, events FROM disco_keys WHERE key = ?")
            appendOfID = try statement("SELECT append_id FROM disco_events WHERE id = ?")
            stream = try statement(
                """
                SELECT s.key, s.deleted_at IS NOT NULL OR s.closed, e.version, e.erased_at IS NOT NULL
                FROM disco_streams s JOIN disco_events e ON e.stream = s.key
                WHERE s.name = ? ORDER BY e.version DESC LIMIT 1
                """)
            insertStream = try statement("INSERT INTO disco_streams (name, category) VALUES (?, ?)")
            insertEvent = try statement(
                """
                INSERT INTO disco_events (position, stream, version, category, type, type_version, id, payload, metadata,
                    correlation_id, causation_id, tags, slice, append_id, recorded_at)
                VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)
                """)
            insertTag = try statement("INSERT INTO disco_tags VALUES (?, ?)")
            insertKey = try statement("INSERT INTO disco_keys VALUES (?, ?, ?, ?, ?)")
            names = try SQLiteNames.Statements(db)
        }
    }
}
#endif
