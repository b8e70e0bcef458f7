#if HTTP
public import DiscoCore
import DiscoHTTPSupport

extension OrchestratorServer {
    /// How a server listens, and what it accepts.
    public struct Settings: Sendable {
        /// The address to listen on. Without authentication, only the machine itself is served: `127.0.0.1`, `::1` or
        /// `localhost`.
        public var host = "127.0.0.1"
        /// The port to listen on; 0 for a free one.
        public var port = 8080
        /// What precedes the paths, for example `/api`.
        public var prefix = ""
        /// The names under which the server is reached, without ports, against pages that use a browser to reach it
        /// under another name. `nil` allows any name if callers are authenticated, and only those of the machine itself
        /// if not.
        public var hosts: Set<String>?
        /// The origins whose pages may use the server, for example `https://app.example`.
        public var origins: Set<String> = []
        public var limits = Limits()
        /// The title and version of the OpenAPI document.
        public var title = "Commands and queries"
        public var version = "1"
        /// How callers authenticate, for the OpenAPI document: a security scheme object.
        public var securityScheme: JSON = ["type": "http", "scheme": "bearer"]

        public init() {}
    }

    /// What a server accepts.
    public struct Limits: Sendable {
        /// The size of a request body in bytes.
        public var bodyBytes = 1 << 20
        /// How long a request may take, including the time to send its body.
        public var requestTime = Duration.seconds(30)
        /// How long a request waits for consumers. Shorter than ``requestTime``, so that the answer can say which are
        /// behind.
        public var waitTime = Duration.seconds(5)
        /// How long a connection may be silent between or within requests.
        public var idleTime = Duration.seconds(60)
        /// After how long a caller that does not read its answer is cut off.
        public var unreadTime = Duration.seconds(30)
        /// The number of open connections; further ones wait.
        public var connections = 10_000

        public init() {}
    }
}

extension OrchestratorServer.Settings {
    /// - Parameter isOpen: whether everyone may use the server.
    /// - Throws: `EventStoreError` with code `configuration` if the settings do not fit together.
    func check(isOpen: Bool) throws {
        if isOpen, !HTTPListener.isLocal(host) {
            throw EventStoreError(
                .configuration,
                "The server authenticates no one, so everyone who reaches \(host) could send commands and queries. "
                    + "Give OrchestratorServer a function that authenticates, or listen on 127.0.0.1.")
        }
        try HTTPListener.check(port: port)
    }
}
#endif
