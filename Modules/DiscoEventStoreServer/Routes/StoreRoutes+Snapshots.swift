#if HTTP
import DiscoCore
import DiscoHTTPSupport
import Foundation
import HTTPTypes
import Hummingbird

extension StoreRoutes {
    private static let path = "/snapshots/{stream}/{name}/{fingerprint}"
    private static let keyPath: [APIOperation.Parameter] = [
        StoreExchange.streamParameter, .path("name", "The name of the state's type.", ServerSchemas.keptText),
        .path("fingerprint", "Identifies the shape and version of the state.", ServerSchemas.keptText),
    ]

    var snapshots: [Route<Caller>] {
        [
            Route(
                .get, Self.path, scope: "read",
                APIOperation(
                    "findSnapshot", "Finds the last snapshot of a stream's state.", parameters: Self.keyPath,
                    answers: [(200, .json("The snapshot.", APIOperation.schema("Snapshot")))], problems: [404, 501])
            ) { exchange in
                guard let snapshot = try await snapshots(exchange).snapshot(key(exchange)) else {
                    throw Problem(.notFound, "unknown_snapshot", "There is no such snapshot of \(exchange.stream).")
                }
                return .json(snapshot.wire)
            },
            Route(
                .put, Self.path, scope: "append",
                APIOperation(
                    "saveSnapshot",
                    "Saves a snapshot, unless there is a newer one or the stream has no event of its version.",
                    parameters: Self.keyPath,
                    body: [(MediaType.json, APIOperation.schema("Snapshot"))],
                    answers: [(204, APIOperation.Answer("The snapshot was saved, or need not be."))],
                    problems: [501])
            ) { exchange in
                let snapshot = try Snapshot(wire: try await exchange.body())
                guard snapshot.key == key(exchange) else {
                    throw ValidationError(["stream": ["must be, like name and fingerprint, that of the path"]])
                }
                try await snapshots(exchange).save(snapshot)
                return Response(status: .noContent)
            },
            Route(
                .delete, Self.path, scope: "append",
                APIOperation(
                    "deleteSnapshot", "Deletes a snapshot.", parameters: Self.keyPath,
                    answers: [(204, APIOperation.Answer("There is no such snapshot now."))], problems: [501])
            ) { exchange in
                try await snapshots(exchange).delete(key(exchange))
                return Response(status: .noContent)
            },
        ]
    }

    private func key(_ exchange: StoreExchange) -> SnapshotKey {
        SnapshotKey(
            stream: exchange.stream, name: exchange.path["name"] ?? "",
            fingerprint: exchange.path["fingerprint"] ?? "")
    }

    private func snapshots(_ exchange: StoreExchange) throws -> any SnapshotStore {
        try ability(store(for: exchange).abilities.snapshots, "store snapshots")
    }

    var keys: [Route<Caller>] {
        [
            Route(
                .get, "/keys/{key}", scope: "read",
                APIOperation(
                    "findKey", "Finds what was recorded under an idempotency key.",
                    parameters: [
                        .path(
                            "key", "The key.", ["type": "string", "pattern": "^[^\\u0000]+$", "maxLength": 255]),
                        .query(
                            "fingerprint", "Identifies the content that the key was used for.", ServerSchemas.keptText),
                    ], answers: [(200, .json("What was recorded.", APIOperation.schema("Appended")))],
                    problems: [404, 422, 501])
            ) { exchange in
                let key = IdempotencyKey(
                    exchange.path["key"] ?? "", fingerprint: exchange.query.text("fingerprint") ?? "")
                guard let appended = try await client(for: exchange).recorded(under: key) else {
                    throw Problem(.notFound, "unknown_key", "Nothing is recorded under this key.")
                }
                return .json(appended.wire)
            },
            Route(
                .delete, "/keys", scope: "admin",
                APIOperation(
                    "forgetKeys", "Forgets the idempotency keys stored before a time.",
                    parameters: [
                        .query("stored_before", "The time in ISO 8601.", ServerSchemas.time, isRequired: true),
                        .query(
                            "of_policies", "Whether to forget the keys of policies' commands, too.",
                            ["type": "boolean"]),
                    ],
                    answers: [(200, .json("How many keys were forgotten.", APIOperation.schema("Forgotten")))],
                    problems: [501])
            ) { exchange in
                guard let date = try exchange.query.date("stored_before") else {
                    throw ValidationError(["stored_before": ["is required"]])
                }
                let ofPolicies = try exchange.query.flag("of_policies") ?? false
                let count = try await client(for: exchange).forgetKeys(storedBefore: date, ofPolicies: ofPolicies)
                return .json(JSONText(["forgotten": JSON(count)]))
            },
            Route(
                .get, "/verify", scope: "admin",
                APIOperation(
                    "verify", "Examines one page of events for damage.",
                    parameters: [
                        .query("after", "Only events after this position.", ServerSchemas.ref("Position")),
                        .query(
                            "limit", "The maximum number of events.",
                            ["type": "integer", "minimum": 1, "maximum": 10_000, "default": 1000]),
                    ], answers: [(200, .json("What was found.", APIOperation.schema("VerifiedPage")))], problems: [501]
                )
            ) { exchange in
                let verification = try ability(store(for: exchange).abilities.verification, "verify itself")
                return .json(
                    try await verification.verify(
                        after: try exchange.query.position("after") ?? .start,
                        limit: try exchange.query.integer("limit", in: 1...10_000) ?? 1000
                    ).wire)
            }.tagged("Operating"),
        ]
    }
}
#endif
