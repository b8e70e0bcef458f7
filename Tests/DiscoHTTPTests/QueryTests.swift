#if HTTP
import DiscoCore
import DiscoHTTP
import Foundation
import TestSupport
import Testing
import WalletDomain

/// What `GET` and `POST /queries/{name}` answer.
@Suite(.timeLimit(.minutes(1))) struct QueryTests {
    private func withEcho(_ body: (RunningServer) async throws -> Void) async throws {
        try await withServer(samples) {
            server, _ in
            try await body(server)
        }
    }

    @Test func parametersHaveTheTypesOfTheirFields() async throws {
        try await withEcho { server in
            let id = UUID().uuidString.lowercased()
            let asked = try await server.ask(
                "GET",
                "/queries/echo?text=12&count=-9223372036854775808&price=0.10&ratio=1.5&isOpen=true&id=\(id)"
                    + "&day=2026-01-31T12:00:00Z&size=big&words=%5B%22a%22,%22b%2Cc%22%5D&more=%7B%22x%22:null%7D")
            #expect(asked.status == 200, "\(asked.text)")
            #expect(asked.json["text"] == "12")
            #expect(asked.json["count"] == JSON(Int.min))
            #expect(asked.json["price"] == 0.1)
            #expect(asked.json["isOpen"] == true)
            #expect(asked.json["id"] == .string(id))
            #expect(asked.json["size"] == "big")
            #expect(asked.json["words"] == ["a", "b,c"])
            #expect(asked.json["more"] == ["x": nil])
            let posted = try await server.ask("POST", "/queries/echo", asked.text)
            #expect(posted.json == asked.json)
            let short = try await server.ask("GET", "/queries/echo?text=a+b%20%C3%A9%00&count=1")
            #expect(short.json["text"] == "a b \u{E9}\0")
        }
    }

    @Test func invalidParametersAreRefusedWithTheMessagesOfEach() async throws {
        try await withEcho { server in
            let refused = try await server.ask(
                "GET", "/queries/echo?count=many&price=cheap&isOpen=yes&id=1&day=today&size=huge&words=a&ratio=")
            #expect(refused.status == 400)
            #expect(refused.messages("text") == ["is required"])
            #expect(refused.messages("count") == ["must be an integer"])
            #expect(refused.messages("price") == ["must be a number"])
            #expect(refused.messages("ratio") == ["must be a number"])
            #expect(refused.messages("isOpen") == ["must be true or false"])
            #expect(refused.messages("size") == ["must be one of: small, big"])
            #expect(refused.messages("words") == ["must be a list"])
            let large = try await server.ask("GET", "/queries/echo?text=&count=9223372036854775808")
            #expect(large.messages("count") == ["must be an integer"])
            let unknown = try await server.ask("GET", "/queries/echo?text=a&count=1&limit=3&limit=4")
            #expect(unknown.messages("limit") == ["is not a known parameter"])
            let twice = try await server.ask("GET", "/queries/echo?text=a&text=b&count=1")
            #expect(twice.messages("text") == ["occurs twice"])
            #expect(try await server.ask("GET", "/queries/echo?text=%FF&count=1").error == "invalid_request")
            let both = try await server.ask("POST", "/queries/echo?text=a", #"{"text": "a", "count": 1}"#)
            #expect(both.messages("text") == ["is not a known parameter"])
            for path in ["/queries/nothing", "/queries/nothing?id=1", "/queries/%00", "/queries/echo%20"] {
                let answer = try await server.ask("GET", path)
                #expect(answer.status == 404)
                #expect(answer.error == "unknown_query")
            }
        }
    }

    @Test func aNameThatUrlsEscapeAndAShapeThatIsNotKnownWorkToo() async throws {
        try await withEcho { server in
            for path in ["/queries/%C3%BCberblick", "/queries/%c3%bcber%62lick"] {
                let answer = try await server.ask("GET", path)
                #expect(answer.json == 42, "\(answer.text)")
            }
            let veiled = try await server.ask("GET", "/queries/veiled?code=x&other=7")
            #expect(veiled.json == ["x", "7"], "\(veiled.text)")
            #expect(try await server.ask("GET", "/queries/veiled?code=&other=7").status == 400)
        }
    }

    @Test(arguments: Adapter.allCases)
    func aQueryIncludesThePositionThatItNames(adapter: Adapter) async throws {
        try await withWallets(adapter) { server, _ in
            let user = UUID().uuidString.lowercased()
            for number in 1...20 {
                let opened = try await server.ask(
                    "POST", "/commands/create_wallet", #"{"user_id": "\#(user)", "balance": \#(number)}"#)
                let position = try #require(opened.header("Disco-Position"))
                let listed = try await server.ask(
                    "GET", "/queries/list_wallets?user_id=\(user)", nil, ["Disco-Position": position])
                #expect(listed.status == 200)
                #expect(listed.json.array?.count == number)
                #expect(listed.header("Disco-Position") == position)
                let posted = try await server.ask(
                    "POST", "/queries/list_wallets", #"{"user_id": "\#(user)"}"#, ["Disco-Position": position])
                #expect(posted.json == listed.json)
            }
        }
    }

    @Test func aQueryThatCannotIncludeThePositionSaysSo() async throws {
        try await withWallets(
            consuming: false, change: { $0.limits.waitTime = .milliseconds(20) },
            { server, _ in
                let user = UUID().uuidString.lowercased()
                let opened = try await server.ask(
                    "POST", "/commands/create_wallet", #"{"user_id": "\#(user)", "balance": 1}"#)
                let id = try #require(opened.json["id"]?.string)
                let path = "/queries/find_wallet?id=\(id)"
                let behind = try await server.ask("GET", path, nil, ["Disco-Position": "1"])
                #expect(behind.status == 503)
                #expect(behind.error == "consumers_behind")
                #expect(behind.header("Retry-After") == "1")
                #expect(behind.json["consumers"]?.array?.count == 1)
                #expect(behind.json["detail"]?.string?.contains("is it running?") == true)
                // One that reads the events does not wait.
                let history = try await server.ask(
                    "GET", "/queries/wallet_history?id=\(id)", nil, ["Disco-Position": "1"])
                #expect(history.json.array?.count == 1)
                #expect(try await server.ask("GET", path, nil, ["Disco-Position": "0"]).status == 200)
                for position in ["", "-1", "+1", "1.0", "one", "9223372036854775808", "1 2", "\u{661}"] {
                    let refused = try await server.ask("GET", path, nil, ["Disco-Position": position])
                    #expect(refused.status == 400, "\(position)")
                    #expect(
                        refused.messages("Disco-Position") == ["must be a position: a whole number from 0"],
                        "\(position)")
                }
                let beyond = try await server.ask("GET", path, nil, ["Disco-Position": "\(Int64.max)"])
                #expect(beyond.status == 400)
                #expect(
                    beyond.messages("Disco-Position") == [
                        "must not be beyond the last position of the store, which is 1"
                    ])
            })
    }

    @Test func aRequestThatTakesTooLongIsCutOff() async throws {
        try await withServer(
            samples, change: { $0.limits.requestTime = .milliseconds(50) },
            { server, _ in
                let late = try await server.ask("GET", "/queries/linger")
                #expect(late.status == 408)
                #expect(late.error == "request_timeout")
            })
    }
}
#endif
