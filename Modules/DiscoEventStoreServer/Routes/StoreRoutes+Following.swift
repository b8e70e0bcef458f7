#if HTTP
import DiscoCore
import DiscoHTTPSupport
import Foundation
import HTTPTypes
import Hummingbird
import NIOCore

extension StoreRoutes {
    var following: [Route<Caller>] {
        [
            Route(
                .get, "/head", scope: "read",
                APIOperation(
                    "head", "The last position of the store: once, or as a stream of lines whenever it grows.",
                    answers: [
                        (
                            200,
                            APIOperation.Answer(
                                "The last position; as JSON lines, again whenever it has grown.",
                                [
                                    (MediaType.json, APIOperation.schema("Head")),
                                    (MediaType.ndjson, APIOperation.schema("HeadLine")),
                                ])
                        )
                    ]), isStream: true
            ) { exchange in
                if try exchange.accepted(among: [MediaType.json, MediaType.ndjson]) == MediaType.ndjson {
                    let caller = exchange.caller
                    return try follow { writer in try await writeHeads(&writer, caller) }
                }
                let head = try await EventStoreClient(store).head()
                return .json(JSONText(["head": JSON(head.rawValue)]))
            },
            Route(
                .get, "/events/live", scope: "read",
                APIOperation(
                    "follow",
                    "Sends all events after a position, then new ones as they are recorded, until the caller goes away.",
                    parameters: Self.selection + [
                        .header(
                            "Last-Event-ID",
                            "The position to go on after, as browsers send it when they reconnect; it replaces `after`.",
                            ServerSchemas.ref("Position"))
                    ],
                    answers: [
                        (
                            200,
                            APIOperation.Answer(
                                "The events, with lines that tell progress; or the same as server-sent events, whose "
                                    + "ids are positions.",
                                [
                                    (MediaType.ndjson, APIOperation.schema("LiveLine")),
                                    (MediaType.eventStream, ["type": "string"]),
                                ])
                        )
                    ]), isStream: true
            ) { exchange in try await live(exchange) },
        ]
    }

    /// A response that goes on until the caller goes away or the server shuts down.
    private func follow(
        type: String = MediaType.ndjson,
        _ body: @concurrent @escaping @Sendable (inout any ResponseBodyWriter) async throws -> Void
    ) throws -> Response {
        try followers.enter()
        let entry = FollowerEntry(followers)
        return Response(
            status: .ok, headers: [.contentType: type, .cacheControl: "no-store", .xAccelBuffering: "no"],
            body: ResponseBody { writer in
                defer { entry.leave() }
                try await withTaskExecutorPreference(FollowerExecutor.shared) { try await body(&writer) }
                try await writer.finish(nil)
            })
    }

    @concurrent private func writeHeads(_ writer: inout any ResponseBodyWriter, _ caller: Caller) async throws {
        var head = try await EventStoreClient(store).head()
        try await writer.line(["head": JSON(head.rawValue)])
        while true {
            guard stillAllows(caller) else { return try await writer.line(["end": "not_authenticated"]) }
            switch try await followers.wait(beyond: head, atMost: settings.limits.heartbeat) {
            case .events:
                try await store.context.sleep(for: followers.pause)
                let now = try await EventStoreClient(store).head()
                if now > head { try await writer.line(["head": JSON(now.rawValue)]) }
                head = max(head, now)
            case .time: try await writer.line(["heartbeat": true])
            case .draining: return try await writer.line(["end": "draining"])
            }
        }
    }

    /// A stream outlives the check of its token, which may have been removed or have expired since.
    private func stillAllows(_ caller: Caller) -> Bool {
        settings.tokens.stillAllows(caller, at: store.context.now())
    }

    private func live(_ exchange: StoreExchange) async throws -> Response {
        let query = try query(exchange)
        var after = try exchange.query.position("after") ?? .start
        if let last = try exchange.header("Last-Event-ID") {
            guard let position = Int(digits: last) else {
                throw ValidationError(["Last-Event-ID": ["must be a position"]])
            }
            after = Position(rawValue: Int64(position))
        }
        let type = try exchange.accepted(among: [MediaType.ndjson, MediaType.eventStream])
        let follower = Follower(
            store: store(for: exchange), query: query, prefixes: exchange.caller.prefixes.map { ExactText($0) },
            isEventStream: type == MediaType.eventStream,
            heartbeat: settings.limits.heartbeat, followers: followers, isAllowed: { stillAllows(exchange.caller) })
        // What cannot be read at all is a problem, not a stream that ends.
        _ = try await follower.store.page(Read(query, after: after, limit: 0))
        let start = after
        return try follow(type: type) { writer in try await follower.run(after: start, &writer) }
    }
}

/// Leaves once, also if the response is never written.
private final class FollowerEntry: Sendable {
    private let followers: Followers
    private let hasLeft = Locked(false)

    init(_ followers: Followers) { self.followers = followers }

    func leave() {
        let isFirst = hasLeft.withLock { left in
            defer { left = true }
            return !left
        }
        if isFirst { followers.leave() }
    }

    deinit { leave() }
}

/// Writes events to one follower.
private struct Follower: Sendable {
    let store: any EventStore
    let query: EventQuery
    let prefixes: [ExactText]
    let isEventStream: Bool
    let heartbeat: Duration
    let followers: Followers
    let isAllowed: @Sendable () -> Bool

    @concurrent func run(after start: Position, _ writer: inout any ResponseBodyWriter) async throws {
        var position = start
        var isCaughtUp = false
        while true {
            guard isAllowed() else { return try await writeLine(["end": "not_authenticated"], "end", &writer) }
            let page = try await page(after: position)
            try await write(page, isNews: page.through > position, &writer)
            position = max(position, page.through)
            if page.hasMore { continue }
            if !isCaughtUp { try await writeLine(["caught_up": JSON(position.rawValue)], "caught_up", &writer) }
            isCaughtUp = true
            var wake = Followers.Wake.time
            while wake == .time, isAllowed() {
                wake = try await followers.wait(beyond: max(position, page.head), atMost: heartbeat)
                if wake == .time { try await writeHeartbeat(&writer) }
            }
            if wake == .events { try await store.context.sleep(for: followers.pause) }
            if wake == .draining { return try await writeLine(["end": "draining"], "end", &writer) }
        }
    }

    /// The page after a position, which followers at the same position share.
    private func page(after position: Position) async throws -> LivePage {
        let key = LivePages.Key(after: position, query: query, prefixes: prefixes, isEventStream: isEventStream)
        return try await followers.pages.page(key, store.context) {
            let page = try await store.page(Read(query, after: position, limit: 500, byteLimit: 256 << 10))
            return LivePage(page, isEventStream: isEventStream)
        }
    }

    @concurrent private func write(
        _ page: LivePage, isNews: Bool, _ writer: inout any ResponseBodyWriter
    ) async throws {
        if page.bytes.readableBytes > 0 { try await writer.write(page.bytes) }
        if isNews, page.through > page.last {
            try await writeLine(["progress": JSON(page.through.rawValue)], "progress", &writer, id: page.through)
        }
    }

    @concurrent private func writeLine(
        _ json: JSON, _ name: String, _ writer: inout any ResponseBodyWriter, id: Position? = nil
    ) async throws {
        guard isEventStream else { return try await writer.line(json) }
        let id = id.map { "id: \($0.rawValue)\n" } ?? ""
        try await writer.write(ByteBuffer(string: "\(id)event: \(name)\ndata: \(JSONText(json).string)\n\n"))
    }

    @concurrent private func writeHeartbeat(_ writer: inout any ResponseBodyWriter) async throws {
        if isEventStream { return try await writer.write(ByteBuffer(string: ": heartbeat\n\n")) }
        try await writer.line(["heartbeat": true])
    }
}

extension ResponseBodyWriter {
    @concurrent fileprivate mutating func line(_ json: JSON) async throws {
        var buffer = ByteBuffer()
        buffer.writeLine(JSONText(json))
        try await write(buffer)
    }
}

extension HTTPField.Name {
    /// Keeps proxies from gathering a stream before they pass it on.
    fileprivate static let xAccelBuffering = known("X-Accel-Buffering")
}
#endif
