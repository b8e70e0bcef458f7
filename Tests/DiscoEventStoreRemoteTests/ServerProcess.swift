#if HTTP
import DiscoCore
import DiscoEventStoreRemote
import DiscoEventStoreServer
import Foundation
import TestSupport
import Testing

/// `EventStoreApp serve` in a process of its own, over TLS and with a token.
final class ServerProcess: Sendable {
    enum Kind: String, CaseIterable, Sendable { case sqlite, postgres }

    let folder: TemporaryFolder
    let port: Int
    private let environment: [String: String]
    private let program: Locked<Program?>

    /// - Parameter port: 0 for a free one.
    private init(
        folder: TemporaryFolder, environment: [String: String], port: Int, program: Program
    ) {
        self.folder = folder
        self.environment = environment
        self.port = port
        self.program = Locked(program)
    }

    deinit { program.withLock { $0?.kill() } }

    static func start(_ kind: Kind, allowsErasing: Bool = false, _ more: [String: String] = [:]) async throws
        -> ServerProcess
    {
        let folder = try TemporaryFolder()
        var environment = [
            "DISCO_EVENT_STORE_ADAPTER": kind.rawValue, "DISCO_SERVER_PORT": "0",
            "DISCO_READ_MODELS_ADAPTER": "memory",
        ]
        switch kind {
        case .sqlite:
            environment["DISCO_EVENT_STORE_SQLITE_PATH"] = folder.events
            environment["DISCO_EVENT_STORE_SQLITE_ALLOWS_ERASING"] = "\(allowsErasing)"
        case .postgres:
            let database = try TestDatabase()
            environment["DISCO_EVENT_STORE_POSTGRES_URL"] = database.url
            environment["DISCO_EVENT_STORE_POSTGRES_SCHEMA"] = database.schema
            environment["DISCO_EVENT_STORE_POSTGRES_ALLOWS_ERASING"] = "\(allowsErasing)"
        }
        let certificates = try await Credentials.shared()
        environment["DISCO_SERVER_CERTIFICATE_FILE"] = certificates.folder.file("server.pem")
        environment["DISCO_SERVER_PRIVATE_KEY_FILE"] = certificates.folder.file("server.key")
        environment["DISCO_SERVER_TOKENS_FILE"] = certificates.folder.file("tokens.txt")
        environment.merge(more) { $1 }
        let (program, port) = try await run(environment)
        return ServerProcess(folder: folder, environment: environment, port: port, program: program)
    }

    private static func run(_ environment: [String: String]) async throws -> (Program, port: Int) {
        let (program, url) = try await Program.serving("EventStoreApp", environment: environment)
        return (program, try #require(url.split(separator: ":").last.flatMap { Int($0) }, "\(url)"))
    }

    struct Failed: Error, CustomStringConvertible { let description: String }

    var url: String { "https://127.0.0.1:\(port)" }

    func settings() async throws -> RemoteEventStore.Settings { try await Self.settings(url: url) }

    static func settings(url: String) async throws -> RemoteEventStore.Settings {
        let credentials = try await Credentials.shared()
        return RemoteEventStore.Settings(
            url: url, token: credentials.token, certificateAuthorityFile: credentials.folder.file("ca.pem"))
    }

    func kill() { program.withLock { $0?.kill() } }
    func freeze() { program.withLock { $0?.freeze() } }
    func thaw() { program.withLock { $0?.thaw() } }

    /// Ends the server gracefully.
    @discardableResult
    func stop() async throws -> Program.Result? {
        let program = program.withLock { $0 }
        program?.signal("TERM")
        return try await program?.finish()
    }

    /// Starts the server again on the same port, after ``kill()`` or ``stop()``.
    func restart() async throws {
        let (program, _) = try await Self.run(environment.merging(["DISCO_SERVER_PORT": "\(port)"]) { $1 })
        self.program.withLock { $0 = program }
    }
}

/// A certificate authority, a certificate of the server and one of a client that it has signed, and a token.
struct Credentials: Sendable {
    let folder: TemporaryFolder
    let token: String

    private static let made = Locked<Task<Credentials, any Error>?>(nil)

    static func shared() async throws -> Credentials {
        let task = made.withLock { made in
            let task = made ?? Task { try await make() }
            made = task
            return task
        }
        return try await task.value
    }

    private static func make() async throws -> Credentials {
        let folder = try TemporaryFolder()
        try "subjectAltName=IP:127.0.0.1,DNS:localhost".write(
            toFile: folder.file("names"), atomically: true, encoding: .utf8)
        let key = ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes"]
        try await openssl(
            ["req", "-x509"] + key + [
                "-days", "2", "-subj", "/CN=Test authority", "-keyout", folder.file("ca.key"), "-out",
                folder.file("ca.pem"),
            ])
        for name in ["server", "client"] {
            try await openssl(
                ["req"] + key + [
                    "-subj", "/CN=\(name)", "-keyout", folder.file("\(name).key"), "-out", folder.file("\(name).csr"),
                ])
            try await openssl([
                "x509", "-req", "-in", folder.file("\(name).csr"), "-CA", folder.file("ca.pem"), "-CAkey",
                folder.file("ca.key"), "-CAcreateserial", "-days", "2", "-extfile", folder.file("names"), "-out",
                folder.file("\(name).pem"),
            ])
        }
        let (token, secret) = try AccessToken.make(name: "tests", scopes: Set(AccessScope.allCases))
        try AccessTokens.add(token, toFile: folder.file("tokens.txt"))
        return Credentials(folder: folder, token: secret)
    }

    private static func openssl(_ arguments: [String]) async throws {
        let result = try await Program("/usr/bin/openssl", arguments).finish()
        guard result.status == 0 else { throw ServerProcess.Failed(description: "openssl: \(result.errors)") }
    }
}
#endif
