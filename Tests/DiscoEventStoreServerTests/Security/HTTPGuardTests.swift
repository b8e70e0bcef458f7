#if HTTP
import DiscoCore
import DiscoHTTPSupport
import HTTPTypes
import Hummingbird
import TestSupport
import Testing

/// A page elsewhere cannot use a browser against the server.
@Suite(.timeLimit(.minutes(1))) struct HTTPGuardTests {
    private func status(
        _ httpGuard: HTTPGuard = HTTPGuard(hosts: HTTPGuard.loopback), host: String?, _ headers: HTTPFields = [:]
    ) -> Int {
        let head = HTTPRequest(method: .get, scheme: "http", authority: host, path: "/head", headerFields: headers)
        do {
            try httpGuard.check(Request(head: head, body: .init(buffer: .init())))
            return 200
        } catch { return Problem(error).status.code }
    }

    @Test(arguments: [
        "localhost", "LOCALHOST:8080", "127.0.0.1", "127.0.0.1:1", "[::1]", "[::1]:8080", "localhost:",
    ])
    func theMachinesOwnNamesAreAnswered(host: String) { #expect(status(host: host) == 200) }

    @Test(arguments: [
        "evil.example", "localhost.evil.example", "evil.localhost", "127.0.0.1.evil.example", "[::1].evil.example",
        "[::1]evil", "[::1", "localhost:80.evil.example", "localhost:80@evil.example", "localhost@evil.example",
        "evil.example:8080", "", ":", ":8080", "[", "]", "localhost:\u{301}80", "localhost\u{301}", "0.0.0.0", "127.1",
        "::1", "localhost,evil.example", "loca\u{17F}host", "\u{212A}localhost", "localhost.",
    ])
    func otherNamesAreNot(host: String) { #expect(status(host: host) == 421) }

    @Test func aRequestWithoutAHostIsRefusedUnlessAnyIsAllowed() {
        #expect(status(host: nil) == 421)
        #expect(status(HTTPGuard(hosts: nil), host: nil) == 200)
        #expect(status(HTTPGuard(hosts: nil), host: "any.example") == 200)
        #expect(status(HTTPGuard(hosts: ["store.example"]), host: "store.example:443") == 200)
        #expect(status(HTTPGuard(hosts: ["store.example"]), host: "localhost") == 421)
    }

    @Test(arguments: [
        ("http://localhost:8080", 200), ("https://localhost:8080", 200), ("http://localhost", 403),
        ("http://localhost:3000", 403), ("null", 403), ("", 403), ("http://evil.example", 403),
        ("http://localhost:8080.evil.example", 403), ("https://app.example", 403), ("file://", 403),
    ])
    func onlyItsOwnPagesMayUseIt(origin: String, expected: Int) {
        #expect(status(host: "localhost:8080", [.origin: origin]) == expected)
    }

    @Test func namedOriginsMayUseIt() {
        let httpGuard = HTTPGuard(hosts: nil, origins: ["https://app.example"])
        #expect(status(httpGuard, host: "x", [.origin: "https://app.example"]) == 200)
        for origin in [
            "https://app.example.evil.example", "http://app.example", "https://app.example:444", "null",
            "https://app.example/", "HTTPS://app.example",
        ] {
            #expect(status(httpGuard, host: "x", [.origin: origin]) == 403)
        }
        var twice = HTTPFields()
        twice.append(HTTPField(name: .origin, value: "https://app.example"))
        twice.append(HTTPField(name: .origin, value: "https://evil.example"))
        #expect(status(httpGuard, host: "x", twice) == 403)
    }

    @Test(arguments: [
        ("cross-site", "image", 403), ("same-site", "script", 403), ("same-origin", "empty", 200),
        ("none", "document", 200), ("cross-site", "document", 200), ("cross-site", "iframe", 403),
        ("cross-site", nil, 403), ("", nil, 403),
    ])
    func whatBrowsersTellOfThePageCounts(site: String, use: String?, expected: Int) throws {
        var headers = HTTPFields()
        headers[try #require(HTTPField.Name("Sec-Fetch-Site"))] = site
        headers[try #require(HTTPField.Name("Sec-Fetch-Dest"))] = use
        #expect(status(host: "localhost", headers) == expected)
    }

    @Test func crossOriginSharingIsOffUnlessOriginsAreNamed() async throws {
        try await withServer { server in
            let page = ["Origin": "https://app.example"]
            for method in ["GET", "OPTIONS"] {
                let answer = try await server.ask(method, "/events", nil, page)
                #expect(answer.status == 403)
                #expect(answer.json["error"] == "origin_not_allowed" || method == "OPTIONS")
                #expect(answer.headers.allSatisfy { !$0.name.lowercased().hasPrefix("access-control") })
            }
            let own = try await server.ask("GET", "/head", nil, ["Origin": server.url])
            #expect(own.status == 200)
            #expect(own.headers.allSatisfy { !$0.name.lowercased().hasPrefix("access-control") })
            // Every route, those without a token too.
            for path in ["/health/live", "/openapi.json", "/nothing", "/version"] {
                #expect(try await server.ask("GET", path, nil, ["Host": "evil.example"]).status == 421)
            }
        }
    }
}
#endif
