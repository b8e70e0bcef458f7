import DiscoCore
import Foundation
import TestSupport
import Testing

@testable import DiscoEventStorePostgres

/// A page must touch about as many rows as it returns, however large the store is. The server counts them, on cached
/// plans.
@Suite(.timeLimit(.minutes(2))) struct PostgresPlanTests {
    private static let count = 30_000

    private static let reads: [(name: String, read: Read)] = [
        ("all", Read(after: 15_000, limit: 10)),
        ("all, backward", Read(direction: .backward, upTo: 15_000, limit: 10)),
        ("the newest", Read(direction: .backward, limit: 10)),
        ("a category", Read(.category("rare"), after: 15_000, limit: 10)),
        ("a category, backward", Read(.category("rare"), direction: .backward, limit: 10)),
        ("a type", Read(.types("Rare"), after: 15_000, limit: 10)),
        ("types", Read(.types("Rare", "Common"), after: 15_000, limit: 10)),
        ("a tag", Read(.tags("rare"), after: 15_000, limit: 10)),
        ("tags", Read(.tags("rare", "common"), after: 15_000, limit: 10)),
        ("a stream by version", Read(.stream("long-1"), versions: 9_000...10_000, limit: 10)),
        ("a stream by position", Read(.stream("long-1"), after: 25_000, limit: 10)),
        ("a stream by position, backward", Read(.stream("long-1"), direction: .backward, upTo: 2_000, limit: 10)),
        ("a stream's end", Read(.stream("long-1"), direction: .backward, limit: 10)),
        ("a short stream", Read(.stream("rare-100"), after: 15_000, limit: 10)),
    ]

    private func loaded() async throws -> PostgresEventStore.Settings {
        let database = try TestDatabase()
        let settings = PostgresEventStore.Settings(url: database.url, schema: database.schema)
        let client = EventStoreClient(try await PostgresEventStore.open(settings))
        let payload = JSONText(.string(String(repeating: "x", count: 200)))
        for start in stride(from: 0, to: Self.count, by: 1000) {
            try await client.append(
                Append(
                    (start..<start + 1000).map { number in
                        let isRare = number % 100 == 0
                        let stream =
                            isRare ? "rare-\(number % 700)" : number % 2 == 0 ? "long-1" : "common-\(number % 300)"
                        return NewEvent(
                            stream: StreamID(stream), type: isRare ? "Rare" : "Common", payload: payload,
                            tags: isRare ? ["rare", "common"] : ["common"])
                    }))
        }
        await client.store.close()
        return settings
    }

    /// How many rows of the store `body` touches. Runs in one transaction, because between two the session hands over its
    /// counts.
    private static func touched(
        _ settings: PostgresEventStore.Settings, _ connection: PostgresConnection, _ body: () throws -> Void
    ) throws -> Int64 {
        func count() throws -> Int64 {
            try connection.run(
                """
                SELECT sum(coalesce(seq_tup_read, 0) + coalesce(idx_tup_fetch, 0))::bigint
                FROM pg_stat_xact_all_tables WHERE schemaname = $1
                """, [.text(settings.schema)]
            ).int(0, 0)
        }
        try connection.run([.beginReadCommitted])
        let before = try count()
        try body()
        let after = try count()
        try connection.commit()
        return after - before
    }

    @Test func aPageTouchesAboutAsManyRowsAsItReturns() async throws {
        let settings = try await loaded()
        let pool = PostgresPool(
            name: "plans", size: 1, settings.connection.options,
            setUp: PostgresEventStore.planning.map { .init("SET " + $0) })
        for (name, read) in Self.reads {
            let touched = try await pool.run { connection in
                try Self.touched(settings, connection) {
                    let page = try PostgresReading(settings).page(read, connection)
                    #expect(!page.events.isEmpty, "\(name)")
                }
            }
            #expect(touched < 150, "\(name) touches \(touched) rows")
        }
        await pool.close()
    }

    /// A condition touches few rows even if its matches are far behind: conditions are checked under the store's lock.
    @Test(arguments: [
        EventQuery.stream("long-1"), .tags("rare"), .types("Rare"), .category("rare"), .tags("rare", "common"), .all,
    ])
    func aConditionTouchesFewRows(query: EventQuery) async throws {
        let settings = try await loaded()
        let pool = PostgresPool(name: "plans", size: 1, settings.connection.options)
        let touched = try await pool.run { connection in
            var batch = PostgresBatch([
                Append(
                    [NewEvent(stream: "new-1", type: "T", payload: "{}")],
                    condition: AppendCondition(noneMatch: query, after: Position(rawValue: Int64(Self.count))))
            ])
            let append = PostgresStatement(settings.sql(PostgresBatch.sql), batch.values(repeatsIDs: false))
            return try Self.touched(settings, connection) { try connection.run([append]) }
        }
        #expect(touched < 60, "\(query) touches \(touched) rows")
        await pool.close()
    }
}
