#if HTTP
import DiscoCore
import DiscoHTTPSupport
import Foundation
import HTTPTypes
import Hummingbird
import NIOCore

extension StoreRoutes {
    private static let rows = 1...10_000
    private static let mostPageBytes = 4 << 20

    var reading: [Route<Caller>] {
        [
            Route(
                .get, "/streams/{stream}/events", scope: "read",
                APIOperation(
                    "readStream", "Reads the events of a stream.",
                    parameters: [
                        StoreExchange.streamParameter,
                        .query("from", "The lowest version.", ServerSchemas.version),
                        .query("to", "The highest version, not less than the lowest.", ServerSchemas.version),
                        Self.types, Self.limit,
                        Self.direction,
                    ], answers: [(200, Self.events)], problems: [404])
            ) { exchange in try await readStream(exchange) },
            Route(
                .get, "/events", scope: "read",
                APIOperation(
                    "readEvents", "Reads events in the order of the store.",
                    parameters: Self.selection + [
                        .query("up_to", "Only events up to this position.", ServerSchemas.ref("Position")),
                        .query(
                            "as_of", "Only events recorded at or before this time, in ISO 8601.", ServerSchemas.time),
                        Self.limit,
                        Self.direction,
                    ], answers: [(200, Self.events)])
            ) { exchange in try await readEvents(exchange) },
            Route(
                .post, "/pages", scope: "read",
                APIOperation(
                    "readPage",
                    "Reads one page of the events that the body selects, as client libraries do. It has at most 10,000 "
                        + "events, and ends when their payloads exceed 4 MiB; `has_more` says that there are more.",
                    body: [(MediaType.json, APIOperation.schema("Read"))],
                    answers: [(200, .json("The page.", APIOperation.schema("Page")))])
            ) { exchange in
                var read = try Read(wire: try await exchange.body())
                // A page may always end earlier than asked for.
                read.limit = min(read.limit, Self.rows.upperBound)
                read.byteLimit = min(read.byteLimit, Self.mostPageBytes)
                return .json(try await store(for: exchange).page(read).wire)
            },
            Route(
                .get, "/events/{id}", scope: "read",
                APIOperation(
                    "findEvent", "Finds an event by its id.",
                    parameters: [.path("id", "The event's id.", ServerSchemas.id)],
                    answers: [(200, .json("The event.", APIOperation.schema("RecordedEvent")))], problems: [404, 501])
            ) { exchange in
                guard let id = UUID(uuidString: exchange.path["id"] ?? "") else {
                    throw ValidationError(["id": ["must be a valid UUID string"]])
                }
                guard let event = try await client(for: exchange).event(id) else {
                    throw Problem(.notFound, "unknown_event", "There is no event \(id.uuidString.lowercased()).")
                }
                return .json(event.wire)
            },
            Route(
                .get, "/identity", scope: "read",
                APIOperation(
                    "identity", "Identifies the store.",
                    answers: [(200, .json("The identity.", APIOperation.schema("StoreIdentity")))])
            ) { exchange in .json(try await store.identity().wire) },
            Route(
                .get, "/counts", scope: "read",
                APIOperation(
                    "countEvents", "Counts the events between two positions.",
                    parameters: [
                        .query("after", "Only events after this position.", ServerSchemas.ref("Position")),
                        .query("up_to", "Only events up to this position.", ServerSchemas.ref("Position")),
                    ], answers: [(200, .json("The number of events.", APIOperation.schema("Count")))], problems: [501])
            ) { exchange in
                let upTo: Position
                if let given = try exchange.query.position("up_to") {
                    upTo = given
                } else {
                    upTo = try await client(for: exchange).head()
                }
                let count = try await client(for: exchange).count(
                    after: try exchange.query.position("after") ?? .start, upTo: upTo)
                return .json(JSONText(["count": JSON(count)]))
            },
        ]
    }

    private static let limit = APIOperation.Parameter.query(
        "limit", "The maximum number of events.",
        ["type": "integer", "minimum": 1, "maximum": 10_000, "default": 1000])
    private static let direction = APIOperation.Parameter.query(
        "direction", "`backward` starts with the last event.", ["enum": ["forward", "backward"]])

    /// What selects events, for reading and following.
    static let selection: [APIOperation.Parameter] = [
        .query("after", "Only events after this position.", ServerSchemas.ref("Position")),
        types,
        .query(
            "tags", "Only events with all of these tags, separated by commas. Tags with a comma go into `query`.",
            listed, form: .list),
        .query("category", "Only events of this category.", ServerSchemas.ref("Category")),
        .query(
            "query",
            "Several selections, any of which must hold, as JSON; instead of `types`, `tags` and `category`.",
            ServerSchemas.ref("EventQuery"), form: .json),
    ]
    private static let types = APIOperation.Parameter.query(
        "types", "Only events of these types, separated by commas. Types with a comma go into `query`.", listed,
        form: .list)
    private static let listed = ServerSchemas.list(
        ["type": "string", "pattern": "^[^,\\u0000]+$", "maxLength": 255], 0...EventQuery.mostNames)

    private static let events = APIOperation.Answer(
        "The events: as one page, as one event on each line, or as CloudEvents.",
        [
            (MediaType.json, APIOperation.schema("Page")), (MediaType.ndjson, APIOperation.schema("RecordedEvent")),
            (CloudEvent.batchType, ["type": "array", "items": APIOperation.schema("CloudEvent")]),
        ])

    private func readStream(_ exchange: StoreExchange) async throws -> Response {
        let versions = 1...Int.max
        let from = try exchange.query.integer("from", in: versions) ?? 1
        let to = try exchange.query.integer("to", in: versions) ?? Int.max
        guard from <= to else { throw ValidationError(["from": ["must not be greater than to"]]) }
        let query = EventQuery(items: [.init(types: exchange.query.list("types") ?? [], stream: exchange.stream)])
        var read = Read(query, direction: try direction(exchange), limit: try limit(exchange))
        if from > 1 || to < Int.max { read.versions = from...to }
        let page = try await store(for: exchange).page(read)
        if page.events.isEmpty, try await !client(for: exchange).exists(exchange.stream) {
            throw EventStoreError.unknownStream(exchange.stream)
        }
        return try await answer(read, page, exchange)
    }

    private func readEvents(_ exchange: StoreExchange) async throws -> Response {
        let read = Read(
            try query(exchange), direction: try direction(exchange),
            after: try exchange.query.position("after") ?? .start, upTo: try exchange.query.position("up_to"),
            asOf: try exchange.query.date("as_of"), limit: try limit(exchange))
        return try await answer(read, try await store(for: exchange).page(read), exchange)
    }

    private func limit(_ exchange: StoreExchange) throws -> Int {
        try exchange.query.integer("limit", in: Self.rows) ?? 1000
    }

    private func direction(_ exchange: StoreExchange) throws -> Read.Direction {
        try exchange.query.choice("direction", among: ["forward", "backward"]) == "backward" ? .backward : .forward
    }

    /// The events that the parameters select.
    func query(_ exchange: StoreExchange) throws -> EventQuery {
        let parameters = exchange.query
        let (types, tags, category) = (
            parameters.list("types"), parameters.list("tags"), parameters.text("category")
        )
        guard let text = parameters.text("query") else {
            return EventQuery(items: [
                .init(types: types ?? [], tags: (tags ?? []).map { EventTag($0) }, category: category)
            ])
        }
        guard types == nil, tags == nil, category == nil else {
            throw ValidationError(["query": ["must not be combined with types, tags or category"]])
        }
        return try EventQuery(wire: try JSONText(text))
    }

    private func answer(_ read: Read, _ page: Page, _ exchange: StoreExchange) async throws -> Response {
        switch try exchange.accepted(among: [MediaType.json, MediaType.ndjson, CloudEvent.batchType]) {
        case MediaType.ndjson:
            var bytes = ByteBuffer()
            for event in page.events { bytes.writeLine(event.wire) }
            return Response(
                status: .ok, headers: [.contentType: MediaType.ndjson, .cacheControl: "no-store"],
                body: ResponseBody(byteBuffer: bytes))
        case CloudEvent.batchType:
            let source = CloudEvent.Source(try await store.identity())
            return .json(
                WireList.write(page.events.map { CloudEvent.text(of: $0, source) }), type: CloudEvent.batchType)
        default: return .json(page.wire)
        }
    }
}

extension ByteBuffer {
    mutating func writeLine(_ text: JSONText) {
        writeBytes(text.bytes)
        writeInteger(UInt8(ascii: "\n"))
    }
}
#endif
