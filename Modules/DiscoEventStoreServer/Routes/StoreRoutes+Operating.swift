#if HTTP
import DiscoCore
import DiscoHTTPSupport
import Foundation
import HTTPTypes
import Hummingbird
import NIOCore

extension StoreRoutes {
    var operating: [Route<Caller>] {
        [
            Route(
                .get, "/consumers", scope: "consume",
                APIOperation(
                    "listConsumers", "Shows how far the consumers of the server's read model store have come.",
                    answers: [(200, .json("The consumers.", APIOperation.schema("Consumers")))], problems: [501])
            ) { exchange in
                try exchange.caller.requireAllStreams(to: "see the consumers")
                return try await consumers()
            },
            .live,
            .ready(isDraining: isDraining, store.context, showsDetails: settings.tokens.isEmpty) {
                _ = try await EventStoreClient(store).head()
            },
            Route(
                .get, "/metrics", scope: "consume",
                APIOperation(
                    "metrics", "The server's metrics in the text format of Prometheus.",
                    answers: [(200, APIOperation.Answer("The metrics.", [("text/plain", ["type": "string"])]))],
                    problems: [501])
            ) { exchange in
                try exchange.caller.requireAllStreams(to: "see the metrics")
                return try await exposed()
            },
            Route(
                .get, "/version", scope: nil,
                APIOperation(
                    "version", "The version of this API.",
                    answers: [(200, .json("The version.", APIOperation.schema("Version")))])
            ) { _ in .json(JSONText(["name": "disco", "api": JSON(EventStoreServer.apiVersion)])) },
            .problem,
        ]
    }

    private var isDraining: @Sendable () -> Bool { { followers.isDraining } }

    func document(of routes: [Route<Caller>]) -> Route<Caller> {
        .document(ServerSchemas.openAPI(settings), of: routes, prefix: settings.prefix)
    }

    private func consumers() async throws -> Response {
        guard let checkpoints else {
            throw EventStoreError(
                .unsupported, "The server has no read model store, so it does not know the consumers.")
        }
        let client = EventStoreClient(store)
        let statuses = try await client.status(of: checkpoints)
        let head = try await client.head()
        return .json(
            JSONText(["head": JSON(head.rawValue), "consumers": .array(statuses.map(\.json))]))
    }

    private func exposed() async throws -> Response {
        guard let exposition else {
            throw EventStoreError(
                .unsupported, "The server was started without metrics. Give it a PrometheusMetrics.")
        }
        metrics.scraped(await measures())
        return Response(
            status: .ok,
            headers: [.contentType: "text/plain; version=0.0.4; charset=utf-8", .cacheControl: "no-store"],
            body: ResponseBody(byteBuffer: ByteBuffer(string: exposition())))
    }

    private func measures() async -> ServerMetrics.Measures {
        var measures = ServerMetrics.Measures(followers: followers.count, load: store.abilities.load?.load())
        let late = EventStoreError(.unavailable, "The store did not answer within two seconds.")
        measures.head = try? await store.context.limited(to: .seconds(2), late) {
            try await EventStoreClient(store).head()
        }
        guard let head = measures.head, let checkpoints else { return measures }
        let lags = try? await store.context.limited(to: .seconds(2), late) {
            var lags: [ConsumerPartition: Int] = [:]
            for state in try await checkpoints.partitions(of: nil) {
                // Without counting, the distance: it is the number of events in a store without gaps.
                lags[state.partition] =
                    try await store.abilities.counting?.events(after: state.checkpoint.position, upTo: head)
                    ?? max(0, Int(clamping: head.rawValue &- state.checkpoint.position.rawValue))
            }
            return lags
        }
        measures.lags = lags ?? [:]
        return measures
    }
}
#endif
