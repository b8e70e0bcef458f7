#if HTTP
import DiscoCore
import DiscoHTTP
import Foundation
import Logging
import NIOCore
import TestSupport
import Testing
import WalletDomain

/// What `POST /commands/{name}` answers.
@Suite(.timeLimit(.minutes(1))) struct CommandTests {
    private let user = UUID().uuidString.lowercased()

    @Test(arguments: Adapter.allCases)
    func aCommandIsRunAndAnsweredWithItsResultAndItsPosition(adapter: Adapter) async throws {
        try await withWallets(adapter) { server, wallets in
            let opened = try await server.ask(
                "POST", "/commands/create_wallet", #"{"user_id": "\#(user)", "balance": 12.50}"#)
            #expect(opened.status == 200)
            #expect(opened.header("Content-Type") == "application/json")
            #expect(opened.header("Disco-Position") == "1")
            #expect(opened.header("Idempotent-Replayed") == nil)
            #expect(opened.json["balance"] == 12.5)
            #expect(opened.json["user_id"] == .string(user))
            let id = try #require(opened.json["id"]?.string)
            let deposited = try await server.ask(
                "POST", "/commands/deposit_money", #"{"id": "\#(id)", "amount": 0.1}"#)
            #expect(deposited.json["balance"] == 12.6)
            #expect(deposited.header("Disco-Position") == "2")
            let noticed = try await server.ask("POST", "/commands/notice_low_balance", #"{"id": "\#(id)"}"#)
            #expect(noticed.status == 200)
            // There was nothing to record.
            #expect(noticed.header("Disco-Position") == nil)
        }
    }

    @Test func invalidFieldsAreRefusedWithTheMessagesOfEach() async throws {
        try await withWallets { server, wallets in
            let refused = try await server.ask(
                "POST", "/commands/create_wallet", #"{"user_id": "ada", "balance": -1, "colour": "red"}"#)
            #expect(refused.status == 400)
            #expect(refused.header("Content-Type") == "application/problem+json")
            #expect(refused.error == "validation")
            #expect(refused.json["kind"] == "invalid")
            #expect(refused.json["type"] == "/problems/validation")
            #expect(refused.messages("user_id") == ["must be a valid UUID string"])
            #expect(refused.messages("balance") == ["must be at least 0"])
            #expect(refused.messages("colour") == ["is not a known field"])
            #expect(try await wallets.client.head() == 0)
        }
    }

    @Test func refusalsHaveTheStatusOfTheirKind() async throws {
        try await withWallets { server, _ in
            let unknown = try await server.ask("POST", "/commands/rob_bank", "{}")
            #expect(unknown.status == 404)
            #expect(unknown.error == "unknown_command")
            #expect(unknown.json["known"]?.array?.contains("create_wallet") == true)
            let missing = try await server.ask(
                "POST", "/commands/deposit_money", #"{"id": "\#(user)", "amount": 1}"#)
            #expect(missing.status == 404)
            #expect(missing.error == "aggregate_not_found")
            let opened = try await server.ask(
                "POST", "/commands/create_wallet", #"{"user_id": "\#(user)", "balance": 1}"#)
            let id = try #require(opened.json["id"]?.string)
            let overdrawn = try await server.ask(
                "POST", "/commands/withdraw_money", #"{"id": "\#(id)", "amount": 5}"#)
            #expect(overdrawn.status == 409)
            #expect(overdrawn.error == "insufficient_funds")
            #expect(overdrawn.json["amount"] == 5)
            let method = try await server.ask("GET", "/commands/deposit_money")
            #expect(method.status == 405)
            #expect(method.header("Allow") == "POST")
            #expect(try await server.ask("POST", "/commands", "{}").status == 405)
            #expect(try await server.ask("GET", "/nothing").error == "no_such_route")
        }
        try await withServer(samples) { server, _ in
            func force(_ way: String) async throws -> RunningServer.Answer {
                try await server.ask("POST", "/commands/force_door", #"{"id": "front", "way": "\#(way)"}"#)
            }
            #expect(try await force("gone").status == 410)
            let busy = try await force("busy")
            #expect(busy.status == 503)
            #expect(busy.header("Retry-After") == "1")
        }
    }

    @Test func theCauseOfAnErrorInTheServerIsForItsLogOnly() async throws {
        let log = LogCollector()
        try await withServer(samples, log: log) { server, _ in
            for way in ["broken", "unknown"] {
                let failed = try await server.ask(
                    "POST", "/commands/force_door", #"{"id": "front", "way": "\#(way)"}"#)
                #expect(failed.status == 500)
                #expect(!failed.text.contains("1234") && !failed.text.contains("Failure"), "\(failed.text)")
            }
        }
        #expect(log.messages.count { $0 == "force_door failed" } == 2)
        #expect(log.events.contains { "\($0.metadata ?? [:])".contains("The secret is 1234.") })
    }

    @Test(arguments: Adapter.allCases)
    func aCommandUnderOneKeyTakesEffectOnce(adapter: Adapter) async throws {
        try await withWallets(adapter) { server, wallets in
            let opened = try await server.ask(
                "POST", "/commands/create_wallet", #"{"user_id": "\#(user)", "balance": 1}"#,
                ["Idempotency-Key": "opening"])
            let id = try #require(opened.json["id"]?.string)
            let deposit = #"{"id": "\#(id)", "amount": 10}"#
            let first = try await server.ask(
                "POST", "/commands/deposit_money", deposit, ["Idempotency-Key": "order 77"])
            _ = try await server.ask("POST", "/commands/deposit_money", deposit)
            let again = try await server.ask(
                "POST", "/commands/deposit_money", #"{"amount": 10, "id": "\#(id)"}"#,
                ["Idempotency-Key": "order 77"])
            #expect(again.status == 200)
            #expect(again.text == first.text)
            #expect(again.header("Disco-Position") == first.header("Disco-Position"))
            #expect(again.header("Idempotent-Replayed") == "true")
            let other = try await server.ask(
                "POST", "/commands/deposit_money", #"{"id": "\#(id)", "amount": 11}"#,
                ["Idempotency-Key": "order 77"])
            #expect(other.status == 422)
            #expect(other.error == "idempotency_conflict")
            #expect(try await wallets.client.events(.types("MoneyDeposited")).collect().count == 2)
            for key in ["", "$mine", String(repeating: "k", count: 256)] {
                let refused = try await server.ask(
                    "POST", "/commands/deposit_money", deposit, ["Idempotency-Key": key])
                #expect(refused.status == 400)
                #expect(refused.messages("Idempotency-Key") == ["must be 1 to 255 bytes long and not begin with $"])
            }
            let twice = try await server.ask(
                "POST", "/commands/deposit_money", ByteBuffer(string: deposit),
                [("Idempotency-Key", "a"), ("Idempotency-Key", "b")])
            #expect(twice.messages("Idempotency-Key") == ["occurs twice"])
        }
    }

    @Test func aCommandWaitsForTheConsumersThatItNames() async throws {
        let create = #"{"user_id": "\#(user)", "balance": 1}"#
        try await withWallets { server, _ in
            let opened = try await server.ask("POST", "/commands/create_wallet", create, ["Disco-Await": "wallets"])
            #expect(opened.status == 200)
            #expect(opened.header("Disco-Behind") == nil)
            #expect(try await server.ask("GET", "/queries/list_wallets?user_id=\(user)").json.array?.count == 1)
            let unknown = try await server.ask("POST", "/commands/create_wallet", create, ["Disco-Await": "nobody"])
            #expect(unknown.error == "unknown_consumer")
        }
        try await withWallets(
            consuming: false, change: { $0.limits.waitTime = .milliseconds(20) },
            { server, _ in
                let opened = try await server.ask(
                    "POST", "/commands/create_wallet", create, ["Disco-Await": " wallets ,"])
                // The command is recorded nevertheless.
                #expect(opened.status == 200)
                #expect(opened.header("Disco-Behind") == "wallets")
                #expect(opened.header("Disco-Position") == "1")
            })
    }

    private static let bodies: [(body: String, error: String)] = [
        ("", "body_missing"), (" ", "invalid_json"), ("{", "invalid_json"), ("nil", "invalid_json"),
        (#"{"id": "front""#, "invalid_json"), ("{} {}", "invalid_json"), ("id=front", "invalid_json"),
        (#"{"id": "\ud800"}"#, "invalid_json"), ("{\"id\": \"a\u{0}b\"}", "invalid_json"),
        (String(repeating: "[", count: 100_000), "invalid_json"),
        (#"{"note": "# + String(repeating: "[", count: 600) + String(repeating: "]", count: 600) + "}", "invalid_json"),
        ("null", "validation"), ("[]", "validation"), ("7", "validation"), ("{}", "validation"),
        (#"{"id": 1e400}"#, "validation"), (#"{"id": -9223372036854775808}"#, "validation"),
        (#"{"id": {"id": {}}}"#, "validation"), (#"{"id": ""}"#, "validation"), (#"{"id": "\u0000"}"#, "validation"),
        (#"{"id": "\#(String(repeating: "x", count: 5000))"}"#, "validation"),
    ]

    @Test(arguments: bodies) func aHostileBodyIsRefused(body: String, error: String) async throws {
        try await withServer(samples) { server, client in
            let refused = try await server.ask("POST", "/commands/open_door", body)
            #expect(refused.status == 400, "\(refused.text)")
            #expect(refused.error == error)
            #expect(try await client.head() == 0)
        }
    }

    @Test func bodiesOfOtherTypesAndSizesAreRefused() async throws {
        try await withServer(
            samples, change: { $0.limits.bodyBytes = 1000 },
            { server, client in
                func open(_ type: String, _ body: ByteBuffer) async throws -> RunningServer.Answer {
                    try await server.ask("POST", "/commands/open_door", body, [("Content-Type", type)])
                }
                let door = ByteBuffer(string: #"{"id": "front"}"#)
                for type in ["text/plain", "application/x-www-form-urlencoded", "multipart/form-data; boundary=x", ""] {
                    #expect(try await open(type, door).status == 415)
                }
                let large = ByteBuffer(string: #"{"id": "front", "note": "\#(String(repeating: "x", count: 2000))"}"#)
                #expect(try await open("application/json", large).status == 413)
                let broken = ByteBuffer(bytes: Array(#"{"id": ""#.utf8) + [0xFF, 0xC0] + Array(#""}"#.utf8))
                #expect(try await open("application/json", broken).error == "invalid_json")
                #expect(try await client.head() == 0)
                #expect(try await open("Application/JSON; charset=utf-8", door).status == 200)
                // Two names that look alike are two doors.
                #expect(try await open("application/json", ByteBuffer(string: "{\"id\": \"\u{E9}\"}")).status == 200)
                let combined = try await open("application/json", ByteBuffer(string: "{\"id\": \"e\u{301}\"}"))
                #expect(combined.header("Disco-Position") == "3")
            })
    }
}
#endif
