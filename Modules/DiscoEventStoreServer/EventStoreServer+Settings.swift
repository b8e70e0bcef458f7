#if HTTP
import DiscoCore
import DiscoHTTPSupport

extension EventStoreServer {
    /// How a server listens, whom it serves, and what it accepts.
    public struct Settings: Sendable {
        /// The address to listen on. Without tokens, only the machine itself is served: `127.0.0.1`, `::1` or
        /// `localhost`.
        public var host = "127.0.0.1"
        /// The port to listen on; 0 for a free one.
        public var port = 8080
        /// What precedes the paths, for example `/store`, when the routes are mounted into another app.
        public var prefix = ""
        /// Who may use the server; empty for everyone on this machine.
        public var tokens = AccessTokens.none
        /// Certificate and key; `nil` for plain HTTP.
        public var tls: TLSFiles?
        /// The names under which the server is reached, without ports, against pages that use a browser to reach it
        /// under another name. `nil` allows any name if there are tokens, and only those of the machine itself if not.
        public var hosts: Set<String>?
        /// The origins whose pages may use the server, for example `https://app.example`.
        public var origins: Set<String> = []
        public var limits = Limits()

        public init() {}
    }

    /// What a server accepts.
    public struct Limits: Sendable {
        /// The size of a request body in bytes.
        public var bodyBytes = 8 << 20
        /// The number of events in one append.
        public var eventsPerAppend = 10_000
        /// The number of appends in one request.
        public var appendsPerRequest = 1000
        /// The number of open followers.
        public var followers = 10_000
        /// How long a request may take, including the time to send its body. Streams of events are not limited.
        public var requestTime = Duration.seconds(30)
        /// How long a connection may be silent between or within requests.
        public var idleTime = Duration.seconds(60)
        /// After how long a caller that does not read its answer is cut off.
        public var unreadTime = Duration.seconds(30)
        /// How often a follower without news gets a line that says so.
        public var heartbeat = Duration.seconds(5)
        /// The number of open connections; further ones wait.
        public var connections = 10_000

        public init() {}
    }

    /// The files for TLS, in PEM form.
    public struct TLSFiles: Sendable {
        /// The certificate, followed by its intermediate certificates.
        public var certificate: String
        public var privateKey: String
        /// The authorities that sign client certificates; `nil` if clients need none.
        public var clientAuthorities: String?

        public init(certificate: String, privateKey: String, clientAuthorities: String? = nil) {
            self.certificate = certificate
            self.privateKey = privateKey
            self.clientAuthorities = clientAuthorities
        }
    }
}

extension EventStoreServer.Settings {
    /// Checks the settings before a store is opened for them; a server checks them too.
    ///
    /// - Throws: `EventStoreError` with code `configuration` if the settings do not fit together.
    public func check() throws {
        if tokens.isEmpty, !HTTPListener.isLocal(host) {
            throw EventStoreError(
                .configuration,
                "The server has no tokens, so everyone who reaches \(host) could read and append. Create a token with "
                    + "`EventStoreApp tokens create`, or listen on 127.0.0.1.")
        }
        try HTTPListener.check(port: port)
    }

    var httpGuard: HTTPGuard {
        HTTPGuard(hosts: hosts ?? (tokens.isEmpty ? HTTPGuard.loopback : nil), origins: origins)
    }

    var httpLimits: HTTPLimits {
        HTTPLimits(bodyBytes: max(1, limits.bodyBytes), requestTime: limits.requestTime)
    }
}
#endif
