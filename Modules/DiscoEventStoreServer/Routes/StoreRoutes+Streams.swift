#if HTTP
import DiscoCore
import DiscoHTTPSupport
import HTTPTypes
import Hummingbird

extension StoreRoutes {
    private static let stream = StoreExchange.streamParameter
    private static let done = APIOperation.Answer("It was done.")

    var streams: [Route<Caller>] {
        [
            Route(
                .get, "/streams", scope: "read",
                APIOperation(
                    "listStreams", "Lists the streams in the order of their names.",
                    parameters: [
                        .query("category", "Only streams of this category.", ServerSchemas.ref("Category")),
                        .query("prefix", "Only streams whose names begin like this.", ServerSchemas.keptText),
                        .query(
                            "after", "Only streams after this one: the last of the page before.",
                            ServerSchemas.keptText),
                        .query(
                            "limit", "The maximum number of streams.",
                            ["type": "integer", "minimum": 1, "maximum": 10_000, "default": 1000]),
                    ], answers: [(200, .json("The streams.", APIOperation.schema("Streams")))], problems: [501])
            ) { exchange in
                let streams = try await client(for: exchange).streams(
                    category: exchange.query.text("category"), prefix: exchange.query.text("prefix"),
                    after: exchange.query.text("after").map { StreamID($0) },
                    limit: try exchange.query.integer("limit", in: 1...10_000) ?? 1000)
                return .json(WireList.object("streams", streams.map(\.wire)))
            },
            Route(
                .head, "/streams/{stream}", scope: "read",
                APIOperation(
                    "findStream", "Tells whether a stream exists; its version is the ETag.",
                    parameters: [Self.stream],
                    answers: [
                        (
                            200,
                            APIOperation.Answer(
                                "The stream exists.",
                                headers: [
                                    .init(
                                        "ETag", "Its version in quotes.", ["type": "string", "pattern": "^\"[0-9]+\"$"])
                                ])
                        ),
                        (404, APIOperation.Answer("There is no such stream.")),
                    ])
            ) { exchange in
                let version = try await client(for: exchange).version(of: exchange.stream)
                guard version > 0 else { return Response(status: .notFound) }
                return Response(status: .ok, headers: [.eTag: "\"\(version)\""])
            },
            Route(
                .get, "/streams/{stream}/deletion", scope: "read",
                APIOperation(
                    "streamDeletion", "Tells whether a stream is deleted and can be restored.",
                    parameters: [Self.stream], answers: [(200, .json("The answer.", APIOperation.schema("Deletion")))],
                    problems: [501])
            ) { exchange in
                let isDeleted = try await deletion(exchange).isDeleted(exchange.stream)
                return .json(JSONText(["deleted": .bool(isDeleted)]))
            },
            Route(
                .delete, "/streams/{stream}", scope: "admin",
                APIOperation(
                    "deleteStream", "Hides a stream and closes it to appends until it is restored.",
                    parameters: [Self.stream], answers: [(204, Self.done)], problems: [404, 410, 501])
            ) { exchange in
                try await deletion(exchange).delete(exchange.stream)
                return Response(status: .noContent)
            },
            Route(
                .post, "/streams/{stream}/restore", scope: "admin",
                APIOperation(
                    "restoreStream", "Restores a deleted stream.", parameters: [Self.stream],
                    answers: [(204, Self.done)], problems: [404, 410, 501])
            ) { exchange in
                try await deletion(exchange).restore(exchange.stream)
                return Response(status: .noContent)
            },
            Route(
                .post, "/streams/{stream}/erase", scope: "admin",
                APIOperation(
                    "eraseStream", "Permanently blanks every event of a stream, if the store's settings allow it.",
                    parameters: [Self.stream], body: [(MediaType.json, APIOperation.schema("Erasing"))],
                    answers: [(204, Self.done)], problems: [404, 410, 501])
            ) { exchange in
                var close = true
                let body = try await exchange.body().value()
                guard let object = body.object else { throw ValidationError(["": ["must be an object"]]) }
                for member in object {
                    guard member.name == "close" else {
                        throw ValidationError([member.name: ["is not a known field"]])
                    }
                    guard case .bool(let value) = member.value else {
                        throw ValidationError(["close": ["must be true or false"]])
                    }
                    close = value
                }
                try await deletion(exchange).erase(exchange.stream, close: close)
                return Response(status: .noContent)
            },
        ]
    }

    private func deletion(_ exchange: StoreExchange) throws -> any StreamDeletion {
        try ability(store(for: exchange).abilities.deletion, "delete streams")
    }
}
#endif
