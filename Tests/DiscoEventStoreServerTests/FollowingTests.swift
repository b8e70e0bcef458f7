#if HTTP
import AsyncHTTPClient
import DiscoCore
import DiscoEventStore
import DiscoEventStoreServer
import Foundation
import NIOCore
import NIOHTTP1
import TestSupport
import Testing

/// Followers: what they are sent, and how they end.
@Suite(.timeLimit(.minutes(1))) struct FollowingTests {
    /// Reads the lines of a response one by one.
    private struct Lines {
        var iterator: HTTPClientResponse.Body.AsyncIterator
        var rest = ""

        init(_ response: HTTPClientResponse) { iterator = response.body.makeAsyncIterator() }

        @concurrent mutating func next() async throws -> String? {
            while true {
                if let end = rest.firstIndex(of: "\n") {
                    defer { rest = String(rest[rest.index(after: end)...]) }
                    return String(rest[..<end])
                }
                guard let buffer = try await iterator.next() else { return nil }
                rest += String(buffer: buffer)
            }
        }

        @concurrent mutating func json() async throws -> JSON? { try await next().map { try JSONText($0).value() } }
    }

    private func append(_ server: RunningServer, _ type: String = "T") async throws {
        _ = try await server.store.append(Append([NewEvent(stream: "a-1", type: type, payload: "{}")]))
    }

    @Test func aFollowerCatchesUpThenFollows() async throws {
        let change = { (settings: inout EventStoreServer.Settings) in settings.limits.heartbeat = .milliseconds(50) }
        try await withServer(change: change) { server in
            try await append(server)
            try await append(server, "Other")
            var lines = Lines(try await server.open("GET", "/events/live?types=T"))
            #expect(try await lines.json()?["event"]?["position"] == 1)
            #expect(try await lines.json() == ["progress": 2])
            #expect(try await lines.json() == ["caught_up": 2])
            #expect(try await lines.json() == ["heartbeat": true])
            try await append(server)
            var seen: JSON?
            while seen == nil { seen = try await lines.json()?["event"] }
            #expect(seen?["position"] == 3)
        }
    }

    /// Pages are shared between followers: each must be that of its own query.
    @Test func namesThatOnlyLookAlikeAreFollowedApart() async throws {
        try await withServer { server in
            let names = ["caf\u{e9}", "cafe\u{301}"]
            for name in names { try await append(server, name) }
            for (number, escaped) in ["caf%C3%A9", "cafe%CC%81"].enumerated() {
                var lines = Lines(try await server.open("GET", "/events/live?types=\(escaped)"))
                #expect(try await lines.json()?["event"]?["position"] == JSON(number + 1))
            }
        }
    }

    @Test func pagesGetServerSentEventsAndResumeByTheLastId() async throws {
        try await withServer { server in
            for _ in 1...3 { try await append(server) }
            let response = try await server.open(
                "GET", "/events/live", nil, ["Accept": "text/event-stream", "Last-Event-ID": "2"])
            #expect(response.headers.first(name: "Content-Type") == "text/event-stream")
            var lines = Lines(response)
            #expect(try await lines.next() == "id: 3")
            #expect(try await lines.next() == "event: event")
            #expect(try await lines.next()?.hasPrefix(#"data: {"position":3,"#) == true)
            #expect(try await lines.next() == "")
            #expect(try await lines.next() == "event: caught_up")
        }
    }

    @Test func theHeadIsSentWheneverItGrows() async throws {
        try await withServer { server in
            var lines = Lines(try await server.open("GET", "/head", nil, ["Accept": "application/x-ndjson"]))
            #expect(try await lines.json() == ["head": 0])
            try await append(server)
            #expect(try await lines.json() == ["head": 1])
        }
    }

    /// One task watches the store for all of them, wherever each of them is, and begins anew after a time without any.
    @Test func followersAtDifferentPositionsAllGetWhatIsAppended() async throws {
        try await withServer { server in
            for round in 0..<3 {
                let head = round * 21
                // The first one waits for the far future, which must not be taken for the end of the store.
                let starts = [1_000_000, 0, head, head / 2]
                try await withThrowingTaskGroup(of: Int.self) { group in
                    for start in starts {
                        let response = try await server.open("GET", "/events/live?after=\(start)")
                        group.addTask {
                            var (lines, last) = (Lines(response), start)
                            if start == 1_000_000 { return last }
                            while last < head + 21, let line = try await lines.json() {
                                guard let position = line["event"]?["position"]?.integer else { continue }
                                #expect(position == last + 1)
                                last = Int(position)
                            }
                            return last
                        }
                    }
                    for _ in 0..<21 { try await append(server) }
                    #expect(try await group.reduce(into: Set()) { $0.insert($1) } == [head + 21, 1_000_000])
                }
            }
        }
    }

    @Test func aShutdownEndsFollowersWithALastLine() async throws {
        let server = try await RunningServer()
        var live = Lines(try await server.open("GET", "/events/live"))
        var head = Lines(try await server.open("GET", "/head", nil, ["Accept": "application/x-ndjson"]))
        #expect(try await live.json() == ["caught_up": 0])
        #expect(try await head.json() == ["head": 0])
        let stopping = Task { try await server.stop() }
        #expect(try await live.json() == ["end": "draining"])
        #expect(try await live.json() == nil)
        #expect(try await head.json() == ["end": "draining"])
        #expect(try await head.json() == nil)
        try await stopping.value
    }

    @Test func thereIsALimitOfFollowers() async throws {
        let change = { (settings: inout EventStoreServer.Settings) in
            settings.limits.followers = 1
            // A follower that went away is noticed when something is sent to it.
            settings.limits.heartbeat = .milliseconds(50)
        }
        try await withServer(change: change) { server in
            var lines: Lines? = Lines(try await server.open("GET", "/events/live"))
            #expect(try await lines?.json() == ["caught_up": 0])
            let second = try await server.ask("GET", "/events/live")
            #expect(second.status == 503)
            #expect(second.json["error"] == "too_many_followers")
            lines = nil
            // The place is free again once the server has noticed.
            var status = 503
            while status == 503 { status = Int(try await server.open("GET", "/events/live").status.code) }
            #expect(status == 200)
        }
    }
}
#endif
