#if HTTP
import DiscoConsumers
import DiscoCore
import DiscoHTTP
import Hummingbird
import Logging
import ServiceLifecycle

/// The examples of DiscoHTTP's guides.
private enum ServingADomainExamples {
    struct Sessions: Sendable {
        func user(of token: String?) async throws -> String? { token }
    }

    static func overview(_ orchestrator: Orchestrator, _ logger: Logger) async throws {
        let server = try OrchestratorServer(orchestrator, logger: logger)
        try await server.run()  // until its task is cancelled, or its service group shuts down
    }

    static func authentication(
        _ orchestrator: Orchestrator, _ settings: OrchestratorServer.Settings, _ sessions: Sessions, _ logger: Logger
    ) async throws -> OrchestratorServer {
        let server = try OrchestratorServer(
            orchestrator, settings: settings, logger: logger,
            authenticate: { request in
                guard let user = try await sessions.user(of: request.headers[.authorization]) else {
                    throw NotAuthenticated()  // 401
                }
                return OrchestratorServer.Caller(
                    name: user, metadata: Metadata(values: try JSONText(encoding: ["user": user])))
            })
        return server
    }

    static func authorization() -> AuthorizationMiddleware {
        let mayUse = AuthorizationMiddleware { call in
            call.name != "erase_account" || OrchestratorServer.Caller.current?.name == "admin"  // 403
        }
        return mayUse
    }

    static func mounting(
        _ orchestrator: Orchestrator, _ router: Router<BasicRequestContext>,
        _ authenticate: @escaping OrchestratorServer.Authentication
    ) throws {
        var settings = OrchestratorServer.Settings()
        settings.prefix = "/api"
        let server = try OrchestratorServer(orchestrator, settings: settings, authenticate: authenticate)
        server.mount(on: router)  // POST /api/commands/create_wallet
    }

    static func consuming(_ server: OrchestratorServer, _ consumers: Consumers, _ logger: Logger) async throws {
        let group = ServiceGroup(
            configuration: .init(
                services: [
                    .init(service: consumers),
                    .init(service: server, successTerminationBehavior: .gracefullyShutdownGroup),
                ], gracefulShutdownSignals: [.sigterm], logger: logger))
        try await group.run()
    }
}
#endif
