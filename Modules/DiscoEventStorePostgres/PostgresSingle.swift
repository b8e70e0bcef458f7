#if Postgres
import DiscoCore

/// A single event, without key and condition: the SQL function `append_one` takes half the time of a batch.
struct PostgresSingle {
    private let event: NewEvent
    private let expected: ExpectedVersion

    /// Returns `nil` if the batch is anything else.
    init?(_ batch: [Append]) {
        guard batch.count == 1, batch[0].events.count == 1, batch[0].key == nil, batch[0].condition == nil else {
            return nil
        }
        event = batch[0].events[0]
        guard event.tags.once.count == event.tags.count else { return nil }
        guard batch[0].expect.keys.allSatisfy({ [event] in $0 == event.stream }) else { return nil }
        expected = batch[0].expect[event.stream] ?? .any
    }

    static let sql = """
        SELECT * FROM "disco".append_one($1, $2, $3::smallint, $4, $5::integer, $6, $7, $8, $9::uuid, $10::uuid, $11, $12)
        """

    var values: [PostgresValue] {
        var tags = PostgresArray(.text)
        for tag in event.tags { tags.append(tag.name) }
        return [
            .text(event.stream.name), .text(event.stream.category),
            .int(Int64(event.stream.slice)), .text(event.type), .int(Int64(event.typeVersion)),
            .uuid(event.id), .bytes(event.payload.bytes),
            event.metadata.values.map { .bytes($0.bytes) } ?? .nullOf(.text),
            event.metadata.correlationID.map { .uuid($0) } ?? .nullOf(.uuid),
            event.metadata.causationID.map { .uuid($0) } ?? .nullOf(.uuid),
            event.tags.isEmpty ? .nullArray(.text) : .array(tags), .int(expected.number),
        ]
    }

    /// Decodes the result; `nil` if the event could not be recorded, and nothing was.
    func answer(_ result: PostgresResult) -> (appended: Appended, head: Position)? {
        guard result.count == 1, !result.isNull(0, 0) else { return nil }
        let position = Position(rawValue: result.int(0, 0))
        let recorded = Appended.Event(
            id: event.id, stream: event.stream, version: Int(result.int(0, 1)), position: position)
        return (Appended(events: [recorded]), position)
    }
}
#endif
