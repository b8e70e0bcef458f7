#if Postgres
import DiscoCore
import DiscoEventStore
import Foundation

/// Reads pages.
struct PostgresReading {
    private let settings: PostgresEventStore.Settings

    init(_ settings: PostgresEventStore.Settings) { self.settings = settings }

    static let columns = """
        e.position, e.stream, e.version, e.id, e.type, e.type_version, e.payload, e.metadata, e.correlation_id,
            e.causation_id, e.tags, e.recorded_at
        """

    /// Skips deleted and erased events.
    static let isShown = """
        e.erased_at IS NULL AND e.stream <> ALL (ARRAY(SELECT c.stream FROM "disco".concealed_streams c WHERE c.deleted_at IS NOT NULL))
        """

    func head(_ connection: PostgresConnection) throws -> Position {
        let result = try connection.run(settings.sql("SELECT coalesce(max(position), 0) FROM \"disco\".events"))
        return Position(rawValue: result.int(0, 0))
    }

    func page(_ read: Read, _ connection: PostgresConnection) throws -> Page {
        var read = read
        if let asOf = read.asOf {
            // Times never decrease, so the result stays true.
            let result = try connection.run(
                settings.sql("SELECT \"disco\".position_as_of($1)"), [.time(Timestamp.microseconds(of: asOf))])
            read.upTo = min(read.upTo ?? Position(rawValue: .max), Position(rawValue: result.int(0, 0)))
        }
        let statement = PostgresStatementBuilder(read).page()
        let result = try connection.run(settings.sql(statement.sql), statement.values)
        let (head, bound) = (result.int(0, 0), result.int(0, 1))
        var gathered = PageBounds(read, upTo: Position(rawValue: bound))
        if !result.isNull(0, 5) {
            for row in 0..<result.count { gathered.take(try Self.event(result, row, from: 5)) }
        }
        let (events, ascending) = (gathered.events, read.direction == .forward)
        for (one, next) in zip(events, events.dropFirst()) where (one.position < next.position) != ascending {
            throw EventStoreError(
                .database, "PostgreSQL returned the events of a page in the wrong order.")
        }
        var page = gathered.page()
        page.head = Position(rawValue: head)
        page.settled = result.isNull(0, 4) ? nil : result.date(0, 4)
        page.throughID =
            page.through == events.last?.position
            ? events.last?.id : page.through == read.after ? result.uuid(0, 3) : result.uuid(0, 2)
        return page
    }

    /// Advances the time up to which everything is visible to the present, under the append lock.
    func settle(_ connection: PostgresConnection) throws {
        try connection.run([
            .beginReadCommitted, PostgresStatement(settings.sql("SELECT \"disco\".settle()")), .commit,
        ])
    }

    func event(_ id: UUID, _ connection: PostgresConnection) throws -> RecordedEvent? {
        let sql = "SELECT \(Self.columns) FROM \"disco\".events e WHERE e.id = $1 AND \(Self.isShown)"
        let result = try connection.run(settings.sql(sql), [.uuid(id)])
        return result.count == 0 ? nil : try Self.event(result, 0, from: 0)
    }

    /// The events recorded from a position on, readable or not.
    func recorded(_ first: Int64, _ count: Int64, _ connection: PostgresConnection) throws -> [Appended.Event] {
        let result = try connection.run(
            settings.sql(
                """
                SELECT id, stream, version, position FROM "disco".events
                WHERE position >= $1 AND position < $1 + $2 ORDER BY position
                """), [.int(first), .int(count)])
        return try (0..<result.count).map { row in
            .init(
                id: try Self.id(result, row, 0, at: result.int(row, 3)), stream: StreamID(result.text(row, 1)),
                version: Int(result.int(row, 2)), position: Position(rawValue: result.int(row, 3)))
        }
    }

    func streams(
        category: String?, prefix: String?, after: StreamID?, limit: Int, _ connection: PostgresConnection
    ) throws -> [StreamInfo] {
        // The names of a category's streams start with the category and a hyphen: one walk along the index of
        // names.
        var lowest = prefix ?? ""
        if let category {
            let begin = category + "-"
            if begin.utf8.starts(with: lowest.utf8) { lowest = begin }
            if !lowest.utf8.starts(with: begin.utf8) { return [] }
        }
        // Above every name that starts with it: the highest character, repeated to the maximum length of a name.
        let highest = lowest + String(repeating: "\u{10FFFF}", count: 128)
        let result = try connection.run(
            settings.sql(
                """
                SELECT e.stream, h.version
                FROM "disco".events e CROSS JOIN LATERAL (
                    SELECT l.version, l.erased_at FROM "disco".events l WHERE l.stream = e.stream ORDER BY l.version DESC LIMIT 1
                ) AS h
                WHERE e.version = 1 AND e.stream > $1 AND e.stream >= $2 AND e.stream < $3 AND h.erased_at IS NULL
                    AND e.stream <> ALL (
                        ARRAY(SELECT c.stream FROM "disco".concealed_streams c WHERE c.deleted_at IS NOT NULL))
                ORDER BY e.stream LIMIT $4
                """), [.text(after?.name ?? ""), .text(lowest), .text(highest), .int(Int64(max(0, limit)))])
        return (0..<result.count).map { row in
            StreamInfo(stream: StreamID(result.text(row, 0)), version: Int(result.int(row, 1)))
        }
    }

    private static func id(_ result: PostgresResult, _ row: Int, _ column: Int32, at position: Int64) throws -> UUID {
        guard let id = result.uuid(row, column) else {
            throw EventStoreError(.corrupt, "The event at position \(position) has no valid id.")
        }
        return id
    }

    private static func event(_ result: PostgresResult, _ row: Int, from first: Int32) throws -> RecordedEvent {
        let position = result.int(row, first)
        return RecordedEvent(
            position: Position(rawValue: position), stream: StreamID(result.text(row, first + 1)),
            version: Int(result.int(row, first + 2)), id: try id(result, row, first + 3, at: position),
            type: result.text(row, first + 4), typeVersion: Int(result.int(row, first + 5)),
            payload: JSONText(unchecked: result.bytes(row, first + 6)),
            metadata: Metadata(
                correlationID: result.uuid(row, first + 8), causationID: result.uuid(row, first + 9),
                values: result.isNull(row, first + 7)
                    ? nil : JSONText(unchecked: result.bytes(row, first + 7))),
            tags: result.texts(row, first + 10)?.compactMap { $0.map { EventTag($0) } } ?? [],
            recordedAt: result.date(row, first + 11))
    }
}
#endif
