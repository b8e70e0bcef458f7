#if HTTP && Configuration
public import Configuration
import DiscoEventStore

extension OrchestratorServer.Settings {
    /// ## Configuration keys
    /// - `disco.http.host` (string, default `127.0.0.1`), `disco.http.port` (default 8080; 0 for a free port).
    /// - `disco.http.hosts` (string, separated by commas): the names under which the server is reached.
    /// - `disco.http.origins` (string, separated by commas): the origins whose pages may use the server.
    /// - `disco.http.maxBodyBytes` (default 1048576), `disco.http.maxConnections` (default 10000).
    /// - `disco.http.requestTimeout` (seconds, default 30), `disco.http.waitTimeout` (seconds, default 5): how long a
    ///   request waits for consumers, `disco.http.idleTimeout` (seconds, default 60).
    ///
    /// - Parameter config: the root of the configuration.
    /// - Throws: `EventStoreError` with code `configuration`.
    public init(config: ConfigReader) throws {
        let settings = SettingsReader(config)
        self.init()
        host = try settings.text("http.host", default: host)
        port = try settings.number("http.port", default: port, in: 0...65_535)
        hosts = try settings.list("http.hosts").map(Set.init)
        origins = Set(try settings.list("http.origins") ?? [])
        limits.bodyBytes = try settings.number("http.maxBodyBytes", default: limits.bodyBytes, in: 1...(1 << 30))
        limits.connections = try settings.number("http.maxConnections", default: limits.connections, in: 1...1_000_000)
        limits.requestTime = try settings.seconds("http.requestTimeout", default: limits.requestTime)
        limits.waitTime = try settings.seconds("http.waitTimeout", default: limits.waitTime)
        limits.idleTime = try settings.seconds("http.idleTimeout", default: limits.idleTime)
    }

    /// The keys of these settings, for `ConfigurationKeys`.
    public static let keys = [
        "host", "port", "hosts", "origins", "maxBodyBytes", "maxConnections", "requestTimeout", "waitTimeout",
        "idleTimeout",
    ].map { "disco.http." + $0 }
}
#endif
