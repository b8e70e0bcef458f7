#if HTTP
import AsyncHTTPClient
import DiscoCore
import DiscoEventStore
@testable import DiscoEventStoreServer
import DiscoEventStoreSQLite
import Foundation
import Logging
import NIOCore
import NIOHTTP1
import TestSupport
import Testing

/// Every route of the OpenAPI document, with no token, a wrong one, one of other scopes, and one with prefixes: a new
/// route is examined by being there.
@Suite(.timeLimit(.minutes(2))) struct RouteAccessTests {
    private struct Operation {
        let method: String
        let path: String
        let scope: AccessScope?

        /// What the path is in a request about a stream.
        func url(_ stream: String, event: UUID) -> String {
            let values = [
                "{stream}": stream, "{id}": event.uuidString, "{key}": "k", "{name}": "S", "{fingerprint}": "f",
                "{code}": "validation",
            ]
            return values.reduce(path) { $0.replacing($1.key, with: $1.value) }
                + (path == "/keys" ? "?stored_before=2020-01-01T00:00:00Z" : "")
        }

        func body(_ stream: String) -> String? {
            switch (method, path) {
            case ("POST", "/streams/{stream}/events"): #"{"type": "T"}"#
            case ("POST", "/appends"): #"{"events": [{"stream": "\#(stream)", "type": "T"}]}"#
            case ("POST", "/pages"), ("POST", "/streams/{stream}/erase"): "{}"
            case ("PUT", _): #"{"stream": "\#(stream)", "name": "S", "fingerprint": "f", "version": 1, "state": {}}"#
            default: nil
            }
        }
    }

    /// What nobody with prefixes may learn.
    private static let secrets = ["SecretType", "secret payload", "hidden-", "secret_tag", "SecretState"]

    private func operations(_ server: RunningServer) async throws -> [Operation] {
        let document = try await server.ask("GET", "/openapi.json").json
        var operations: [Operation] = []
        for path in try #require(document["paths"]?.object) {
            for method in path.value.object ?? [:] {
                let text = method.value["description"]?.string ?? ""
                let scope = AccessScope.allCases.first { text.contains("scope `\($0.rawValue)`") }
                // What the document says and what it says for people agree.
                #expect((scope != nil) == (method.value["security"] != nil))
                operations.append(Operation(method: method.name.uppercased(), path: path.name, scope: scope))
            }
        }
        #expect(operations.count > 25)
        return operations
    }

    /// The first part of an answer that may never end.
    private func ask(
        _ server: RunningServer, _ operation: Operation, _ url: String, body: String? = nil,
        _ headers: [String: String]
    ) async throws -> RunningServer.Answer {
        let response: HTTPClientResponse
        do {
            response = try await server.open(operation.method, url, body, headers)
        } catch {
            Issue.record("\(operation.method) \(url) \(headers): \(error)")
            throw error
        }
        var text = ""
        for try await buffer in response.body {
            text += String(buffer: buffer)
            if text.contains("caught_up") { break }
        }
        return RunningServer.Answer(status: Int(response.status.code), headers: response.headers, text: text)
    }

    func bearer(_ secret: String) -> [String: String] { ["Authorization": "Bearer \(secret)"] }

    /// A store with streams of others.
    private func hidden() async throws -> (store: InMemoryEventStore, event: UUID) {
        let (store, id) = (InMemoryEventStore(.init(allowsErasing: true)), UUID())
        _ = try await store.append(
            Append(
                [
                    NewEvent(
                        id: id, stream: "hidden-1", type: "SecretType", payload: #"{"x": "secret payload"}"#,
                        tags: ["secret_tag"])
                ], key: IdempotencyKey("k", fingerprint: "")))
        _ = try await store.append(Append([NewEvent(stream: "mine-1", type: "Mine", payload: "{}")]))
        try await store.save(
            Snapshot(
                key: SnapshotKey(stream: "hidden-1", name: "S", fingerprint: "f"), version: 1,
                state: #"{"y": "SecretState"}"#))
        return (store, id)
    }

    @Test func noTokenAWrongOneAndOneOfOtherScopes() async throws {
        let (store, event) = try await hidden()
        let log = LogCollector()
        var tokens: [AccessToken] = []
        var secrets: [AccessScope: (only: String, allBut: String)] = [:]
        for scope in AccessScope.allCases {
            let only = try AccessToken.make(name: "only-\(scope.rawValue)", scopes: [scope])
            let others = try AccessToken.make(
                name: "but-\(scope.rawValue)", scopes: Set(AccessScope.allCases).subtracting([scope]))
            tokens += [only.token, others.token]
            secrets[scope] = (only.secret, others.secret)
        }
        let expired = try AccessToken.make(name: "expired", scopes: [.read], expires: Date(timeIntervalSince1970: 1))
        let unknown = try AccessToken.make(name: "unknown", scopes: Set(AccessScope.allCases)).secret
        let list = try AccessTokens(tokens + [expired.token])
        try await withTokens(list, store, log: log) { server in
            var answers = ""
            for operation in try await operations(server) {
                let place: Comment = "\(operation.method) \(operation.path)"
                let url = operation.url("mine-1", event: event)
                let body = operation.body("mine-1")
                let none = try await ask(server, operation, url, body: body, [:])
                answers += none.text
                guard let scope = operation.scope, let secrets = secrets[scope] else {
                    #expect(![401, 403].contains(none.status), place)
                    continue
                }
                #expect(none.status == 401, place)
                #expect(none.header("WWW-Authenticate") == #"Bearer realm="disco""#, place)
                for wrong in [unknown, expired.secret, "x", "", unknown + "\u{E9}"] {
                    let answer = try await ask(server, operation, url, body: body, bearer(wrong))
                    answers += answer.text
                    #expect(answer.status == 401, place)
                    #expect(answer.header("WWW-Authenticate") == #"Bearer realm="disco", error="invalid_token""#, place)
                }
                let other = try await ask(server, operation, url, body: body, bearer(secrets.allBut))
                answers += other.text
                #expect(other.status == 403, place)
                if operation.method != "HEAD" {
                    #expect(none.json["error"] == "not_authenticated", place)
                    #expect(other.json["error"] == "missing_scope", place)
                    #expect(other.json["message"]?.string?.contains("scope \(scope.rawValue),") == true, place)
                }
                let right = try await ask(server, operation, url, body: body, bearer(secrets.only))
                answers += right.text
                #expect(![401, 403].contains(right.status), place)
                #expect(right.status < 500 || right.status == 501, place)
            }
            // Nothing that was presented or kept is in an answer or in the log.
            let shown =
                answers
                + log.events.map { "\($0.message) \($0.metadata ?? [:]) \($0.error.map { "\($0)" } ?? "")" }.joined()
            #expect(shown.contains("only-read"))
            for secret in secrets.values.flatMap({ [$0.only, $0.allBut] }) + [unknown, expired.secret] {
                #expect(!shown.contains(secret.dropFirst(6)))
            }
            for token in tokens { #expect(!shown.contains(token.line.split(separator: " ")[1].dropFirst(7))) }
        }
    }

    /// Whatever a token with prefixes asks for, nothing of other streams is in the answer, but the number of events.
    @Test func aTokenWithPrefixesLearnsNothingOfOtherStreams() async throws {
        let (store, event) = try await hidden()
        let (token, secret) = try AccessToken.make(
            name: "mine", scopes: Set(AccessScope.allCases), prefixes: ["mine-"])
        let list = try AccessTokens([token])
        let folder = try TemporaryFolder()
        let checkpoints = try await SQLiteReadModelStore.open(path: folder.file("read-models.sqlite"))
        try await checkpoints.save(
            ConsumerStep(consumer: "hidden-consumer", from: .start, to: Checkpoint(position: 1)))
        try await withTokens(list, store, checkpoints: checkpoints) { server in
            for operation in try await operations(server) where operation.scope != nil {
                let place: Comment = "\(operation.method) \(operation.path)"
                var unknown: RunningServer.Answer?
                // Another's stream, and one that does not exist.
                for stream in ["none-1", "hidden-1"] {
                    let url = operation.url(stream, event: stream == "hidden-1" ? event : UUID(uuid: Self.noID))
                    for accept in ["application/json", "application/x-ndjson", "application/cloudevents-batch+json"] {
                        var headers = bearer(secret)
                        headers["Accept"] = accept
                        if operation.path == "/head", accept == "application/x-ndjson" { continue }
                        let answer = try await ask(
                            server, operation, url, body: operation.body(stream), headers)
                        #expect(answer.status < 500 || answer.status == 501, place)
                        // Of the stream, only its name as the caller wrote it.
                        let text = answer.text.replacing("hidden-1", with: "none-1")
                            .replacing(
                                event.uuidString.lowercased(), with: UUID(uuid: Self.noID).uuidString.lowercased())
                        for secret in Self.secrets { #expect(!text.contains(secret), "\(place): \(text)") }
                        if operation.path.contains("{") {
                            if accept == "application/json" {
                                if let unknown {
                                    #expect(answer.status == unknown.status, place)
                                    #expect(text == unknown.text, place)
                                }
                                unknown = answer
                            }
                        } else {
                            #expect(!answer.text.contains(event.uuidString.lowercased()), "\(place)")
                        }
                    }
                }
            }
            // What belongs to it is there.
            #expect(try await server.ask("GET", "/events", nil, bearer(secret)).json["events"]?.array?.count == 1)
            #expect(try await server.ask("HEAD", "/streams/mine-1", nil, bearer(secret)).status == 200)
            let streams = try await server.ask("GET", "/streams", nil, bearer(secret))
            #expect(streams.json["streams"]?.array?.count == 1)
            for path in ["/consumers", "/metrics", "/verify", "/counts", "/keys?stored_before=2020-01-01T00:00:00Z"] {
                let answer = try await server.ask(
                    path.hasPrefix("/keys") ? "DELETE" : "GET", path, nil, bearer(secret))
                #expect(answer.status == 403, "\(path)")
                #expect(answer.json["error"] == "not_for_prefixes", "\(path)")
            }
            #expect(try await server.ask("GET", "/keys/k", nil, bearer(secret)).status == 404)
            // A list of appends is refused one by one.
            let outcomes = try await server.ask(
                "POST", "/appends",
                """
                [{"events": [{"stream": "hidden-1", "type": "T"}]}, {"events": [{"stream": "mine-2", "type": "T"}]},
                 {"events": [{"stream": "mine-2", "type": "T"}], "condition": {"query": {"items": [{}]}, "after": 0}}]
                """, bearer(secret))
            #expect(
                outcomes.json.array?.map { $0["error"] } == [.some("stream_not_allowed"), nil, "condition_not_allowed"])
        }
        await checkpoints.close()
    }

    private static let noID: uuid_t = (1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16)

}

/// Runs a test on a server with tokens.
func withTokens(
    _ tokens: AccessTokens, _ store: any EventStore = InMemoryEventStore(), checkpoints: (any CheckpointStore)? = nil,
    log: LogCollector = LogCollector(), heartbeat: Duration = .seconds(5),
    _ body: (RunningServer) async throws -> Void
) async throws {
    let change = { (settings: inout EventStoreServer.Settings) in
        settings.tokens = tokens
        settings.limits.heartbeat = heartbeat
    }
    try await withServer(
        store, checkpoints: checkpoints, metrics: PrometheusMetrics(), log: log, change: change, body)
}
#endif
