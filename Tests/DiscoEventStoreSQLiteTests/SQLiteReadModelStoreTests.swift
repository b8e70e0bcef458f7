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
            open: { try SQLiteReadModelStore(path: folder.file("read-models")) },
            again: { _ in try SQLiteReadModelStore(path: folder.file("read-models")) })
        if case .skipped(let lacking) = try await aCase.run(on: suite) {
            // The console does not show a case that was cancelled.
            print("skipped: \(aCase); this store lacks \(lacking)")
            try Test.cancel("\(lacking)")
        }
    }

    @Test(arguments: ReadModelStoreConformance.cases)
    func aDatabaseInMemoryConforms(to aCase: ReadModelStoreConformance.Case) async throws {
        let suite = ReadModelStoreConformance { try SQLiteReadModelStore(path: nil) }
        if case .skipped(let lacking) = try await aCase.run(on: suite) {
            // The console does not show a case that was cancelled.
            print("skipped: \(aCase); this store lacks \(lacking)")
            try Test.cancel("\(lacking)")
        }
    }
}
