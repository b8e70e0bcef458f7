import DiscoCore
import Foundation
import TestSupport
import Testing

@Suite(.timeLimit(.minutes(2))) struct EventStoreAppTests {
    enum Adapter: String, CaseIterable, Sendable { case sqlite, postgres }

    /// The app on a fresh database.
    private struct App {
        let folder: TemporaryFolder
        let environment: [String: String]

        init(_ adapter: Adapter) throws {
            folder = try TemporaryFolder()
            var environment = ["DISCO_EVENT_STORE_ADAPTER": adapter.rawValue]
            switch adapter {
            case .sqlite: environment["DISCO_EVENT_STORE_SQLITE_PATH"] = folder.events
            case .postgres:
                let database = try TestDatabase()
                environment["DISCO_EVENT_STORE_POSTGRES_URL"] = database.url
                environment["DISCO_EVENT_STORE_POSTGRES_SCHEMA"] = database.schema
                environment["DISCO_READ_MODELS_POSTGRES_SCHEMA"] = database.schema + "r"
            }
            self.environment = environment
        }

        func run(_ arguments: String..., more: [String: String] = [:]) async throws -> Program.Result {
            try await Program("EventStoreApp", arguments, environment: environment.merging(more) { $1 }).finish()
        }

        func rows(_ arguments: String...) async throws -> [JSON] {
            let result = try await Program("EventStoreApp", arguments, environment: environment).finish()
            #expect(result.status == 0, "\(result)")
            return try result.output.split(separator: "\n").map { try JSONText(String($0)).value() }
        }

        /// Three wallets: w-1 has A and B, w-2 A, x-1 C with a tag.
        func fill() async throws {
            for (stream, type, tags) in [("w-1", "A", ""), ("w-2", "A", ""), ("w-1", "B", ""), ("x-1", "C", "t:1,t:2")]
            {
                #expect(try await run("append", stream, type, #"{"n":1.50}"#, "--tags", tags).status == 0)
            }
        }
    }

    @Test(arguments: Adapter.allCases) func migrationsAreCheckedAndRunOnce(adapter: Adapter) async throws {
        let app = try App(adapter)
        let name = "\(adapter)_0001_event_store.sql"
        let before = try await app.run("migrate", "--check")
        #expect(before.status == 1)
        #expect(before.output == name + "\n")
        #expect(try await app.run("migrate").output == "applied \(name)\n")
        #expect(try await app.run("migrate").output == "up to date\n")
        let after = try await app.run("migrate", "--check")
        #expect(after.status == 0)
        #expect(after.output == "")
    }

    @Test(arguments: Adapter.allCases) func oldKeysAreForgotten(adapter: Adapter) async throws {
        let app = try App(adapter)
        #expect(try await app.run("forget-keys", "--older-than", "0").output == "{\"forgotten\":0}\n")
        #expect(try await app.run("forget-keys", "--older-than=-1").status == 64)
        #expect(try await app.run("forget-keys").status == 64)
    }

    @Test(arguments: Adapter.allCases) func appendedEventsAreRead(adapter: Adapter) async throws {
        let app = try App(adapter)
        let appended = try await app.rows("append", "w-1", "A", #"{"n": 1.50}"#, "--expect", "none", "--tags", "t:1")
        let event = try #require(appended.first)
        #expect(event["position"] == 1)
        #expect(event["stream"] == "w-1")
        #expect(event["version"] == 1)
        #expect(event["type"] == "A")
        #expect(event["payload"]?.description == #"{"n":1.50}"#)
        #expect(event["tags"] == ["t:1"])
        #expect(event["recorded_at"]?.string?.hasSuffix("Z") == true)
        #expect(try await app.rows("read", "w-1") == [event])
    }

    @Test(arguments: Adapter.allCases) func readFiltersEvents(adapter: Adapter) async throws {
        let app = try App(adapter)
        try await app.fill()
        func positions(_ rows: [JSON]) -> [Int] { rows.compactMap { $0["position"]?.integer } }
        #expect(positions(try await app.rows("read", "--all")) == [1, 2, 3, 4])
        #expect(positions(try await app.rows("read", "--all", "--from", "3")) == [3, 4])
        #expect(positions(try await app.rows("read", "--all", "--backward", "--limit", "2")) == [4, 3])
        #expect(positions(try await app.rows("read", "--all", "--backward", "--from", "2")) == [2, 1])
        #expect(positions(try await app.rows("read", "--category", "w", "--types", "A,C")) == [1, 2])
        #expect(positions(try await app.rows("read", "--all", "--tags", "t:2,t:1")) == [4])
        #expect(positions(try await app.rows("read", "w-1", "--from", "2")) == [3])
        #expect(positions(try await app.rows("read", "w-1", "--backward", "--from", "1")) == [1])
        #expect(positions(try await app.rows("read", "w-1", "--types", "B")) == [3])
        // For a stream, --from is a version, whatever else is selected.
        #expect(positions(try await app.rows("read", "w-1", "--types", "A,B", "--from", "2")) == [3])
        #expect(positions(try await app.rows("read", "w-1", "--types", "A", "--from", "2")) == [])
        #expect(positions(try await app.rows("read", "none-1")) == [])
    }

    @Test(arguments: Adapter.allCases) func streamsAreListedAndCounted(adapter: Adapter) async throws {
        let app = try App(adapter)
        try await app.fill()
        #expect(
            try await app.rows("streams") == [
                ["stream": "w-1", "version": 2], ["stream": "w-2", "version": 1], ["stream": "x-1", "version": 1],
            ])
        #expect(
            try await app.rows("streams", "--category", "w", "--prefix", "w-2") == [["stream": "w-2", "version": 1]])
        let stats = try #require(try await app.rows("stats").first)
        #expect(stats["head"] == 4)
        #expect(stats["streams"] == 3)
        #expect(stats["categories"] == ["w": ["streams": 2, "events": 3], "x": ["streams": 1, "events": 1]])
        #expect(try await app.rows("verify") == [])
    }

    @Test(arguments: Adapter.allCases) func aRefusedAppendPrintsJSONAndEndsWithStatus1(adapter: Adapter) async throws {
        let app = try App(adapter)
        try await app.fill()
        for (arguments, code) in [
            (["append", "w-1", "A", "{}", "--expect", "none"], "version_conflict"),
            (["append", "w-1", "A", "{}", "--expect", "1"], "version_conflict"),
            (["append", "none-1", "A", "{}", "--expect", "exists"], "version_conflict"),
            (["append", "w-1", "A", "{"], "invalid_json"), (["append", "nohyphen", "A", "{}"], "invalid_append"),
        ] {
            let result = try await Program("EventStoreApp", arguments, environment: app.environment).finish()
            #expect(result.status == 1)
            #expect(result.output == "")
            #expect(try JSONText(result.errors).value()["error"] == .string(code), "\(result.errors)")
        }
    }

    @Test(arguments: Adapter.allCases) func tailFollowsNewEvents(adapter: Adapter) async throws {
        let app = try App(adapter)
        try await app.fill()
        let tail = try Program("EventStoreApp", ["tail", "--after", "3"], environment: app.environment)
        _ = try await tail.printed(atLeast: 10)
        #expect(try await app.run("append", "w-9", "Late", "{}").status == 0)
        let printed = try await tail.printed(atLeast: 10)
        tail.kill()
        #expect(printed.contains(#""type":"Late""#))
        _ = try await tail.finish()
    }

    @Test(arguments: Adapter.allCases) func consumersAreListedAndReset(adapter: Adapter) async throws {
        let app = try App(adapter)
        let user = UUID().uuidString
        let created = try await Program(
            "WalletApp", ["dispatch", "create_wallet", #"{"user_id": "\#(user)", "balance": 5}"#],
            environment: app.environment
        ).finish()
        #expect(created.status == 0, "\(created)")
        let listed = try await app.rows("consumers")
        #expect(listed.map { $0["consumer"] } == ["low_balance_notice", "wallets"])
        #expect(listed.map { $0["lag"] } == [0, 0])
        #expect(try await app.rows("consumers", "reset", "wallets") == [["reset": "wallets"]])
        #expect(try await app.rows("consumers", "list").map { $0["consumer"] } == ["low_balance_notice"])
        #expect(try await app.rows("consumers").map { $0["state"] } == ["stopped"])
        let unknown = try await app.run("consumers", "reset", "nobody")
        #expect(unknown.status == 1)
        #expect(unknown.errors.contains("There is no consumer nobody. Known: low_balance_notice, wallets."))
    }

    @Test(arguments: Adapter.allCases) func theExportedSQLCreatesTheTablesWithOtherTools(adapter: Adapter) async throws
    {
        let app = try App(adapter)
        let folder = app.folder.file("sql")
        let written = try await app.run("migrations", "--adapter", adapter.rawValue, "--output", folder)
        let file = String(written.output.dropLast())
        let sql = try String(contentsOfFile: file, encoding: .utf8)
        #expect(try await app.run("migrations", "--adapter", adapter.rawValue).output.contains(sql))
        switch adapter {
        case .sqlite:
            let made = try await Program("/usr/bin/sqlite3", [app.folder.events, ".read \(file)"]).finish()
            #expect(made.status == 0, "\(made)")
        case .postgres:
            let schema = app.environment["DISCO_EVENT_STORE_POSTGRES_SCHEMA"] ?? ""
            let made = try await TestDatabase().run(
                "CREATE SCHEMA \(schema); " + sql.replacing("\"disco\"", with: "\"\(schema)\""))
            #expect(made.status == 0, "\(made)")
        }
        #expect(try await app.run("migrate", "--check").status == 0)
        let never = ["DISCO_EVENT_STORE_POSTGRES_MIGRATES": "false"]
        #expect(try await app.run("append", "a-1", "T", "{}", more: never).status == 0)
    }

    @Test(arguments: Adapter.allCases) func theExportedSQLOfReadModelsDoesToo(adapter: Adapter) async throws {
        let app = try App(adapter)
        let sql = try await app.run("migrations", "--adapter", adapter.rawValue, "--read-models").output
        var never = ["DISCO_READ_MODELS_POSTGRES_MIGRATES": "false"]
        switch adapter {
        case .sqlite:
            let file = app.folder.file("read-models.sql")
            try sql.write(toFile: file, atomically: true, encoding: .utf8)
            let made = try await Program("/usr/bin/sqlite3", [app.folder.events + ".read-models", ".read \(file)"])
                .finish()
            #expect(made.status == 0, "\(made)")
        case .postgres:
            let schema = (app.environment["DISCO_EVENT_STORE_POSTGRES_SCHEMA"] ?? "") + "_made"
            never["DISCO_READ_MODELS_POSTGRES_SCHEMA"] = schema
            let made = try await TestDatabase().run(
                "CREATE SCHEMA \(schema); " + sql.replacing("\"disco_read_models\"", with: "\"\(schema)\""))
            #expect(made.status == 0, "\(made)")
        }
        #expect(try await app.run("migrate").status == 0)
        let listed = try await app.run("consumers", more: never)
        #expect(listed.status == 0, "\(listed)")
    }

    @Test func usageErrorsAndInvalidSettingsAreDistinguished() async throws {
        let app = try App(.sqlite)
        let usage = try await app.run("read")
        #expect(usage.status == 64)
        #expect(usage.errors.contains("Specify a stream, --category or --all, and only one of them."))
        let memory = try await app.run("stats", more: ["DISCO_EVENT_STORE_ADAPTER": "memory"])
        #expect(memory.status == 78)
        let missing = try await app.run("stats", more: ["DISCO_EVENT_STORE_ADAPTER": "postgres"])
        #expect(missing.status == 78)
        #expect(missing.errors.contains("DISCO_EVENT_STORE_POSTGRES_URL) is missing"))
        let secret = "postgresql://me:s3cret@127.0.0.1:1/x"
        let gone = try await app.run(
            "stats", more: ["DISCO_EVENT_STORE_ADAPTER": "postgres", "DISCO_EVENT_STORE_POSTGRES_URL": secret])
        #expect(gone.status == 1)
        #expect(try JSONText(gone.errors).value()["error"] == "store_unavailable")
        #expect(!gone.errors.contains("s3cret"))
        let malformed = try await app.run(
            "stats",
            more: [
                "DISCO_EVENT_STORE_ADAPTER": "postgres", "DISCO_EVENT_STORE_POSTGRES_URL": "postgresql://me:s3cret@[x",
            ])
        #expect(malformed.status == 78)
        #expect(!malformed.errors.contains("s3cret"))
    }

    @Test(arguments: ["config.yaml", "config.json"]) func theEnvironmentOverridesAFile(name: String) async throws {
        let app = try App(.sqlite)
        let path = app.folder.file("from-file.sqlite")
        let text =
            name.hasSuffix("yaml")
            ? "disco:\n  eventStore:\n    adapter: papyrus\n    sqlite:\n      path: \(path)\n"
            : #"{"disco": {"eventStore": {"adapter": "papyrus", "sqlite": {"path": "\#(path)"}}}}"#
        try text.write(toFile: app.folder.file(name), atomically: true, encoding: .utf8)
        let file = ["DISCO_CONFIG_FILE": app.folder.file(name)]
        // The environment sets the adapter, and the file sets the path.
        let environment = ["DISCO_EVENT_STORE_ADAPTER": "sqlite"].merging(file) { $1 }
        let done = try await Program("EventStoreApp", ["migrate"], environment: environment).finish()
        #expect(done.status == 0, "\(done)")
        #expect(FileManager.default.fileExists(atPath: path))
        let alone = try await Program("EventStoreApp", ["migrate"], environment: file).finish()
        #expect(alone.status == 78)
        #expect(alone.errors.contains("papyrus"))
        let missing = try await Program(
            "EventStoreApp", ["migrate"], environment: ["DISCO_CONFIG_FILE": app.folder.file("none.yaml")]
        ).finish()
        #expect(missing.status == 78)
    }
}
