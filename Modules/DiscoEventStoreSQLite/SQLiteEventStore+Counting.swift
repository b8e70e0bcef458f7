#if SQLite
public import DiscoCore
import DiscoEventStore

extension SQLiteEventStore: EventCounting {
    public func events(after: Position, upTo: Position) async throws -> Int {
        Self.gaplessCount(after: after, upTo: upTo, head: try await database.read(SQLiteReading.head))
    }
}
#endif
