#if HTTP
import DiscoCore
import Foundation
import Hummingbird
package import HummingbirdCore
package import Logging
import NIOCore
import ServiceLifecycle

/// Accepts connections and has their requests answered.
package struct HTTPListener: Sendable {
    package var host: String
    package var port: Int
    /// How long a connection may be silent between or within requests.
    package var idleTime: Duration
    /// After how long a caller that does not read its answer is cut off.
    package var unreadTime: Duration
    /// The number of open connections; further ones wait.
    package var connections: Int

    package init(host: String, port: Int, idleTime: Duration, unreadTime: Duration, connections: Int) {
        self.host = host
        self.port = port
        self.idleTime = idleTime
        self.unreadTime = unreadTime
        self.connections = connections
    }

    /// As many as allowed, but so that the store can still open its files.
    private var openConnections: Int {
        #if canImport(Glibc)
        let resource = __rlimit_resource_t(RLIMIT_NOFILE.rawValue)
        #else
        let resource = RLIMIT_NOFILE
        #endif
        var files = rlimit()
        guard getrlimit(resource, &files) == 0 else { return connections }
        return max(1, min(connections, Int(clamping: files.rlim_cur) - 128))
    }

    /// Whether only programs on this machine reach the address.
    package static func isLocal(_ host: String) -> Bool { ["127.0.0.1", "::1", "localhost"].contains(host) }

    /// - Throws: `EventStoreError` with code `configuration`.
    package static func check(port: Int) throws {
        guard (0...65_535).contains(port) else {
            throw EventStoreError(.configuration, "The port \(port) does not exist. Use 0 to 65535.")
        }
    }

    /// Serves until the task is cancelled or its service group shuts down; then it answers the requests in progress.
    ///
    /// - Parameters:
    ///   - server: makes the server, by default one without TLS.
    ///   - onRunning: called with the port once the server accepts connections.
    ///   - onShutdown: called when a graceful shutdown begins.
    package func run(
        _ responder: RouteTable<some Sendable>, logger: Logger,
        server: (HTTP1Channel.Configuration) throws -> HTTPServerBuilder = { .http1(configuration: $0) },
        onRunning: @escaping @Sendable (_ port: Int) async -> Void, onShutdown: @escaping @Sendable () -> Void
    ) async throws {
        let unreadTime = unreadTime
        let http = HTTP1Channel.Configuration(
            additionalChannelHandlers: [
                UnreadAnswerHandler(limit: unreadTime), UnfinishedRequestHandler(limit: min(idleTime, .seconds(5))),
            ],
            idleTimeout: TimeAmount(clamping: idleTime))
        let app = Application(
            responder: responder, server: try server(http),
            configuration: .init(
                address: .hostname(host, port: port), serverName: nil,
                availableConnectionsDelegate: MaximumAvailableConnections(openConnections)),
            onServerRunning: { channel in await onRunning(channel.localAddress?.port ?? 0) },
            logger: logger)
        try await withGracefulShutdownHandler {
            try await app.run()
        } onGracefulShutdown: {
            onShutdown()
        }
    }
}

extension Logger {
    /// Writes the line of the access log for an answered request.
    package func answered(
        _ request: Request, by route: String?, to caller: String, _ status: Int, after time: Duration
    ) {
        info(
            "\(request.method.rawValue) \(route ?? "unknown path") \(status)",
            metadata: ["caller": "\(caller)", "ms": "\(Int(time / .milliseconds(1)))"])
    }
}
#endif
