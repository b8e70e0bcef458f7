#if HTTP
import AsyncHTTPClient
import DiscoCore
import DiscoEventStore
import DiscoEventStoreServer
import Foundation
import HTTPTypes
import Logging
import NIOCore
import NIOHTTP1
import ServiceLifecycle
import TestSupport

/// A server in this process on a free port, and a way to ask it.
final class RunningServer: Sendable {
    let store: any EventStore
    let port: Int
    private let group: ServiceGroup
    private let running: Task<Void, any Error>

    init(
        _ store: any EventStore = InMemoryEventStore(), checkpoints: (any CheckpointStore)? = nil,
        metrics: PrometheusMetrics? = nil, log: LogCollector = LogCollector(),
        _ change: (inout EventStoreServer.Settings) -> Void = { _ in }
    ) async throws {
        var settings = EventStoreServer.Settings()
        settings.port = 0
        change(&settings)
        let ports = AsyncStream<Int>.makeStream()
        var exposition: (@Sendable () -> String)?
        if let metrics { exposition = { metrics.text() } }
        let server = try EventStoreServer(
            EventStoreClient(store), settings: settings, checkpoints: checkpoints, logger: log.logger(.info),
            metrics: metrics, exposition: exposition,
            onRunning: { ports.continuation.yield($0) })
        let group = ServiceGroup(services: [server], logger: log.logger(.error))
        self.store = store
        self.group = group
        running = Task { try await group.run() }
        var iterator = ports.stream.makeAsyncIterator()
        port = await iterator.next() ?? 0
    }

    typealias Answer = HTTPAnswer

    var url: String { "http://127.0.0.1:\(port)" }

    func ask(
        _ method: String, _ path: String, _ body: String? = nil, _ headers: [String: String] = [:]
    ) async throws -> Answer {
        try await HTTPAnswer.asking(method, url + path, body.map { Array($0.utf8) }, headers.map { ($0, $1) })
    }

    /// A response whose body is still to be read.
    func open(
        _ method: String, _ path: String, _ body: String? = nil, _ headers: [String: String] = [:]
    ) async throws -> HTTPClientResponse {
        let request = HTTPAnswer.request(method, url + path, body.map { Array($0.utf8) }, headers.map { ($0, $1) })
        return try await HTTPClient.shared.execute(request, timeout: .seconds(30))
    }

    /// Shuts down gracefully.
    func stop() async throws {
        await group.triggerGracefulShutdown()
        try await running.value
        await store.close()
    }
}

/// Runs a test on a server, and stops it.
func withServer(
    _ store: any EventStore = InMemoryEventStore(), checkpoints: (any CheckpointStore)? = nil,
    metrics: PrometheusMetrics? = nil, log: LogCollector = LogCollector(),
    change: (inout EventStoreServer.Settings) -> Void = { _ in },
    _ body: (RunningServer) async throws -> Void
) async throws {
    let server = try await RunningServer(store, checkpoints: checkpoints, metrics: metrics, log: log, change)
    do {
        try await body(server)
    } catch {
        try await server.stop()
        throw error
    }
    try await server.stop()
}
#endif
