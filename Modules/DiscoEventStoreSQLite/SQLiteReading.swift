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

        static func page(_ read: Read, _ db: Database) throws -> Page {
            let head = try head(db)
            var upTo = min(read.upTo ?? head, head)
            if let asOf = read.asOf { upTo = min(upTo, try lastPosition(asOf: asOf, head, db)) }
            let bounds = PageBounds(read, upTo: upTo)
            var events: [RecordedEvent] = []
            var full = read.limit <= 0
            if read.limit > 0, !read.query.items.isEmpty, read.after < upTo {
                let statement = SQLiteStatementBuilder.select(read, upTo: upTo)
                let rows = try Row.fetchCursor(db.cachedStatement(sql: statement.sql), arguments: statement.arguments)
                var bytes = 0
                while !full, let row = try rows.next() {
                    let event = try event(row)
                    events.append(event)
                    bytes += event.payload.bytes.count
                    full = events.count == read.limit || bytes >= read.byteLimit
                }
            }
            var page = bounds.page(events, full: full)
            page.head = head
            page.throughID = try id(at: page.through, db)
            return page
        }

        static func event(_ id: UUID, _ db: Database) throws -> RecordedEvent? {
            try Row.fetchOne(
                db.cachedStatement(
                    sql: SQLiteStatementBuilder.columns + " FROM disco_events e " + SQLiteStatementBuilder.names
                        + " WHERE e.id = ?"),
                arguments: [id.blob]
            ).map(event)
        }

        static func streams(
            category: String?, prefix: String?, after: StreamID?, limit: Int, _ db: Database
        ) throws -> [StreamInfo] {
            try Row.fetchAll(
                db.cachedStatement(
                    sql: """
                        SELECT s.name, (SELECT max(version) FROM disco_events WHERE stream = s.key)
                        FROM disco_streams s
                        WHERE (?1 IS NULL OR s.category = (SELECT key FROM disco_categories WHERE name = ?1))
                            AND s.name > ?2 AND substr(s.name, 1, length(?3)) = ?3
                        ORDER BY s.name LIMIT ?4
                        """), arguments: [category, after?.name ?? "", prefix ?? "", limit]
            ).map { StreamInfo(stream: StreamID($0[0]), version: $0[1]) }
        }

        private static func id(at position: Position, _ db: Database) throws -> UUID? {
            try Row.fetchOne(
                db.cachedStatement(sql: "SELECT id FROM disco_events WHERE position = ?"),
                arguments: [position.rawValue]
            ).flatMap { UUID(blob: $0[0]) }
        }

        /// Times never run backwards with the position, and positions have no gap: halving finds the place without an index.
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
            guard let id = UUID(blob: row[3]) else {
                throw EventStoreError(.corrupt, "The event at position \(position) has no valid id.")
            }
            let payload: String = row[6]
            let values: String? = row[7]
            let tags: String? = row[10]
            return RecordedEvent(
                position: Position(rawValue: position), stream: StreamID(row[1]), version: row[2], id: id, type: row[4],
                typeVersion: row[5], payload: JSONText(unchecked: Array(payload.utf8)),
                metadata: Metadata(
                    correlationID: (row[8] as Data?).flatMap(UUID.init(blob:)),
                    causationID: (row[9] as Data?).flatMap(UUID.init(blob:)),
                    values: values.map { JSONText(unchecked: Array($0.utf8)) }),
                tags: try tags.map { try JSONText($0).decode([Tag].self) } ?? [],
                recordedAt: Timestamp.date(microseconds: row[11]))
        }
    }
#endif
