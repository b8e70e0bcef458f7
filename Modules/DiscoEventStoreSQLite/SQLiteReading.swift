#if SQLite
import DiscoCore
import DiscoEventStore
import Foundation
import GRDB

/// Reads pages inside a transaction.
enum SQLiteReading {
    static func head(_ db: Database) throws -> Position {
        Position(
            rawValue: try Int64.fetchOne(db.cachedStatement(sql: "SELECT max(position) FROM disco_events")) ?? 0)
    }

    /// The last position, and the time up to which everything is visible: later events are recorded after the time
    /// reported as settled, and no earlier than the last event.
    private static func end(_ db: Database) throws -> (head: Position, settled: Int64?) {
        let row = try Row.fetchOne(
            db.cachedStatement(
                sql: """
                    SELECT e.position, e.recorded_at - 1, s.settled_at
                    FROM disco_store s LEFT JOIN disco_events e ON e.position = (SELECT max(position) FROM disco_events)
                    LIMIT 1
                    """))
        guard let row else { return (.start, nil) }
        let times = [row[1] as Int64?, row[2] as Int64?].compactMap(\.self)
        return (Position(rawValue: row[0] as Int64? ?? 0), times.max())
    }

    /// Advances the time up to which everything is visible to the present, in a write transaction, as appends do.
    static func settle(at now: Int64, _ db: Database) throws {
        try db.execute(
            sql: "UPDATE disco_store SET settled_at = max(coalesce(settled_at, ?1), ?1)", arguments: [now])
    }

    static func page(_ read: Read, _ db: Database) throws -> Page {
        let (head, settled) = try end(db)
        var upTo = min(read.upTo ?? head, head)
        if let asOf = read.asOf { upTo = min(upTo, try lastPosition(asOf: asOf, head, db)) }
        var gathered = PageBounds(read, upTo: upTo)
        if !gathered.isFull, !read.query.items.isEmpty, read.after < upTo {
            let select = SQLiteStatementBuilder.select(read, upTo: upTo)
            let rows = try Row.fetchCursor(
                SQLiteStatementCache.statement(db, select.sql), arguments: select.arguments)
            let lookUp = try db.cachedStatement(
                sql: SQLiteStatementBuilder.columns + " FROM disco_events e " + SQLiteStatementBuilder.names
                    + " WHERE e.position = ?")
            while !gathered.isFull, let row = try rows.next() {
                let row = select.hasRows ? row : try Row.fetchOne(lookUp, arguments: [row[0] as Int64])
                guard let row else { continue }
                let event = try event(row)
                if select.isUnfiltered, !read.query.matches(event) { continue }
                gathered.take(event)
            }
        }
        var page = gathered.page()
        page.head = head
        page.settled = settled.map(Timestamp.date(microseconds:))
        page.throughID = try id(at: page.through, db)
        return page
    }

    static func event(_ id: UUID, _ db: Database) throws -> RecordedEvent? {
        try Row.fetchOne(
            db.cachedStatement(
                sql: SQLiteStatementBuilder.columns + " FROM disco_events e " + SQLiteStatementBuilder.names
                    + " WHERE e.id = ? AND " + SQLiteStatementBuilder.isShown),
            arguments: [id.blob]
        ).map(event)
    }

    /// The events recorded from a position on, readable or not; if an append is given, only its events.
    static func recorded(
        _ first: Int64, _ count: Int64, _ db: Database, ofAppend append: Int64? = nil
    ) throws -> [Appended.Event] {
        try Row.fetchAll(
            db.cachedStatement(
                sql: """
                    SELECT e.id, s.name, e.version, e.position FROM disco_events e JOIN disco_streams s ON s.key = e.stream
                    WHERE e.position >= ?1 AND e.position < ?1 + ?2 AND (?3 IS NULL OR e.append_id = ?3) ORDER BY e.position
                    """), arguments: [first, count, append]
        ).map { row in
            .init(
                id: try id(row[0], at: row[3]), stream: StreamID(row[1]), version: row[2],
                position: Position(rawValue: row[3]))
        }
    }

    private static func id(_ blob: Data, at position: Int64) throws -> UUID {
        guard let id = UUID(blob: blob) else {
            throw EventStoreError(.corrupt, "The event at position \(position) has no valid id.")
        }
        return id
    }

    static func streams(
        category: String?, prefix: String?, after: StreamID?, limit: Int, _ db: Database
    ) throws -> [StreamInfo] {
        let prefix = prefix ?? ""
        // One lower bound, the greater of the two, so that SQLite starts at it.
        let isBehind = after.map { !$0.name.utf8.lexicographicallyPrecedes(prefix.utf8) } ?? false
        let lowest = isBehind ? after?.name ?? prefix : prefix
        // Above every name that starts with the prefix: the highest character, repeated to the maximum length of a
        // name.
        let last = String(repeating: "\u{10FFFF}", count: 128)
        // With a category, SQLite walks its index, otherwise the index of names; both yield names in order.
        return try Row.fetchAll(
            db.cachedStatement(
                sql: """
                    SELECT s.name, e.version
                    FROM disco_streams s JOIN disco_events e ON e.stream = s.key
                        AND e.version = (SELECT max(version) FROM disco_events WHERE stream = s.key)
                    WHERE \(category == nil ? "?1 IS NULL" : "s.category = (SELECT key FROM disco_categories WHERE name = ?1)")
                        AND s.name \(isBehind ? ">" : ">=") ?2 AND s.name < ?3 AND s.deleted_at IS NULL AND e.erased_at IS NULL
                    ORDER BY s.name LIMIT ?4
                    """), arguments: [category, lowest, prefix + last, max(0, limit)]
        ).map { StreamInfo(stream: StreamID($0[0]), version: $0[1]) }
    }

    private static func id(at position: Position, _ db: Database) throws -> UUID? {
        try Row.fetchOne(
            db.cachedStatement(sql: "SELECT id FROM disco_events WHERE position = ?"),
            arguments: [position.rawValue]
        ).flatMap { UUID(blob: $0[0]) }
    }

    /// Times never decrease with the position, and positions have no gaps: a binary search needs no index.
    private static func lastPosition(asOf date: Date, _ head: Position, _ db: Database) throws -> Position {
        let limit = Timestamp.microseconds(of: date)
        let statement = try db.cachedStatement(sql: "SELECT recorded_at FROM disco_events WHERE position = ?")
        var low: Int64 = 0
        var high = head.rawValue
        while low < high {
            let middle = (low + high + 1) / 2
            let time = try Int64.fetchOne(statement, arguments: [middle]) ?? .max
            if time <= limit { low = middle } else { high = middle - 1 }
        }
        return Position(rawValue: low)
    }

    private static func event(_ row: Row) throws -> RecordedEvent {
        let position: Int64 = row[0]
        let id = try id(row[3], at: position)
        let payload = try row.withUnsafeData(atIndex: 6) { $0.map { [UInt8]($0) } ?? [] }
        let values: String? = row[7]
        let tags: String? = row[10]
        return RecordedEvent(
            position: Position(rawValue: position), stream: StreamID(row[1]), version: row[2], id: id, type: row[4],
            typeVersion: row[5], payload: JSONText(unchecked: payload),
            metadata: Metadata(
                correlationID: (row[8] as Data?).flatMap(UUID.init(blob:)),
                causationID: (row[9] as Data?).flatMap(UUID.init(blob:)),
                values: values.map { JSONText(unchecked: Array($0.utf8)) }),
            tags: try tags.map { try JSONText($0).decode([EventTag].self) } ?? [],
            recordedAt: Timestamp.date(microseconds: row[11]))
    }
}
#endif
