import DiscoCore
import DiscoEventStorePostgres
import DiscoTesting
import TestSupport
import Testing

@Suite struct PostgresReadModelStoreTests {
    @Test(.timeLimit(.minutes(1)), arguments: ReadModelStoreConformance.cases)
    func conforms(to aCase: ReadModelStoreConformance.Case) async throws {
        let database = try TestDatabase()
        let open: @Sendable () async throws -> PostgresReadModelStore = {
            var settings = PostgresReadModelStore.Settings(url: database.url, schema: database.schema)
            settings.readers = 2
            return try await PostgresReadModelStore.open(settings)
        }
        let suite = ReadModelStoreConformance(open: { try await open() }, again: { _ in try await open() })
        if case .skipped(let lacking) = try await aCase.run(on: suite) {
            // The console does not show cancelled cases.
            print("skipped: \(aCase); this store lacks \(lacking)")
            try Test.cancel("\(lacking)")
        }
    }
}
