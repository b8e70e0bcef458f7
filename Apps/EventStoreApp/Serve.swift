#if HTTP
import AppSupport
import ArgumentParser
import Configuration
import DiscoCore
import DiscoEventStore
import DiscoEventStoreServer
import Dispatch
import Foundation
import Logging
import ServiceLifecycle

struct Serve: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Serves the event store over HTTP to other processes and machines.",
        discussion: """
            GET /openapi.json describes the API. Other apps use the server with DISCO_EVENT_STORE_ADAPTER=remote and \
            DISCO_EVENT_STORE_REMOTE_URL. Without tokens, the server listens only on this machine; create one with \
            `EventStoreApp tokens create`, and name its file in DISCO_SERVER_TOKENS_FILE. SIGTERM ends the server after \
            the requests in progress; SIGHUP makes it read tokens and certificates again.
            """)

    @Option(help: "The address to listen on (default: DISCO_SERVER_HOST, or 127.0.0.1).") var host: String?
    @Option(help: "The port to listen on; 0 for a free one (default: DISCO_SERVER_PORT, or 8080).") var port: Int?
    @Flag(help: "Log every request to standard error.") var accessLog = false

    func run() async throws {
        try await Output.reporting {
            ServerResources.prepare()
            let config = try await EventStoreApp.settings()
            var settings = try EventStoreServer.Settings(config: config)
            if let host { settings.host = host }
            if let port { settings.port = port }
            try settings.check()
            var logger = AppConfiguration.logger("EventStoreApp")
            if accessLog { logger.logLevel = .info }
            let metrics = PrometheusMetrics()
            let (scheme, name) = (settings.tls == nil ? "http" : "https", settings.host)
            try await withStores(config, logger) { store, checkpoints in
                let server = try EventStoreServer(
                    EventStoreClient(store), settings: settings, checkpoints: checkpoints, logger: logger,
                    metrics: metrics, exposition: { metrics.text() },
                    onRunning: { port in
                        try? Output.write("listening on \(scheme)://\(name.contains(":") ? "[\(name)]" : name):\(port)")
                    })
                let group = ServiceGroup(
                    configuration: .init(
                        services: [.init(service: server, successTerminationBehavior: .gracefullyShutdownGroup)],
                        logger: logger))
                // A signal handler cannot wait; `group.run()` below returns when the shutdown is complete.
                Termination.shuttingDown { Task { await group.triggerGracefulShutdown() } }
                let reloading = Self.reloading(server, logger)
                defer { reloading.cancel() }
                try await group.run()
            }
        }
    }

    /// Opens the event store, and the read models if they are configured for another process to write.
    private func withStores(
        _ config: ConfigReader, _ logger: Logger,
        _ body: (any EventStore, (any CheckpointStore)?) async throws -> Void
    ) async throws {
        let context = StoreContext(logger: logger)
        let adapter = try EventStoreAdapter.chosen(by: config, among: AppConfiguration.localEventStores)
        let store = try await adapter.open(config, context: context)
        let readModels: any ReadModelStore
        do {
            readModels = try await ReadModelStoreAdapter.chosen(by: config, among: AppConfiguration.readModelStores)
                .open(config, context: context)
        } catch {
            await store.close()
            throw error
        }
        do {
            try await body(store, readModels)
        } catch {
            await readModels.close()
            await store.close()
            throw error
        }
        await readModels.close()
        await store.close()
    }

    /// Reads tokens and certificates again on SIGHUP.
    private static func reloading(_ server: EventStoreServer, _ logger: Logger) -> any DispatchSourceSignal {
        signal(SIGHUP, SIG_IGN)
        let source = DispatchSource.makeSignalSource(signal: SIGHUP)
        source.setEventHandler {
            do {
                try server.reload()
                logger.notice("The tokens and certificates were read again.")
            } catch {
                logger.error(
                    "The tokens and certificates were not replaced.",
                    metadata: ["error": "\(ErrorDescription(error).message)"])
            }
        }
        source.activate()
        return source
    }
}
#endif
