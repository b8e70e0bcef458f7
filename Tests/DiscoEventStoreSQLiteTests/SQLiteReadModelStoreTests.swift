import DiscoCore
import DiscoEventStoreSQLite
import DiscoTesting
import Foundation
import TestSupport
import Testing

@Suite struct SQLiteReadModelStoreTests {
    @Test(arguments: ReadModelStoreConformance.cases)
    func aFileConforms(to aCase: ReadModelStoreConformance.Case) async throws {
        let folder = try TemporaryFolder()
        let suite = ReadModelStoreConformance(
            open: { try await SQLiteReadModelStore.open(path: folder.file("read-models")) },
            again: { _ in try await SQLiteReadModelStore.open(path: folder.file("read-models")) })
        if case .skipped(let lacking) = try await aCase.run(on: suite) {
            // The console does not show cancelled cases.
            print("skipped: \(aCase); this store lacks \(lacking)")
            try Test.cancel("\(lacking)")
        }
    }

    @Test(arguments: ReadModelStoreConformance.cases)
    func aDatabaseInMemoryConforms(to aCase: ReadModelStoreConformance.Case) async throws {
        let suite = ReadModelStoreConformance { try await SQLiteReadModelStore.open(.inMemory) }
        if case .skipped(let lacking) = try await aCase.run(on: suite) {
            // The console does not show cancelled cases.
            print("skipped: \(aCase); this store lacks \(lacking)")
            try Test.cancel("\(lacking)")
        }
    }
}
