#if HTTP
import AsyncHTTPClient
import DiscoConsumers
import DiscoCore
import DiscoEventStore
import DiscoEventStoreSQLite
import DiscoHTTP
import Foundation
import Logging
import NIOCore
import NIOHTTP1
import ServiceLifecycle
import TestSupport
import WalletDomain

/// The stores that the tests run on.
enum Adapter: String, CaseIterable, Sendable {
    case memory, sqlite

    func open(in folder: TemporaryFolder) async throws -> (any EventStore, SQLiteReadModelStore) {
        switch self {
        case .memory: (InMemoryEventStore(), try await SQLiteReadModelStore.open(.inMemory))
        case .sqlite:
            (
                try await SQLiteEventStore.open(path: folder.events),
                try await SQLiteReadModelStore.open(path: folder.events + ".read-models")
            )
        }
    }
}

/// A server in this process on a free port, and a way to ask it.
final class RunningServer: Sendable {
    let port: Int
    let document: JSON
    private let group: ServiceGroup
    private let running: Task<Void, any Error>

    init(
        _ orchestrator: Orchestrator, log: LogCollector = LogCollector(),
        authenticate: OrchestratorServer.Authentication? = nil,
        _ change: (inout OrchestratorServer.Settings) -> Void = { _ in }
    ) async throws {
        var settings = OrchestratorServer.Settings()
        settings.port = 0
        change(&settings)
        let ports = AsyncStream<Int>.makeStream()
        let server = try OrchestratorServer(
            orchestrator, settings: settings, logger: log.logger(.info), authenticate: authenticate,
            onRunning: { ports.continuation.yield($0) })
        let group = ServiceGroup(services: [server], logger: log.logger(.error))
        self.group = group
        document = server.document
        running = Task { try await group.run() }
        var iterator = ports.stream.makeAsyncIterator()
        port = await iterator.next() ?? 0
    }

    typealias Answer = HTTPAnswer

    var url: String { "http://127.0.0.1:\(port)" }

    func ask(
        _ method: String, _ path: String, _ body: String? = nil, _ headers: [String: String] = [:]
    ) async throws -> Answer {
        try await ask(method, path, body.map { ByteBuffer(string: $0) }, headers.map { ($0, $1) })
    }

    func ask(
        _ method: String, _ path: String, _ body: ByteBuffer?, _ headers: [(String, String)]
    ) async throws -> Answer {
        try await HTTPAnswer.asking(method, url + path, body.map { Array($0.readableBytesView) }, headers)
    }

    /// Shuts down gracefully.
    func stop() async throws {
        await group.triggerGracefulShutdown()
        try await running.value
    }
}

/// Runs a test on the wallets behind a server.
///
/// - Parameter consuming: whether the consumers run.
func withWallets(
    _ adapter: Adapter = .memory, consuming: Bool = true, log: LogCollector = LogCollector(),
    authenticate: OrchestratorServer.Authentication? = nil,
    change: (inout OrchestratorServer.Settings) -> Void = { _ in },
    _ body: (RunningServer, Wallets) async throws -> Void
) async throws {
    let folder = try TemporaryFolder()
    let (events, readModels) = try await adapter.open(in: folder)
    let wallets = Wallets(events: events, readModels: readModels, logger: log.logger(.error))
    let consumers = Task { if consuming { try await wallets.consumers.run() } }
    if !consuming { try await wallets.consumers.catchUp() }
    let server = try await RunningServer(wallets.orchestrator, log: log, authenticate: authenticate, change)
    var failure: (any Error)?
    do { try await body(server, wallets) } catch { failure = error }
    try await server.stop()
    consumers.cancel()
    _ = await consumers.result
    await events.close()
    await readModels.close()
    if let failure { throw failure }
}

/// Runs a test on a server for an orchestrator on a store in memory.
func withServer(
    _ orchestrator: (EventStoreClient) -> Orchestrator, log: LogCollector = LogCollector(),
    authenticate: OrchestratorServer.Authentication? = nil,
    change: (inout OrchestratorServer.Settings) -> Void = { _ in },
    _ body: (RunningServer, EventStoreClient) async throws -> Void
) async throws {
    let client = EventStoreClient(InMemoryEventStore())
    let server = try await RunningServer(orchestrator(client), log: log, authenticate: authenticate, change)
    var failure: (any Error)?
    do { try await body(server, client) } catch { failure = error }
    try await server.stop()
    await client.close()
    if let failure { throw failure }
}
#endif
