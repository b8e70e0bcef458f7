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

extension RouteAccessTests {
    private func status(
        _ server: RunningServer, _ values: [String], name: String = "Authorization"
    ) async throws -> UInt {
        var request = HTTPClientRequest(url: server.url + "/head")
        for value in values { request.headers.add(name: name, value: value) }
        return try await HTTPClient.shared.execute(request, timeout: .seconds(10)).status.code
    }

    @Test func headersCannotBeSmuggled() async throws {
        let (token, secret) = try AccessToken.make(name: "web", scopes: [.read])
        let list = try AccessTokens([token])
        try await withTokens(list) { server in
            let good = "Bearer \(secret)"
            let once = try await status(server, [good])
            #expect(once == 200)
            #expect(try await status(server, [good], name: "authorization") == 200)
            #expect(try await status(server, [good.replacing("Bearer", with: "bearer")]) == 200)
            for values in [
                [good, good], ["Bearer x", good], [good, "Bearer x"], ["", good], ["Bearer"], ["Bearer "], [""],
                ["Basic \(secret)"], ["Bearer " + String(repeating: "x", count: 7000)],
            ] {
                #expect(try await status(server, values) == 401, "\(values.map { $0.prefix(20) })")
            }
            for name in ["Proxy-Authorization", "X-Authorization", "Authorization_", "Cookie"] {
                #expect(try await status(server, [good], name: name) == 401, "\(name)")
            }
            #expect(try await server.ask("GET", "/head?access_token=\(secret)").status == 401)
        }
    }

    @Test func aRemovedTokenEndsItsFollowers() async throws {
        let folder = try TemporaryFolder()
        let path = folder.file("tokens")
        let (token, secret) = try AccessToken.make(name: "web", scopes: [.read])
        let (other, _) = try AccessToken.make(name: "other", scopes: [.read])
        try AccessTokens.add(token, toFile: path)
        let list = try AccessTokens(file: path)
        try await withTokens(list, heartbeat: .milliseconds(20)) { server in
            for url in ["/events/live", "/head"] {
                try Data((token.line + "\n").utf8).write(to: URL(filePath: path))
                try list.reload()
                var headers = bearer(secret)
                headers["Accept"] = "application/x-ndjson"
                let response = try await server.open("GET", url, nil, headers)
                var text = ""
                for try await buffer in response.body {
                    text += String(buffer: buffer)
                    if text.contains("heartbeat"), list.tokens == [token] {
                        try Data((other.line + "\n").utf8).write(to: URL(filePath: path))
                        try list.reload()
                    }
                }
                #expect(text.hasSuffix("{\"end\":\"not_authenticated\"}\n"), "\(text.suffix(100))")
                #expect(try await server.ask("GET", "/head", nil, headers).status == 401)
            }
        }
    }

    @Test func theRateOfATokenIsLimited() async throws {
        let (token, secret) = try AccessToken.make(name: "web", scopes: [.read])
        let list = try AccessTokens([token], requestsPerSecond: 1)
        try await withTokens(list) { server in
            var last: RunningServer.Answer?
            for _ in 1...20 where last?.status != 429 {
                last = try await server.ask("GET", "/head", nil, bearer(secret))
            }
            #expect(last?.status == 429)
            #expect(last?.header("Retry-After") == "1")
            #expect(last?.json["error"] == "rate_limited")
            #expect(try await server.ask("GET", "/health/live").status == 200)
        }
    }

    /// With tokens, strangers are told that the store fails, but not how.
    @Test func strangersGetNoDetailsOfAFailure() async throws {
        let store = InMemoryEventStore()
        let list = try AccessTokens([try AccessToken.make(name: "web", scopes: [.read]).token])
        try await withTokens(list, store) { server in
            await store.close()
            let ready = try await server.ask("GET", "/health/ready")
            #expect(ready.status == 503)
            #expect(ready.json["reasons"] == ["The store cannot be used: closed."])
        }
    }

    @Test func withoutTokensOnlyTheMachineItselfIsServed() throws {
        for host in ["0.0.0.0", "::", "192.168.1.1", "example.com", "127.0.0.1.evil.example", ""] {
            var settings = EventStoreServer.Settings()
            settings.host = host
            let error = #expect(throws: EventStoreError.self) {
                try EventStoreServer(EventStoreClient(InMemoryEventStore()), settings: settings)
            }
            #expect(error?.message.contains("EventStoreApp tokens create") == true)
            settings.tokens = try AccessTokens([try AccessToken.make(name: "web", scopes: [.read]).token])
            _ = try EventStoreServer(EventStoreClient(InMemoryEventStore()), settings: settings)
        }
    }
}
#endif
