import DiscoMigrations
import Foundation
import Testing

@Suite struct MigrationsTests {
    /// A file that is not listed would never be applied.
    @Test(arguments: [
        ("sqlite", [Migration.sqliteEventStore, Migration.sqliteReadModels, Migration.sqliteMembers]),
        ("postgres", [Migration.postgresEventStore, Migration.postgresReadModels]),
    ])
    func everyFileIsListedInOrder(database: String, listed: [[Migration]]) throws {
        let folder = URL(filePath: #filePath).deletingLastPathComponent().appending(
            path: "../../Migrations/\(database)")
        let files = try FileManager.default.contentsOfDirectory(atPath: folder.path).sorted()
        #expect(listed.flatMap { $0 }.map(\.name).sorted() == files)
        for migrations in listed { #expect(migrations.map(\.number) == Array(1...migrations.count)) }
        for migration in listed.flatMap({ $0 }) {
            let text = try String(contentsOf: folder.appending(path: migration.name), encoding: .utf8)
            #expect(migration.sql == text)
        }
    }
}
