#if HTTP
public import DiscoCore
import DiscoHTTPSupport
import HTTPTypes
public import Hummingbird
import HummingbirdCore
import HummingbirdTLS
public import Logging
public import Metrics
public import ServiceLifecycle

/// Serves an event store over HTTP, for other processes, other machines and other languages.
///
/// ```swift
/// let server = try EventStoreServer(EventStoreClient(store), settings: settings, logger: logger)
/// try await server.run()  // until its task is cancelled, or its service group shuts down
/// ```
///
/// `GET /openapi.json` describes the API. `DiscoEventStoreRemote` has the adapter that speaks it.
public struct EventStoreServer: Service {
    /// The version of the API. Clients of another version are refused with a sentence.
    public static let apiVersion = 1

    public let settings: Settings
    private let table: RouteTable<Caller>
    private let followers: Followers
    private let logger: Logger
    private let onRunning: @Sendable (_ port: Int) async -> Void
    private let tls: ReloadableTLS?

    /// - Parameters:
    ///   - client: the store to serve. Upcasters of the client are not applied: its callers have their own.
    ///   - settings: how to listen, whom to serve, and what to accept.
    ///   - checkpoints: the read model store whose consumers `GET /consumers` shows.
    ///   - logger: gets a line for each request, at the level `info`, and the server's problems.
    ///   - metrics: where the server counts; by default, the factory that the process has bootstrapped.
    ///   - exposition: the text that `GET /metrics` answers with, for example ``PrometheusMetrics/text()``.
    ///   - onRunning: called with the port once the server accepts connections.
    /// - Throws: `EventStoreError` with code `configuration` if the settings do not fit together.
    public init(
        _ client: EventStoreClient, settings: Settings = Settings(), checkpoints: (any CheckpointStore)? = nil,
        logger: Logger = Logger(label: "disco.server"), metrics: (any MetricsFactory)? = nil,
        exposition: (@Sendable () -> String)? = nil,
        onRunning: @escaping @Sendable (_ port: Int) async -> Void = { _ in }
    ) throws {
        try settings.check()
        self.settings = settings
        self.logger = logger
        self.onRunning = onRunning
        tls = try settings.tls.map { try ReloadableTLS($0) }
        let followers = Followers(of: client.recordedStore, limit: settings.limits.followers)
        self.followers = followers
        let serverMetrics = ServerMetrics(metrics)
        let routes = StoreRoutes(
            store: client.recordedStore, settings: settings, followers: followers, metrics: serverMetrics,
            checkpoints: checkpoints, exposition: exposition)
        let context = client.context
        table = RouteTable(
            routes.all, prefix: settings.prefix, httpGuard: settings.httpGuard, limits: settings.httpLimits,
            context: context,
            authenticate: { request, scope in
                try Self.requireVersion(request)
                return try settings.tokens.caller(
                    presenting: request.headers[.authorization], scope: scope, now: context.uptime(),
                    date: context.now())
            },
            observe: { request, route, caller, status, time in
                serverMetrics.request(request.method.rawValue, route ?? "none", status, time)
                logger.answered(request, by: route, to: caller?.name ?? "unknown", status, after: time)
            }, decorate: { $0[.discoAPI] = "\(Self.apiVersion)" })
    }

    /// A caller that says which version of the API it speaks must speak this one.
    private static func requireVersion(_ request: Request) throws {
        guard let version = request.headers[.discoAPI], version != "\(apiVersion)" else { return }
        throw Problem(
            .badRequest, "api_version",
            "This server speaks version \(apiVersion) of the API, and the client version \(version.prefix(20)). Update the older one."
        )
    }

    /// Answers the server's requests inside another Hummingbird app: mounts all routes on its router, below
    /// ``Settings/prefix``.
    public func mount(on router: Router<some RequestContext>) {
        table.mount(on: router)
    }

    /// Makes followers send their last line. ``run()`` does so by itself on a graceful shutdown.
    public func drain() { followers.drain() }

    /// Reads the certificate and the tokens again. If they are invalid, the old ones stay in use.
    ///
    /// - Throws: `EventStoreError` with code `configuration`.
    public func reload() throws {
        try tls?.reload()
        try settings.tokens.reload()
    }

    /// Serves until the task is cancelled or its service group shuts down: then followers get a last line, and requests
    /// in progress are answered.
    public func run() async throws {
        let limits = settings.limits
        let listener = HTTPListener(
            host: settings.host, port: settings.port, idleTime: limits.idleTime, unreadTime: limits.unreadTime,
            connections: limits.connections)
        try await listener.run(
            table, logger: logger,
            server: { http in
                guard let tls else { return .http1(configuration: http) }
                return try .tls(.http1(configuration: http), tlsConfiguration: tls.configuration)
            }, onRunning: onRunning, onShutdown: { [followers] in followers.drain() })
    }
}

extension HTTPField.Name {
    /// The version of the API.
    static let discoAPI = known("Disco-API")
}
#endif
