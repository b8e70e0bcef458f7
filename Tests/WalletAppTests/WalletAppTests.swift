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

    @Test func theDemoRunsOnPostgreSQLToo() async throws {
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
    func theDemoRuns(adapter: String) async throws {
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

    private static let schema = URL(filePath: #filePath).deletingLastPathComponent()
        .appending(path: "../../Apps/WalletApp/events.json").standardized.path

    /// Recorded wallets stay readable: after an event type changes, `WalletApp schema Apps/WalletApp/events.json`
    /// prints what to do.
    @Test func theEventSchemaMatchesTheCommittedFile() async throws {
        let result = try await run("schema", "--check", Self.schema)
        #expect(result.status == 0, "\(result)")
    }

    @Test func aBreakingEventChangeIsRefusedWithAFix() async throws {
        let file = folder.file("events.json")
        let text = try String(contentsOfFile: Self.schema, encoding: .utf8)
        try text.replacing("MoneyWithdrawn", with: "MoneyTakenOut").write(
            toFile: file, atomically: true, encoding: .utf8)
        for result in [try await run("schema", "--check", file), try await run("schema", file)] {
            #expect(result.status == 1)
            let error = try json(result.errors)
            #expect(error["error"] == "schema_changed")
            #expect(
                error["problems"]?[0]?.string
                    == "MoneyTakenOut, version 1, is recorded, but nothing handles it. Add an `Upcaster` from it, or `.dropping(\"MoneyTakenOut\")`."
            )
        }
        let other = try await run("schema", folder.file("new.json"))
        #expect(other.status == 0)
        #expect(try String(contentsOfFile: folder.file("new.json"), encoding: .utf8) == text)
    }

    @Test func aKeyMakesACommandTakeEffectOnce() async throws {
        let fields = #"{"user_id": "13bb0000-0000-0000-0000-000000000001", "balance": 5}"#
        let first = try await run("dispatch", "create_wallet", fields, "--key", "k", "--details")
        let again = try await run("dispatch", "create_wallet", fields, "--key", "k", "--details")
        #expect(try json(first.output)["output"] == json(again.output)["output"])
        #expect(try json(first.output)["repeated"] == false)
        #expect(try json(again.output)["repeated"] == true)
        let id = try #require(try json(first.output)["output"]?["id"]?.string)
        let withdraw = #"{"id": "\#(id)", "amount": 5}"#
        for _ in 0..<2 {
            let result = try await run("dispatch", "withdraw_money", withdraw, "--key", "w")
            #expect(try json(result.output)["balance"] == 0)
        }
        let other = try await run("dispatch", "create_wallet", fields.replacing("5}", with: "6}"), "--key", "k")
        #expect(other.status == 1)
        #expect(
            try json(other.errors) == [
                "error": "idempotency_conflict", "kind": "conflict",
                "message": "The idempotency key k was already used for something else.",
                "key": "k",
            ])
    }

    @Test func aRepeatedTransferUnderAKeyReturnsItsFirstResult() async throws {
        let fields = #"{"user_id": "13bb0000-0000-0000-0000-000000000001", "balance": 5}"#
        let from = try #require(try json(await run("dispatch", "create_wallet", fields).output)["id"]?.string)
        let to = try #require(try json(await run("dispatch", "create_wallet", fields).output)["id"]?.string)
        let transfer = #"{"from": "\#(from)", "to": "\#(to)", "amount": 5}"#
        let first = try await run("dispatch", "transfer_money", transfer, "--key", "t")
        let again = try await run("dispatch", "transfer_money", transfer, "--key", "t")
        #expect(first.status == 0)
        #expect(first.output == again.output)
        #expect(try json(again.output).array?.map { $0["balance"] } == [0, 10])
    }

    @Test func aConsumerThatIsNotRunningIsAwaitedAndReported() async throws {
        let fields = #"{"user_id": "13bb0000-0000-0000-0000-000000000001", "balance": 5}"#
        let waited = try await run(
            "dispatch", "create_wallet", fields, "--await", "wallets", "--within", "0.1", "--details")
        #expect(waited.status == 0)
        #expect(try json(waited.output)["behind"]?[0]?["events"] == 1)
        #expect(try json(waited.errors)["warning"] == "consumers_behind")
        let list = #"{"user_id": "13bb0000-0000-0000-0000-000000000001"}"#
        let query = try await run("query", "list_wallets", list, "--after", "1", "--within", "0.1")
        #expect(query.status == 1)
        #expect(try json(query.errors)["error"] == "consumers_behind")
        // A query without a position updates the read model itself.
        #expect(try json(await run("query", "list_wallets", list).output).array?.count == 1)
        #expect(try json(await run("query", "list_wallets", list, "--after", "1").output).array?.count == 1)
        let unknown = try await run("dispatch", "create_wallet", fields, "--await", "nobody")
        #expect(try json(unknown.errors)["error"] == "unknown_consumer")
        #expect(try json(await run("query", "list_wallets", list).output).array?.count == 1)
    }

    @Test func allInvalidFieldsAreNamed() async throws {
        let result = try await run("dispatch", "create_wallet", #"{"balance": -1}"#)
        #expect(result.status == 1)
        #expect(result.output == "")
        #expect(
            try json(result.errors) == [
                "error": "validation", "kind": "invalid", "message": "Invalid fields: balance, user_id.",
                "fields": ["user_id": ["must be a valid UUID string"], "balance": ["must be at least 0"]],
            ])
        let query = try await run("query", "list_wallets")
        #expect(query.status == 1)
        #expect(
            try json(query.errors) == [
                "error": "validation", "kind": "invalid", "message": "Invalid fields: user_id.",
                "fields": ["user_id": ["must be a valid UUID string"]],
            ])
    }

    @Test func anUnknownNameIsAnsweredWithTheKnownNames() async throws {
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
        #expect(try json(result.errors)["message"]?.string?.hasPrefix("The memory store is lost when") == true)
    }

    @Test func anInvalidSettingIsReportedInOneLineThatNamesIt() async throws {
        let result = try await run("commands", adapter: "papyrus")
        #expect(result.status == 78)
        #expect(result.output == "")
        #expect(
            result.errors == """
                {"error":"configuration","kind":"internal","message":"disco.eventStore.adapter (in the environment DISCO_EVENT_STORE_ADAPTER) is \\"papyrus\\"; allowed values: memory, sqlite, postgres, and remote."}

                """)
    }

    @Test(arguments: ["/proc/no/folder/events.sqlite", "/dev/null"])
    func aFileThatCannotBeOpenedIsReportedInOneLine(path: String) async throws {
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
