#if HTTP
import AppSupport
import ArgumentParser
import AsyncHTTPClient
import DiscoCore
import DiscoEventStore
import DiscoEventStoreServer
import NIOCore
import NIOHTTP1
import NIOSSL

/// Asks the server of this machine, for health checks in images without a shell or curl.
struct Health: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Tells whether the server on this machine is ready to serve.",
        discussion: """
            Asks GET /health/ready of the server that has the same settings, prints the answer, and exits with 1 if the \
            server is not ready or cannot be reached.
            """)

    @Option(help: "The port of the server (default: DISCO_SERVER_PORT, or 8080).") var port: Int?

    func run() async throws {
        try await Output.reporting {
            let settings = try EventStoreServer.Settings(config: try await EventStoreApp.settings())
            let (status, answer) = try await Self.ask(settings, port ?? settings.port)
            try Output.write(answer)
            if status != 200 { throw ExitCode.failure }
        }
    }

    private static func ask(_ settings: EventStoreServer.Settings, _ port: Int) async throws -> (UInt, String) {
        // An address that means every address of the machine is none to connect to.
        let host = ["0.0.0.0": "127.0.0.1", "::": "::1"][settings.host] ?? settings.host
        let url = "\(settings.tls == nil ? "http" : "https")://\(host.contains(":") ? "[\(host)]" : host):\(port)"
        var request = HTTPClientRequest(url: url + "/health/ready")
        if let name = settings.hosts?.min() { request.headers.add(name: "Host", value: name) }
        var configuration = HTTPClient.Configuration()
        var tls = TLSConfiguration.makeClientConfiguration()
        // Nothing secret is sent, and the certificate is for the name by which others reach the server.
        tls.certificateVerification = .none
        configuration.tlsConfiguration = tls
        let client = HTTPClient(eventLoopGroupProvider: .singleton, configuration: configuration)
        do {
            let response = try await client.execute(request, timeout: .seconds(4))
            let body = try await response.body.collect(upTo: 1 << 20)
            try? await client.shutdown()
            return (response.status.code, String(buffer: body))
        } catch {
            try? await client.shutdown()
            throw EventStoreError(
                .unavailable, "The server at \(url) does not answer. See the log of `EventStoreApp serve`.",
                underlying: error)
        }
    }
}
#endif
