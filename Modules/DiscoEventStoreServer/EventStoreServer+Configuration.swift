#if HTTP && Configuration
public import Configuration
import DiscoCore
import DiscoEventStore

extension EventStoreServer.Settings {
    /// ## Configuration keys
    /// - `disco.server.host` (string, default `127.0.0.1`), `disco.server.port` (default 8080; 0 for a free port).
    /// - `disco.server.tokensFile` (string): the file with the tokens that may use the server.
    /// - `disco.server.tokens` (string): the same content, for environments without files; never shown.
    /// - `disco.server.certificateFile`, `disco.server.privateKeyFile` (strings): PEM files, for TLS.
    /// - `disco.server.clientAuthoritiesFile` (string): the authorities that must have signed client certificates.
    /// - `disco.server.hosts` (string, separated by commas): the names under which the server is reached.
    /// - `disco.server.origins` (string, separated by commas): the origins whose pages may use the server.
    /// - `disco.server.maxBodyBytes` (default 8388608), `disco.server.maxEventsPerAppend` (default 10000),
    ///   `disco.server.maxFollowers` (default 10000), `disco.server.maxConnections` (default 10000).
    /// - `disco.server.requestTimeout` (seconds, default 30), `disco.server.idleTimeout` (seconds, default 60),
    ///   `disco.server.unreadTimeout` (seconds, default 30).
    /// - `disco.server.requestsPerSecond` (default 0): how many requests each token may send; 0 for no limit.
    ///
    /// - Parameter config: the root of the configuration.
    /// - Throws: `EventStoreError` with code `configuration`.
    public init(config: ConfigReader) throws {
        let settings = SettingsReader(config)
        self.init()
        host = try settings.text("server.host", default: host)
        port = try settings.number("server.port", default: port, in: 0...65_535)
        let (file, text) = (try settings.text("server.tokensFile"), try settings.secret("server.tokens"))
        let rate = try settings.number("server.requestsPerSecond", default: 0, in: 0...1_000_000)
        switch (file, text) {
        case (nil, nil): break
        case (let file?, nil): tokens = try AccessTokens(file: file, requestsPerSecond: rate)
        case (nil, let text?): tokens = try AccessTokens(text: text, requestsPerSecond: rate)
        case (_?, _?):
            throw EventStoreError(
                .configuration, "Both disco.server.tokensFile and disco.server.tokens are set; set one of them.")
        }
        tls = try Self.tls(settings)
        hosts = try settings.list("server.hosts").map(Set.init)
        origins = Set(try settings.list("server.origins") ?? [])
        limits.bodyBytes = try settings.number("server.maxBodyBytes", default: limits.bodyBytes, in: 1...(1 << 30))
        limits.eventsPerAppend = try settings.number(
            "server.maxEventsPerAppend", default: limits.eventsPerAppend, in: 1...1_000_000)
        limits.followers = try settings.number("server.maxFollowers", default: limits.followers, in: 0...1_000_000)
        limits.connections = try settings.number(
            "server.maxConnections", default: limits.connections, in: 1...1_000_000)
        limits.requestTime = try settings.seconds("server.requestTimeout", default: limits.requestTime)
        limits.idleTime = try settings.seconds("server.idleTimeout", default: limits.idleTime)
        limits.unreadTime = try settings.seconds("server.unreadTimeout", default: limits.unreadTime)
    }

    private static func tls(_ settings: SettingsReader) throws -> EventStoreServer.TLSFiles? {
        let (certificate, key) = (
            try settings.text("server.certificateFile"), try settings.text("server.privateKeyFile")
        )
        switch (certificate, key) {
        case (nil, nil): return nil
        case (let certificate?, let key?):
            return EventStoreServer.TLSFiles(
                certificate: certificate, privateKey: key,
                clientAuthorities: try settings.text("server.clientAuthoritiesFile"))
        default:
            throw EventStoreError(
                .configuration, "TLS needs both disco.server.certificateFile and disco.server.privateKeyFile.")
        }
    }

    /// The keys of these settings, for `ConfigurationKeys`.
    public static let keys = [
        "host", "port", "tokensFile", "tokens", "certificateFile", "privateKeyFile", "clientAuthoritiesFile", "hosts",
        "origins", "maxBodyBytes", "maxEventsPerAppend", "maxFollowers", "maxConnections", "requestTimeout",
        "idleTimeout", "unreadTimeout", "requestsPerSecond",
    ].map { "disco.server." + $0 }
}
#endif
