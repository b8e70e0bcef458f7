import DiscoCore
import Foundation
import TestSupport
import Testing

/// The databases of every release, dumped and restored with the databases' own tools, migrate to the current schema
/// and keep all their data. `Scripts/dump-schemas` adds those of a release.
@Suite(.timeLimit(.minutes(2))) struct ReleasedSchemasTests {
    private static let folder = URL(filePath: #filePath).deletingLastPathComponent().appending(
        path: "../ReleasedSchemas")

    static let dumps = ((try? FileManager.default.contentsOfDirectory(atPath: folder.standardized.path)) ?? []).sorted()

    @Test func eachAdapterHasADump() {
        for kind in ["sqlite-", "postgres-"] { #expect(Self.dumps.contains { $0.hasPrefix(kind) }, "\(kind)") }
    }

    @Test(arguments: dumps) func aReleasedDatabaseIsMigrated(dump: String) async throws {
        let folder = try TemporaryFolder()
        let file = Self.folder.appending(path: dump).standardized.path
        var environment = ["DISCO_EVENT_STORE_SQLITE_PATH": folder.events]
        let restored: Program.Result
        if dump.hasPrefix("sqlite-") {
            environment["DISCO_EVENT_STORE_ADAPTER"] = "sqlite"
            restored = try await Program("/usr/bin/sqlite3", ["-bail", folder.events, ".read " + file]).finish()
        } else {
            environment["DISCO_EVENT_STORE_ADAPTER"] = "postgres"
            let name = "restored" + UUID().uuidString.lowercased().filter { $0 != "-" }
            let database = try TestDatabase()
            #expect(try await database.run("CREATE DATABASE \(name)").status == 0)
            let url = database.url(database: name)
            environment["DISCO_EVENT_STORE_POSTGRES_URL"] = url
            restored = try await Program(
                "/usr/bin/psql", ["-X", "-q", "-v", "ON_ERROR_STOP=1", "-d", url, "-f", file]
            ).finish()
        }
        #expect(restored.status == 0, "\(restored)")

        func run(_ arguments: String...) async throws -> Program.Result {
            let result = try await Program("EventStoreApp", arguments, environment: environment).finish()
            #expect(result.status == 0, "\(arguments): \(result)")
            return result
        }
        _ = try await run("migrate")
        _ = try await run("migrate", "--check")
        _ = try await run("verify")
        let events = try await run("read", "--all").output.split(separator: "\n").map {
            try JSONText(String($0)).value()
        }
        #expect(events.map { $0["position"] } == (1...5).map { .number(.init($0)) })
        #expect(events.map { $0["stream"] } == ["wallet-1", "wallet-2", "wallet-1", "wallet-1", "wallet-1"])
        #expect(events.last?["payload"]?.description == #"{"amount":12345678901234567890.123}"#)
        #expect(try await run("read", "--all", "--tags", "vip").output.split(separator: "\n").count == 1)
        // It accepts appends and refuses those that conflict with its history.
        _ = try await run("append", "wallet-1", "MoneyDeposited", "{}", "--expect", "4")
        let refused = try await Program(
            "EventStoreApp", ["append", "wallet-2", "WalletOpened", "{}", "--expect", "none"], environment: environment
        ).finish()
        #expect(refused.status == 1)
        #expect(refused.errors.contains("version_conflict"), "\(refused)")
    }
}
