#if HTTP
import DiscoCore
import DiscoHTTPSupport
import Foundation
import HTTPTypes
import Hummingbird

extension StoreRoutes {
    var appending: [Route<Caller>] {
        [
            Route(
                .post, "/streams/{stream}/events", scope: "append",
                APIOperation(
                    "appendToStream", "Records events in one stream, all of them or none.",
                    parameters: [
                        StoreExchange.streamParameter,
                        .header(
                            "Expected-Version",
                            "What the stream must be like: `any` (the default), `none`, `exists`, or its last version. "
                                + "Only one of this header, If-Match and If-None-Match may be sent.",
                            ["type": "string", "pattern": "^(any|none|exists|[0-9]{1,18})$"]),
                        .header(
                            "If-Match", "The last version of the stream in quotes, or `*` if it must exist.",
                            ["type": "string", "pattern": "^(\\*|\"[0-9]{1,18}\")$"]),
                        .header("If-None-Match", "`*` if the stream must not exist.", ["enum": ["*"]]),
                        .header(
                            HeaderKey.name,
                            "A key under which the events are recorded once, however often they are sent: 1 to 255 "
                                + "visible ASCII characters or spaces, not beginning with `$`.", HeaderKey.schema),
                    ],
                    body: [
                        (
                            MediaType.json,
                            [
                                "oneOf": [
                                    APIOperation.schema("StreamEvent"),
                                    ServerSchemas.list(
                                        ServerSchemas.ref("StreamEvent"), 1...max(1, settings.limits.eventsPerAppend)),
                                ]
                            ]
                        )
                    ],
                    answers: [(201, Self.recorded), (200, Self.recordedBefore)],
                    problems: [409, 410, 412, 422, 504])
            ) { exchange in try await appendToStream(exchange) },
            Route(
                .post, "/appends", scope: "append",
                APIOperation(
                    "append",
                    "Records one append over any streams, or several independent appends that share a commit.",
                    body: [
                        (
                            MediaType.json,
                            [
                                "oneOf": [
                                    APIOperation.schema("Append"),
                                    ServerSchemas.list(
                                        ServerSchemas.ref("Append"), 0...max(0, settings.limits.appendsPerRequest)),
                                ]
                            ]
                        )
                    ],
                    answers: [
                        (201, .json("The events were recorded.", APIOperation.schema("Appended"))),
                        (
                            200,
                            .json(
                                "The append was recorded before; or, for a list, the outcome of each append in order.",
                                [
                                    "oneOf": [
                                        APIOperation.schema("Appended"),
                                        [
                                            "type": "array",
                                            "items": [
                                                "oneOf": [
                                                    APIOperation.schema("Appended"), APIOperation.schema("Problem"),
                                                ]
                                            ],
                                        ],
                                    ]
                                ])
                        ),
                    ], problems: [409, 410, 422, 504])
            ) { exchange in try await appendAll(exchange) },
        ]
    }

    private static let recorded = APIOperation.Answer(
        "The events were recorded.", [(MediaType.json, APIOperation.schema("Appended"))],
        headers: headers)
    private static let recordedBefore = APIOperation.Answer(
        "The events were recorded before, by the same request.", [(MediaType.json, APIOperation.schema("Appended"))],
        headers: headers)
    private static let headers: [APIOperation.Header] = [
        .init("Location", "Where the events can be read.", ["type": "string", "format": "uri-reference"]),
        .init("ETag", "The version of the stream in quotes.", ["type": "string", "pattern": "^\"[0-9]+\"$"]),
    ]

    private func appendToStream(_ exchange: StoreExchange) async throws -> Response {
        let stream = exchange.stream
        let (expected, isPrecondition) = try ExpectedVersion?.of(exchange)
        let events = try NewEvent.events(wire: try await exchange.body(), in: stream)
        guard !events.isEmpty else { throw ValidationError(["": ["must contain at least one event"]]) }
        try requireCount(events)
        var append = Append(events, expect: expected.map { [stream: $0] } ?? [:])
        if let key = try exchange.header(HeaderKey.name) {
            try HeaderKey.check(key)
            append.key = IdempotencyKey(key, fingerprint: append.fingerprint)
        }
        do {
            let appended = try await record(append, exchange)
            return answer(appended, stream: stream, exchange)
        } catch let conflict as VersionConflict where isPrecondition {
            let problem = Problem(conflict)
            throw Problem(
                .preconditionFailed, problem.code, problem.message, kind: problem.kind, data: problem.data)
        }
    }

    private func answer(_ appended: Appended, stream: StreamID, _ exchange: StoreExchange) -> Response {
        var headers: [(name: String, value: String)] = []
        if let first = appended.events.first, let last = appended.events.last {
            let path = "/streams/\(PercentEncoding.encode(stream.name))/events"
            headers.append(("Location", "\(settings.prefix)\(path)?from=\(first.version)&to=\(last.version)"))
            headers.append(("ETag", "\"\(last.version)\""))
        }
        return .json(appended.wire, status: appended.repeated ? .ok : .created, headers: HTTPFields(headers))
    }

    private func appendAll(_ exchange: StoreExchange) async throws -> Response {
        let body = try await exchange.body()
        guard let texts = try WireList.texts(body) else {
            let append = try Append(wire: body)
            try requireCount(append.events)
            let appended = try await record(append, exchange)
            return .json(appended.wire, status: appended.repeated ? .ok : .created)
        }
        guard texts.count <= settings.limits.appendsPerRequest else {
            throw Problem(
                .contentTooLarge, "too_many_appends",
                "A request may contain \(settings.limits.appendsPerRequest) appends; this one has \(texts.count).")
        }
        metrics.batch(texts.count)
        return .json(WireList.write(await outcomes(of: texts, exchange)))
    }

    /// Records the appends at once, so that they share a commit.
    private func outcomes(of texts: [JSONText], _ exchange: StoreExchange) async -> [JSONText] {
        await withTaskGroup(of: (Int, JSONText).self) { group in
            for (index, text) in texts.enumerated() {
                group.addTask {
                    do {
                        let append = try Append(wire: text)
                        try requireCount(append.events)
                        return (index, try await record(append, exchange).wire)
                    } catch {
                        return (index, JSONText(.object(Problem(error).json)))
                    }
                }
            }
            var outcomes = [JSONText](repeating: "null", count: texts.count)
            for await (index, outcome) in group { outcomes[index] = outcome }
            return outcomes
        }
    }

    private func record(_ append: Append, _ exchange: StoreExchange) async throws -> Appended {
        let appended = try await store(for: exchange).append(append)
        metrics.recorded(appended)
        return appended
    }

    private func requireCount(_ events: [NewEvent]) throws {
        guard events.count <= settings.limits.eventsPerAppend else {
            throw Problem(
                .contentTooLarge, "too_many_events",
                "An append may contain \(settings.limits.eventsPerAppend) events; this one has \(events.count).")
        }
        // A store checks each tag against all of its event, so the time that it takes grows by the square.
        guard let most = events.map(\.tags.count).max(), most > EventQuery.mostNames else { return }
        throw Problem(
            .contentTooLarge, "too_many_tags",
            "An event may have \(EventQuery.mostNames) tags; one of the append has \(most).")
    }
}

extension ExpectedVersion {
    fileprivate init?(text: String) {
        switch text {
        case "any": self = .any
        case "none": self = .noStream
        case "exists": self = .streamExists
        default:
            guard let version = Int(digits: text) else { return nil }
            self = .exactly(version)
        }
    }
}

extension ExpectedVersion? {
    /// What the headers of a request demand, and whether they do so as preconditions of HTTP.
    fileprivate static func of(_ exchange: Exchange<Caller>) throws -> (ExpectedVersion?, isPrecondition: Bool) {
        let (version, match, noneMatch) = (
            try exchange.header("Expected-Version"), try exchange.header("If-Match"),
            try exchange.header("If-None-Match")
        )
        guard [version, match, noneMatch].compactMap(\.self).count <= 1 else {
            throw ValidationError([
                "Expected-Version": ["must be the only one of Expected-Version, If-Match and If-None-Match"]
            ])
        }
        if let version {
            guard let expected = ExpectedVersion(text: version) else {
                throw ValidationError(["Expected-Version": ["must be any, none, exists or a version"]])
            }
            return (expected, false)
        }
        if let match {
            if match == "*" { return (.streamExists, true) }
            guard match.count > 2, match.hasPrefix("\""), match.hasSuffix("\""),
                let version = Int(digits: match.dropFirst().dropLast())
            else { throw ValidationError(["If-Match": ["must be * or a version in quotes"]]) }
            return (.exactly(version), true)
        }
        if let noneMatch {
            guard noneMatch == "*" else { throw ValidationError(["If-None-Match": ["must be *"]]) }
            return (.noStream, true)
        }
        return (nil, false)
    }
}
#endif
