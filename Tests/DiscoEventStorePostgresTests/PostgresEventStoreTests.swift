import DiscoCore
import DiscoEventStorePostgres
import DiscoTesting
import Foundation
import TestSupport
import Testing

@Suite struct PostgresEventStoreTests {
    private static func settings(_ database: TestDatabase) -> PostgresEventStore.Settings {
        var settings = PostgresEventStore.Settings(url: database.url, schema: database.schema)
        settings.readers = 2
        return settings
    }

    @Test(.timeLimit(.minutes(3)), arguments: EventStoreConformance.cases)
    func conforms(to aCase: EventStoreConformance.Case) async throws {
        let suite = EventStoreConformance(
            hasSettableClock: false,
            open: { options in
                var settings = Self.settings(try TestDatabase())
                settings.allowsErasing = options.allowsErasing
                return try await PostgresEventStore.open(settings)
            },
            second: { store in
                try await PostgresEventStore.open(try #require(store as? PostgresEventStore).settings)
            },
            disturb: { store in
                let schema = try #require(store as? PostgresEventStore).settings.schema
                try await TestDatabase().run(
                    "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name = '\(schema)'")
            })
        if case .skipped(let lacking) = try await aCase.run(on: suite) {
            // The console does not show cancelled cases.
            print("skipped: \(aCase); this store lacks \(lacking)")
            try Test.cancel("\(lacking)")
        }
    }
}
