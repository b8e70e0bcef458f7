import DiscoCore
import Foundation
import TestSupport
import Testing

@Suite struct WalletAppTests {
    private let folder: TemporaryFolder

    init() throws { folder = try TemporaryFolder() }

    private func run(_ arguments: String..., adapter: String = "sqlite") async throws -> Program.Result {
        try await Program(
            "WalletApp", arguments,
            environment: ["DISCO_EVENT_STORE_ADAPTER": adapter, "DISCO_EVENT_STORE_SQLITE_PATH": folder.events]
        ).finish()
    }

    private func json(_ text: String) throws -> JSON {
        try JSONText(text).value()
    }

    @Test func theDemoTellsItOnPostgreSQLToo() async throws {
        let golden = URL(filePath: #filePath).deletingLastPathComponent().appending(path: "demo.txt")
        let database = try TestDatabase()
        let result = try await Program(
            "WalletApp", ["demo"],
            environment: [
                "DISCO_EVENT_STORE_ADAPTER": "postgres", "DISCO_EVENT_STORE_POSTGRES_URL": database.url,
                "DISCO_EVENT_STORE_POSTGRES_SCHEMA": database.schema,
                "DISCO_READ_MODELS_POSTGRES_SCHEMA": database.schema + "r",
            ]
        ).finish()
        #expect(result.status == 0, "\(result)")
        #expect(result.output == (try String(contentsOf: golden, encoding: .utf8)))
    }

    @Test(arguments: ["sqlite", "memory"])
    func theDemoTellsItsStory(adapter: String) async throws {
        let golden = URL(filePath: #filePath).deletingLastPathComponent().appending(path: "demo.txt")
        let result = try await run("demo", adapter: adapter)
        #expect(result.status == 0)
        #expect(result.errors == "")
        #expect(result.output == (try String(contentsOf: golden, encoding: .utf8)))
    }

    @Test func oneProcessDispatchesAndTheNextAgrees() async throws {
        let user = "13bb0000-0000-4000-8000-000000000001"
        let created = try json(
            try await run("dispatch", "create_wallet", #"{"user_id": "\#(user)", "balance": 10.10}"#).output)
        let id = try #require(created["id"]?.string)
        #expect(try await run("dispatch", "deposit_money", #"{"id": "\#(id)", "amount": 0.20}"#).status == 0)
        let listed = try json(try await run("query", "list_wallets", #"{"user_id": "\#(user)"}"#).output)
        #expect(listed == [["id": .string(id), "user_id": .string(user), "balance": 10.3]])
        let history = try json(try await run("query", "wallet_history", #"{"id": "\#(id)"}"#).output)
        #expect(history.array?.map { $0["type"] } == ["WalletCreated", "MoneyDeposited"])
    }

    @Test func everyFaultyFieldIsNamed() async throws {
        let result = try await run("dispatch", "create_wallet", #"{"balance": -1}"#)
        #expect(result.status == 1)
        #expect(result.output == "")
        #expect(
            try json(result.errors) == [
                "error": "validation", "message": "Not as they must be: balance, user_id.",
                "fields": ["user_id": ["must be a valid UUID string"], "balance": ["must be at least 0"]],
            ])
        let query = try await run("query", "list_wallets")
        #expect(query.status == 1)
        #expect(
            try json(query.errors) == [
                "error": "validation", "message": "Not as they must be: user_id.",
                "fields": ["user_id": ["must be a valid UUID string"]],
            ])
    }

    @Test func whatIsUnknownIsAnsweredWithWhatIsKnown() async throws {
        let command = try json(try await run("dispatch", "nope", "{}").errors)
        #expect(command["error"] == "unknown_command")
        #expect(command["known"] == (try json(try await run("commands").output)))
        let query = try json(try await run("query", "nope").errors)
        #expect(query["error"] == "unknown_query")
        #expect(query["known"] == (try json(try await run("queries").output)))
    }

    @Test func theMemoryStoreIsNotSharedAndSaysSo() async throws {
        let result = try await run("query", "list_wallets", "{}", adapter: "memory")
        #expect(result.status == 78)
        #expect(try json(result.errors)["message"]?.string?.hasPrefix("The memory store ends with its process") == true)
    }

    @Test func aWrongSettingIsRefusedInOneLineThatNamesIt() async throws {
        let result = try await run("commands", adapter: "papyrus")
        #expect(result.status == 78)
        #expect(result.output == "")
        #expect(
            result.errors == """
                {"error":"configuration","message":"disco.eventStore.adapter (in the environment DISCO_EVENT_STORE_ADAPTER) is \\"papyrus\\"; allowed are memory, sqlite, and postgres."}

                """)
    }

    @Test(arguments: ["/proc/no/folder/events.sqlite", "/dev/null"])
    func aFileThatCannotBeOpenedIsRefusedInOneLine(path: String) async throws {
        let result = try await Program(
            "WalletApp", ["query", "list_wallets", "{}"], environment: ["DISCO_EVENT_STORE_SQLITE_PATH": path]
        ).finish()
        #expect(result.status == 1)
        #expect(result.errors.filter { $0 == "\n" }.count == 1, "\(result.errors)")
        #expect(try json(result.errors)["message"]?.string?.contains(path) == true, "\(result.errors)")
    }

    @Test func wrongUsageEndsWith64AndHelp() async throws {
        let result = try await run("dispatch", "create_wallet")
        #expect(result.status == 64)
        #expect(result.errors.contains("Usage: WalletApp dispatch <name> <fields>"))
    }
}
