#if HTTP
import DiscoCore
import DiscoEventStore
import DiscoHTTP
import Foundation
import Hummingbird
import Logging
import TestSupport
import Testing

/// Who may use the server, and what is recorded about it.
@Suite(.timeLimit(.minutes(1))) struct CallerTests {
    private static let authenticate: OrchestratorServer.Authentication = { request in
        guard let token = request.headers[.authorization] else { throw NotAuthenticated() }
        guard token != "Bearer eve" else { throw NotAuthorized(name: "anything") }
        let name = String(token.dropFirst("Bearer ".count))
        return .init(name: name, metadata: Metadata(values: JSONText(["user": .string(name)])))
    }

    private func orchestrator(_ client: EventStoreClient) -> Orchestrator {
        Orchestrator(
            client: client, aggregates: [Door.self], queries: [WhoAmI.self],
            middleware: [
                AuthorizationMiddleware { call in
                    call.name != "force_door" || OrchestratorServer.Caller.current?.name == "ada"
                }
            ])
    }

    @Test func theAppTellsWhoTheCallerIs() async throws {
        let log = LogCollector()
        try await withServer(orchestrator, log: log, authenticate: Self.authenticate) { server, client in
            func ask(_ who: String?, _ method: String, _ path: String, _ body: String? = nil, key: String? = nil)
                async throws -> RunningServer.Answer
            {
                var headers: [String: String] = [:]
                headers["Authorization"] = who.map { "Bearer " + $0 }
                headers["Idempotency-Key"] = key
                return try await server.ask(method, path, body, headers)
            }
            for (method, path) in [
                ("POST", "/commands/open_door"), ("GET", "/queries/who_am_i"), ("POST", "/queries/who_am_i"),
                ("GET", "/commands"), ("GET", "/queries"), ("POST", "/commands/other"), ("GET", "/queries/other"),
            ] {
                let stranger = try await ask(nil, method, path, method == "POST" ? "{}" : nil)
                #expect(stranger.status == 401)
                #expect(stranger.error == "not_authenticated")
                #expect(stranger.header("WWW-Authenticate") == "Bearer")
                #expect(try await ask("eve", method, path, method == "POST" ? "{}" : nil).status == 403)
            }
            for path in ["/openapi.json", "/health/live", "/health/ready", "/version", "/problems/draining"] {
                #expect(try await ask(nil, "GET", path).status == 200)
            }
            #expect(try await ask("bob", "GET", "/queries/who_am_i").json == "bob")
            let force = #"{"id": "front", "way": "gone"}"#
            #expect(try await ask("bob", "POST", "/commands/force_door", force).error == "not_authorized")
            #expect(try await ask("ada", "POST", "/commands/force_door", force).status == 410)
            let opened = try await ask("bob", "POST", "/commands/open_door", #"{"id": "front"}"#, key: "1")
            #expect(opened.status == 200)
            // Another caller's key is another key.
            let other = try await ask("ada", "POST", "/commands/open_door", #"{"id": "back"}"#, key: "1")
            #expect(other.header("Disco-Position") == "2")
            let events = try await client.events().collect()
            #expect(events.map { $0.metadata["user"] } == ["bob", "ada"])
        }
        let lines = log.events.filter { $0.message.description == "POST /commands/open_door 200" }
        #expect(lines.map { $0.metadata?["caller"]?.description } == ["bob", "ada"])
        #expect(lines.allSatisfy { $0.level == .info && $0.metadata?["ms"] != nil })
    }

    private static let trace = "4bf92f3577b34da6a3ce929d0e0e4736"
    private static let span = "00f067aa0ba902b7"

    @Test func theTraceOfARequestIsRecorded() async throws {
        try await withServer(orchestrator) { server, client in
            func open(_ door: String, _ headers: [(String, String)]) async throws -> Metadata {
                let answer = try await server.ask(
                    "POST", "/commands/open_door", .init(string: #"{"id": "\#(door)"}"#), headers)
                #expect(answer.status == 200)
                let events = try await client.events(in: Door.streamID(door)).collect()
                return try #require(events.last).metadata
            }
            let (trace, span) = (Self.trace, Self.span)
            let id = UUID(uuidString: "4bf92f35-77b3-4da6-a3ce-929d0e0e4736")
            let traced = try await open(
                "1",
                [("traceparent", "00-\(trace)-\(span)-01"), ("tracestate", "a=1"), ("tracestate", "b=2")])
            #expect(traced.correlationID == id)
            #expect(traced.trace == ["traceparent": "00-\(trace)-\(span)-01", "tracestate": "a=1,b=2"])
            let later = try await open("2", [("traceparent", "cc-\(trace)-\(span)-ff-what-the-future-brings")])
            #expect(later.trace == ["traceparent": "00-\(trace)-\(span)-01"])
            let zero = String(repeating: "0", count: 32)
            let invalid = [
                "", "00", "00-\(trace)-\(span)", "00-\(trace)-\(span)-01-more", "ff-\(trace)-\(span)-01",
                "00-\(zero)-\(span)-01", "00-\(trace)-\(zero.prefix(16))-01", "00-\(trace.uppercased())-\(span)-01",
                "00-\(trace)-\(span)-0g", "00_\(trace)_\(span)_01", "cc-\(trace)-\(span)-01.more", "\u{661}",
                String(repeating: "0", count: 10_000),
            ]
            for (number, text) in invalid.enumerated() {
                let untraced = try await open("bad-\(number)", [("traceparent", text), ("tracestate", "a=1")])
                #expect(untraced.trace.isEmpty, "\(text)")
                #expect(untraced.correlationID != nil)
                #expect(untraced.correlationID != id, "\(text)")
            }
            let valid = "00-\(trace)-\(span)-01"
            #expect(try await open("twice", [("traceparent", valid), ("traceparent", valid)]).trace.isEmpty)
            let long = try await open(
                "long", [("traceparent", valid), ("tracestate", "a=" + String(repeating: "x", count: 600))])
            #expect(long.trace == ["traceparent": valid])
        }
    }

    @Test func pagesElsewhereCannotUseAServerWithoutAuthentication() async throws {
        try await withServer(
            orchestrator, change: { $0.origins = ["https://app.example"] },
            { server, client in
                let body = #"{"id": "front"}"#
                let elsewhere = try await server.ask(
                    "POST", "/commands/open_door", body, ["Origin": "https://evil.example"])
                #expect(elsewhere.error == "origin_not_allowed")
                let rebound = try await server.ask("POST", "/commands/open_door", body, ["Host": "evil.example"])
                #expect(rebound.error == "unknown_host")
                #expect(try await client.head() == 0)
                let page = try await server.ask(
                    "POST", "/commands/open_door", body, ["Origin": "https://app.example"])
                #expect(page.status == 200)
                #expect(page.header("Access-Control-Allow-Origin") == "https://app.example")
                #expect(page.header("Access-Control-Expose-Headers")?.contains("Disco-Position") == true)
                let preflight = try await server.ask(
                    "OPTIONS", "/commands/open_door", nil, ["Origin": "https://app.example"])
                #expect(preflight.status == 204)
                #expect(preflight.header("Access-Control-Allow-Headers")?.contains("Idempotency-Key") == true)
            })
    }

    @Test func aServerThatAuthenticatesNoOneListensOnThisMachineOnly() async throws {
        let orchestrator = Orchestrator(client: EventStoreClient(InMemoryEventStore()))
        var settings = OrchestratorServer.Settings()
        settings.host = "0.0.0.0"
        #expect {
            try OrchestratorServer(orchestrator, settings: settings)
        } throws: { error in
            let error = error as? EventStoreError
            return error?.code == .configuration && error?.message.contains("everyone who reaches 0.0.0.0") == true
        }
        _ = try OrchestratorServer(orchestrator, settings: settings, authenticate: Self.authenticate)
        for host in ["127.0.0.1", "::1", "localhost"] {
            settings.host = host
            _ = try OrchestratorServer(orchestrator, settings: settings)
        }
        settings.port = 65_536
        #expect(throws: EventStoreError.self) { try OrchestratorServer(orchestrator, settings: settings) }
    }
}
#endif
