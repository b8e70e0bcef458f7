#if HTTP
import DiscoCore
import DiscoEventStore
import DiscoEventStoreServer
import Foundation
import TestSupport
import Testing

/// What each route answers.
@Suite(.timeLimit(.minutes(1))) struct ServerRoutesTests {
    @Test func eventsAreAppendedAndRead() async throws {
        try await withServer { server in
            let one = try await server.ask(
                "POST", "/streams/wallet-1/events", #"{"type": "WalletOpened", "payload": {"balance": 12.50}}"#,
                ["Expected-Version": "none"])
            #expect(one.status == 201)
            #expect(one.header("Location") == "/streams/wallet-1/events?from=1&to=1")
            #expect(one.header("ETag") == "\"1\"")
            #expect(one.header("Disco-API") == "1")
            let two = try await server.ask(
                "POST", "/streams/wallet-1/events", #"[{"type": "A", "tags": ["x"]}, {"type": "B"}]"#,
                ["If-Match": "\"1\""])
            #expect(two.json["events"]?.array?.map { $0["version"] } == [2, 3])
            let page = try await server.ask("GET", "/streams/wallet-1/events?from=1&to=2")
            #expect(page.json["events"]?.array?.map { $0["type"] } == ["WalletOpened", "A"])
            // The payload comes back as it was sent, digit for digit.
            #expect(page.text.contains(#""payload":{"balance": 12.50}"#))
            let back = try await server.ask("GET", "/events?direction=backward&limit=1")
            #expect(back.json["events"]?.array?.map { $0["type"] } == ["B"])
            #expect(back.json["has_more"] == true)
            let tagged = try await server.ask("GET", "/events?tags=x")
            #expect(tagged.json["events"]?.array?.map { $0["position"] } == [2])
            let either = try await server.ask(
                "GET",
                "/events?query=%7B%22items%22%3A%5B%7B%22types%22%3A%5B%22B%22%5D%7D%2C%7B%22tags%22%3A%5B%22x%22%5D%7D%5D%7D"
            )
            #expect(either.json["events"]?.array?.map { $0["position"] } == [2, 3])
            let lines = try await server.ask("GET", "/events", nil, ["Accept": "application/x-ndjson"])
            #expect(lines.lines.map { $0["version"] } == [1, 2, 3])
            let clouds = try await server.ask(
                "GET", "/events?types=A", nil, ["Accept": "application/cloudevents-batch+json"])
            #expect(clouds.json.array?[0]["subject"] == "wallet-1")
            #expect(clouds.json.array?[0]["specversion"] == "1.0")
            #expect(clouds.json.array?[0]["sequence"] == "2")
            #expect(try await server.ask("GET", "/head").json == ["head": 3])
            let id = try #require(page.json["events"]?.array?[0]["id"]?.string)
            #expect(try await server.ask("GET", "/events/\(id)").json["type"] == "WalletOpened")
            #expect(try await server.ask("GET", "/events/\(UUID().uuidString)").status == 404)
            let found = try await server.ask("HEAD", "/streams/wallet-1")
            #expect(found.status == 200)
            #expect(found.header("ETag") == "\"3\"")
            #expect(try await server.ask("HEAD", "/streams/wallet-2").status == 404)
            #expect(try await server.ask("GET", "/streams/wallet-2/events").json["error"] == "unknown_stream")
            #expect(
                try await server.ask("GET", "/streams").json == ["streams": [["stream": "wallet-1", "version": 3]]])
            #expect(try await server.ask("GET", "/counts?after=1").json == ["count": 2])
        }
    }

    @Test func aPageIsBoundedWhateverIsAskedFor() async throws {
        let client = EventStoreClient(InMemoryEventStore())
        try await client.append(
            Append((0...10_000).map { NewEvent(stream: StreamID("a-\($0)"), type: "Small", payload: "{}") }))
        let large = JSONText(.string(String(repeating: "x", count: 900_000)))
        try await client.append(
            Append((0..<8).map { NewEvent(stream: StreamID("b-\($0)"), type: "Large", payload: large) }))
        try await withServer(client.store) { server in
            let bounds = #""limit":1000000,"byte_limit":1000000000"#
            for (type, count) in [("Small", 10_000), ("Large", 5)] {
                let body = #"{"query":{"items":[{"types":["\#(type)"]}]},\#(bounds)}"#
                let page = try await server.ask("POST", "/pages", body)
                #expect(page.json["events"]?.array?.count == count, "\(page.text.prefix(300))")
                #expect(page.json["has_more"] == true)
            }
        }
    }

    @Test func aConflictTellsWhatTheCallerHasNotSeen() async throws {
        try await withServer { server in
            for _ in 1...2 { _ = try await server.ask("POST", "/streams/a-1/events", #"{"type": "T"}"#) }
            let path = "/streams/a-1/events"
            let stale = try await server.ask("POST", path, #"{"type": "T"}"#, ["Expected-Version": "1"])
            #expect(stale.status == 409)
            #expect(stale.header("Content-Type") == "application/problem+json")
            #expect(stale.json["type"] == "/problems/version_conflict")
            #expect(stale.json["streams"]?.array?[0]["unseen"]?.array?.count == 1)
            let conflict = try #require(try WireError(wire: JSONText(stale.text)).error as? VersionConflict)
            #expect(conflict.streams[0].actual == 2)
            #expect(try await server.ask("POST", path, #"{"type": "T"}"#, ["If-Match": "\"1\""]).status == 412)
            #expect(try await server.ask("POST", path, #"{"type": "T"}"#, ["If-None-Match": "*"]).status == 412)
            #expect(try await server.ask("POST", path, #"{"type": "T"}"#, ["If-Match": "*"]).status == 201)
            #expect(try await server.ask("POST", path, #"{"type": "T"}"#, ["If-Match": "1"]).status == 400)
            #expect(
                try await server.ask("POST", path, #"{"type": "T"}"#, ["If-Match": "*", "Expected-Version": "1"])
                    .status
                    == 400)
            #expect(try await server.ask("POST", path, #"{"type": "T"}"#, ["Expected-Version": "-1"]).status == 400)
        }
    }

    @Test func aKeyMakesARequestTakeEffectOnce() async throws {
        try await withServer { server in
            let path = "/streams/a-1/events"
            let key = ["Idempotency-Key": "k"]
            let first = try await server.ask("POST", path, #"{"type": "T", "payload": 1}"#, key)
            let again = try await server.ask("POST", path, #"{"type": "T", "payload": 1}"#, key)
            #expect(first.status == 201)
            #expect(again.status == 200)
            #expect(again.json["repeated"] == true)
            #expect(again.json["events"] == first.json["events"])
            let other = try await server.ask("POST", path, #"{"type": "T", "payload": 2}"#, key)
            #expect(other.status == 422)
            #expect(other.json["error"] == "idempotency_conflict")
            #expect(try await server.ask("POST", path, #"{"type": "T"}"#, ["Idempotency-Key": ""]).status == 400)
        }
    }

    @Test func aListOfAppendsIsAnsweredOneByOne() async throws {
        try await withServer { server in
            let id = UUID().uuidString.lowercased()
            let answer = try await server.ask(
                "POST", "/appends",
                """
                [{"events": [{"id": "\(id)", "stream": "a-1", "type": "T", "payload": {"n": 9007199254740993}}]},
                 {"events": [{"stream": "a-2", "type": "T"}], "expect": {"a-2": 5}},
                 {"events": [{"stream": "a-3", "type": "T"}], "expekt": {"a-3": 5}},
                 {"events": [{"id": "\(id)", "stream": "a-1", "type": "T", "payload": {"n": 9007199254740993}}]}]
                """)
            #expect(answer.status == 200)
            let outcomes = try #require(answer.json.array)
            #expect(outcomes.map { $0["error"] } == [nil, "version_conflict", "validation", nil])
            let ids = outcomes.compactMap { $0["events"]?.array?[0]["id"] }
            #expect(ids == [.string(id), .string(id)])
            #expect(try await server.ask("GET", "/head").json == ["head": 1])
            let single = try await server.ask("POST", "/appends", #"{"events": [{"stream": "a-1", "type": "T"}]}"#)
            #expect(single.status == 201)
        }
    }

    @Test func streamsAreDeletedRestoredAndErased() async throws {
        try await withServer { server in
            _ = try await server.ask("POST", "/streams/a-1/events", #"{"type": "T"}"#)
            #expect(try await server.ask("DELETE", "/streams/a-1").status == 204)
            #expect(try await server.ask("GET", "/streams/a-1/deletion").json == ["deleted": true])
            #expect(try await server.ask("POST", "/streams/a-1/events", #"{"type": "T"}"#).status == 410)
            #expect(try await server.ask("POST", "/streams/a-1/restore").status == 204)
            #expect(try await server.ask("DELETE", "/streams/none-1").status == 404)
            let erased = try await server.ask("POST", "/streams/a-1/erase", #"{"close": true}"#)
            #expect(erased.status == 403)
            #expect(erased.json["error"] == "erasing_not_allowed")
        }
    }

    @Test func namesInPathsArePercentEncoded() async throws {
        try await withServer { server in
            for name in ["a-/x y", "a-%", "a-é", "a-e\u{301}", "a-..", "a-\u{10FFFF}", "a-?#&=+"] {
                let path = "/streams/\(encoded(name))/events"
                let answer = try await server.ask("POST", path, #"{"type": "T"}"#)
                #expect(answer.status == 201, "\(name)")
                let location = try #require(answer.header("Location"))
                let read = try await server.ask("GET", location)
                #expect(read.json["events"]?.array?.map { $0["stream"] } == [.string(name)])
            }
            #expect(try await server.ask("GET", "/head").json == ["head": 7])
        }
    }

    private func encoded(_ name: String) -> String {
        name.utf8.map { "%" + ($0 < 16 ? "0" : "") + String($0, radix: 16) }.joined()
    }

    @Test(arguments: [
        ("GET", "/nothing", 404, "no_such_route"), ("GET", "/streams/", 405, "method_not_allowed"),
        ("PATCH", "/streams", 405, "method_not_allowed"), ("GET", "/events?aftr=1", 400, "validation"),
        ("GET", "/events?after=x", 400, "validation"), ("GET", "/events?after=-1", 400, "validation"),
        ("GET", "/events?after=99999999999999999999", 400, "validation"),
        ("GET", "/events?after=1&after=2", 400, "validation"), ("GET", "/events?limit=0", 400, "validation"),
        ("GET", "/events?as_of=NaN", 400, "validation"), ("GET", "/streams/a-%00/events", 400, "invalid_argument"),
        ("GET", "/events?tags=%00", 400, "invalid_argument"), ("GET", "/events/x", 400, "validation"),
        ("GET", "/../etc/passwd", 404, "no_such_route"),
        ("GET", "/streams/%2e%2e%2fetc/events", 400, "invalid_argument"),
        ("GET", "//events", 404, "no_such_route"), ("GET", "/events?query=%5B", 400, "invalid_json"),
        ("GET", "/verify?limit=0", 400, "validation"), ("DELETE", "/keys", 400, "validation"),
    ])
    func invalidRequestsAreRefused(method: String, path: String, status: Int, code: String) async throws {
        try await withServer { server in
            let answer = try await server.ask(method, path)
            #expect(answer.status == status, "\(answer)")
            #expect(answer.json["error"] == .string(code), "\(answer)")
            #expect(answer.json["status"] == JSON(status))
        }
    }

    @Test(arguments: [
        ("", 400, "body_missing"), ("{", 400, "invalid_json"), ("[", 400, "invalid_json"),
        ("null", 400, "validation"),
        ("[]", 400, "validation"), (#"{"type": 5}"#, 400, "validation"),
        (#"{"type": ""}"#, 400, "invalid_append"),
        (#"{"type": "T", "id": "x"}"#, 400, "validation"), (#"{"type": "T", "stream": "b-1"}"#, 400, "validation"),
        (#"{"type": "T", "typ": 1}"#, 400, "validation"), (#"{"type": "T", "type": "U"}"#, 400, "validation"),
        (#"{"type": "T", "type_version": 0}"#, 400, "invalid_append"),
        (#"{"type": "a\u0000"}"#, 400, "invalid_append"),
    ])
    func invalidEventsAreRefused(body: String, status: Int, code: String) async throws {
        try await withServer { server in
            let answer = try await server.ask("POST", "/streams/a-1/events", body)
            #expect(answer.status == status, "\(answer)")
            #expect(answer.json["error"] == .string(code), "\(answer)")
            #expect(try await server.ask("GET", "/head").json == ["head": 0])
        }
    }

    @Test func limitsAreRefusalsOfTheirOwn() async throws {
        let change = { (settings: inout EventStoreServer.Settings) in
            settings.limits.bodyBytes = 1000
            settings.limits.eventsPerAppend = 2
            settings.limits.appendsPerRequest = 1
        }
        try await withServer(change: change) { server in
            let big = #"{"type": "T", "payload": ""# + String(repeating: "x", count: 1000) + "\"}"
            #expect(try await server.ask("POST", "/streams/a-1/events", big).status == 413)
            let three = try await server.ask(
                "POST", "/streams/a-1/events", #"[{"type": "T"}, {"type": "T"}, {"type": "T"}]"#)
            #expect(three.status == 413)
            #expect(three.json["error"] == "too_many_events")
            let two = try await server.ask("POST", "/appends", #"[{"events": []}, {"events": []}]"#)
            #expect(two.json["error"] == "too_many_appends")
            let text = try await server.ask("POST", "/streams/a-1/events", "{}", ["Content-Type": "text/plain"])
            #expect(text.status == 415)
            #expect(try await server.ask("GET", "/events", nil, ["Accept": "text/html"]).status == 406)
            #expect(try await server.ask("GET", "/head", nil, ["Disco-API": "2"]).json["error"] == "api_version")
            // It serves on.
            #expect(try await server.ask("GET", "/head").json == ["head": 0])
        }
    }

    @Test func pagesElsewhereCannotUseTheServer() async throws {
        let change = { (settings: inout EventStoreServer.Settings) in settings.origins = ["https://app.example"] }
        try await withServer(change: change) { server in
            #expect(try await server.ask("GET", "/head", nil, ["Host": "evil.example"]).status == 421)
            #expect(try await server.ask("GET", "/head", nil, ["Origin": "https://evil.example"]).status == 403)
            let allowed = try await server.ask("GET", "/head", nil, ["Origin": "https://app.example"])
            #expect(allowed.status == 200)
            #expect(allowed.header("Access-Control-Allow-Origin") == "https://app.example")
            let preflight = try await server.ask(
                "OPTIONS", "/streams/a-1/events", nil, ["Origin": "https://app.example"])
            #expect(preflight.status == 204)
            #expect(preflight.header("Access-Control-Allow-Methods") == "GET, POST")
        }
    }

    @Test func healthVersionAndProblemsNeedNoToken() async throws {
        try await withServer { server in
            #expect(try await server.ask("GET", "/health/live").json["status"] == "live")
            #expect(try await server.ask("GET", "/health/ready").json["status"] == "ready")
            #expect(try await server.ask("GET", "/version").json == ["name": "disco", "api": 1])
            #expect(try await server.ask("GET", "/problems/version_conflict").json["kind"] == "conflict")
            #expect(try await server.ask("GET", "/problems/none").status == 404)
            #expect(try await server.ask("GET", "/metrics").status == 501)
            await server.store.close()
            let ready = try await server.ask("GET", "/health/ready")
            #expect(ready.status == 503)
            #expect(ready.json["reasons"]?.array?.isEmpty == false)
        }
    }
}
#endif
