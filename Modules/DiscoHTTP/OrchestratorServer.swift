#if HTTP
public import DiscoCore
import DiscoHTTPSupport
import HTTPTypes
public import Hummingbird
public import Logging
public import ServiceLifecycle

/// Serves the commands and queries of an orchestrator over HTTP.
///
/// ```swift
/// let server = try OrchestratorServer(orchestrator, settings: settings, logger: logger)
/// try await server.run()  // until its task is cancelled, or its service group shuts down
/// ```
///
/// `POST /commands/{name}` takes a command, `GET` and `POST /queries/{name}` take a query, and `GET /openapi.json`
/// describes each of them.
public struct OrchestratorServer: Service {
    /// Tells who sends a request; throws ``NotAuthenticated`` or another refusal if it may not use the server.
    public typealias Authentication = @Sendable (_ request: Request) async throws -> Caller

    public let settings: Settings
    /// The OpenAPI document of the routes, as `GET /openapi.json` answers.
    public let document: JSON
    private let table: RouteTable<Caller>
    private let isDraining = Locked(false)
    private let logger: Logger
    private let onRunning: @Sendable (_ port: Int) async -> Void

    /// - Parameters:
    ///   - orchestrator: runs the commands and queries.
    ///   - settings: how to listen, and what to accept.
    ///   - logger: gets a line for each request, at the level `info`, and the errors whose cause callers do not see.
    ///   - authenticate: tells who sends a command or query; without it, only this machine is served.
    ///   - onRunning: called with the port once the server accepts connections.
    /// - Throws: `EventStoreError` with code `configuration` if the settings do not fit together.
    public init(
        _ orchestrator: Orchestrator, settings: Settings = Settings(), logger: Logger = Logger(label: "disco.http"),
        authenticate: Authentication? = nil, onRunning: @escaping @Sendable (_ port: Int) async -> Void = { _ in }
    ) throws {
        try settings.check(isOpen: authenticate == nil)
        self.settings = settings
        self.logger = logger
        self.onRunning = onRunning
        let isDraining = isDraining
        let routes = OrchestratorRoutes(
            orchestrator: orchestrator, settings: settings, isOpen: authenticate == nil, logger: logger,
            isDraining: { isDraining.withLock { $0 } })
        document = routes.document
        let hosts = settings.hosts ?? (authenticate == nil ? HTTPGuard.loopback : nil)
        table = RouteTable(
            routes.all, prefix: settings.prefix, httpGuard: HTTPGuard(hosts: hosts, origins: settings.origins),
            limits: HTTPLimits(bodyBytes: max(1, settings.limits.bodyBytes), requestTime: settings.limits.requestTime),
            context: orchestrator.context,
            authenticate: { request, scope in
                guard scope != nil, let authenticate else { return Caller() }
                do {
                    return try await authenticate(request)
                } catch let error as NotAuthenticated {
                    throw Problem(error)
                }
            },
            observe: { request, route, caller, status, time in
                let name = caller.map { $0.name.isEmpty ? "anyone" : $0.name } ?? "unknown"
                logger.answered(request, by: route, to: name, status, after: time)
            })
    }

    /// Answers the server's requests inside another Hummingbird app: mounts all routes on its router, below
    /// ``Settings/prefix``.
    ///
    /// The routes keep their own checks of hosts, origins and callers; the app decides where it listens.
    public func mount(on router: Router<some RequestContext>) {
        table.mount(on: router)
    }

    /// Serves until the task is cancelled or its service group shuts down; then it answers the requests in progress.
    public func run() async throws {
        let limits = settings.limits
        let listener = HTTPListener(
            host: settings.host, port: settings.port, idleTime: limits.idleTime, unreadTime: limits.unreadTime,
            connections: max(1, limits.connections))
        try await listener.run(table, logger: logger, onRunning: onRunning) { [isDraining] in
            isDraining.withLock { $0 = true }
        }
    }
}

extension Problem {
    fileprivate init(_ error: NotAuthenticated) {
        self.init(
            .unauthorized, "not_authenticated", error.message,
            headers: error.challenge.isEmpty ? [:] : [.wwwAuthenticate: error.challenge])
    }
}
#else
@available(*, unavailable, message: "Enable the `HTTP` trait in the dependency on disco to use this type.")
public struct OrchestratorServer {}
#endif
