#if HTTP
import AppSupport
import ArgumentParser
import DiscoConsumers
import DiscoCore
import DiscoHTTP
import Logging
import ServiceLifecycle
import WalletDomain

struct Serve: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Serves the commands and queries over HTTP.",
        discussion: """
            GET /openapi.json describes them. The server authenticates no one, so it listens only on this machine. The \
            consumers run in the same process, or with --without-consumers in another, by `WalletApp consume`. SIGTERM \
            ends the server after the requests in progress.
            """)

    @Option(help: "The address to listen on (default: DISCO_HTTP_HOST, or 127.0.0.1).") var host: String?
    @Option(help: "The port to listen on; 0 for a free one (default: DISCO_HTTP_PORT, or 8080).") var port: Int?
    @Flag(help: "Leave the consumers to `WalletApp consume` in another process.") var withoutConsumers = false
    @Flag(help: "Log every request to standard error.") var accessLog = false

    func run() async throws {
        ServerResources.prepare()
        // In memory, the consumers must be here.
        try await System.run(shared: withoutConsumers) { system in
            var settings = try OrchestratorServer.Settings(config: system.config)
            if let host { settings.host = host }
            if let port { settings.port = port }
            settings.title = "Wallets"
            var logger = AppConfiguration.logger("wallets")
            if accessLog { logger.logLevel = .info }
            let name = settings.host.contains(":") ? "[\(settings.host)]" : settings.host
            let server = try OrchestratorServer(
                system.wallets.orchestrator, settings: settings, logger: logger,
                onRunning: { port in try? Output.write("listening on http://\(name):\(port)") })
            // The last one ends first: the consumers go on until the server has answered what is in progress.
            let consumers: [any Service] = withoutConsumers ? [] : [system.wallets.consumers]
            let group = ServiceGroup(
                configuration: .init(
                    services: consumers.map { .init(service: $0) }
                        + [.init(service: server, successTerminationBehavior: .gracefullyShutdownGroup)],
                    logger: logger))
            // A signal handler cannot wait; `group.run()` below returns when the shutdown is complete.
            Termination.shuttingDown { Task { await group.triggerGracefulShutdown() } }
            try await group.run()
        }
    }
}
#endif
