#if HTTP
import AsyncHTTPClient
import DiscoCore
import Foundation
import Logging
import NIOCore
import NIOHTTP1
import NIOSSL

/// Sends requests to the server, and repeats those that fail on the way.
final class RemoteServer: Sendable {
    /// The version of the API that this client speaks.
    static let apiVersion = "1"
    /// More than any answer has; a page is about a mebibyte.
    private static let mostBytes = 1 << 30

    let context: StoreContext
    private let url: String
    private let headers: HTTPHeaders
    private let client: HTTPClient
    private let requestTimeout: Duration
    private let state: Locked<State>

    private struct State: Sendable {
        var trouble: TroubleLog
        var losses = 0
        var isClosed = false
    }

    init(_ settings: RemoteEventStore.Settings, _ context: StoreContext) throws {
        self.context = context
        url = try settings.checkedURL()
        requestTimeout = settings.requestTimeout.bounded
        var headers: HTTPHeaders = ["Disco-API": Self.apiVersion]
        if let token = settings.token { headers.add(name: "Authorization", value: "Bearer \(token)") }
        self.headers = headers
        var configuration = HTTPClient.Configuration(
            tlsConfiguration: try Self.tls(settings), redirectConfiguration: .disallow,
            timeout: .init(
                connect: TimeAmount(settings.connectTimeout),
                // The server sends a line every few seconds to those that follow it.
                read: TimeAmount(max(.seconds(15), requestTimeout + .seconds(1)))),
            connectionPool: .init(idleTimeout: .seconds(30), concurrentHTTP1ConnectionsPerHostSoftLimit: 32))
        configuration.httpVersion = .http1Only
        configuration.connectionPool.retryConnectionEstablishment = false
        client = HTTPClient(eventLoopGroupProvider: .singleton, configuration: configuration)
        state = Locked(State(trouble: TroubleLog("The event store at \(url)", context.logger)))
        if settings.token != nil, url.hasPrefix("http:"), !Self.isLocal(url) {
            context.logger?.warning(
                "The token is sent to \(url) without encryption, so that others on the network can read it. Use https://."
            )
        }
    }

    /// A store may be dropped without being closed, for example if what was to use it could not start. The client must
    /// not: it would stop the process.
    deinit {
        if !isClosed { client.shutdown { _ in } }
    }

    private static func isLocal(_ url: String) -> Bool {
        ["127.0.0.1", "localhost", "[::1]", "::1"].contains(URLComponents(string: url)?.host ?? "")
    }

    private static func tls(_ settings: RemoteEventStore.Settings) throws -> TLSConfiguration {
        var tls = TLSConfiguration.makeClientConfiguration()
        if let file = settings.certificateAuthorityFile {
            tls.trustRoots = .certificates(
                try read("certificate authorities", file) { try NIOSSLCertificate.fromPEMFile($0) })
        }
        if let files = settings.clientCertificate {
            tls.certificateChain = try read("client certificate", files.certificateFile) {
                try NIOSSLCertificate.fromPEMFile($0)
            }.map { .certificate($0) }
            tls.privateKey = .privateKey(
                try read("client key", files.privateKeyFile) { try NIOSSLPrivateKey(file: $0, format: .pem) })
        }
        return tls
    }

    private static func read<Value>(_ what: String, _ file: String, _ body: (String) throws -> Value) throws -> Value {
        do {
            return try body(file)
        } catch {
            throw EventStoreError(
                .configuration, "The file \(file) with the \(what) cannot be read. It must be in PEM form.",
                underlying: error)
        }
    }

    /// A log of another kind of trouble with this server.
    var trouble: TroubleLog { TroubleLog("The event store at \(url)", context.logger) }

    /// How often the connection was lost.
    var losses: Int { state.withLock { $0.losses } }

    /// Notes that the server cannot be reached.
    func lost(_ error: any Error) {
        state.withLock { state in
            state.losses += 1
            state.trouble.begins("cannot be reached and is tried again", error)
        }
    }

    func reached() { state.withLock { $0.trouble.ends("can be reached again") } }

    /// Closes the connections; later requests fail.
    func close() async {
        let isFirst = state.withLock { state in
            defer { state.isClosed = true }
            return !state.isClosed
        }
        if isFirst { try? await client.shutdown() }
    }

    var isClosed: Bool { state.withLock { $0.isClosed } }
}

// MARK: Requests

extension RemoteServer {
    enum Method: String, Sendable {
        case get = "GET"
        case put = "PUT"
        case post = "POST"
        case delete = "DELETE"
    }

    struct Request: Sendable {
        var method: Method
        var path: [String]
        var query: [(name: String, value: String)] = []
        var body: JSONText?

        init(
            _ method: Method, _ path: [String], query: [(name: String, value: String?)] = [],
            body: JSONText? = nil
        ) {
            self.method = method
            self.path = path
            self.query = query.compactMap { name, value in value.map { (name, $0) } }
            self.body = body
        }
    }

    /// Sends a request until it is answered or its time is over, and returns the body of the answer.
    ///
    /// - Parameter isRepeatable: whether a request that may have been carried out can be sent again.
    /// - Throws: the refusal, or ``EventStoreError`` with code ``EventStoreError/Code/unavailable`` or
    ///   ``EventStoreError/Code/outcomeUnknown``.
    @concurrent func send(_ request: Request, isRepeatable: Bool = true) async throws -> JSONText {
        var attempts = attempts()
        while true {
            do {
                return try await once(request, attempts)
            } catch let failure as RemoteFailure {
                if failure.mayHaveHappened, !isRepeatable {
                    throw EventStoreError(
                        .outcomeUnknown,
                        "The connection to \(url) was lost, so it is unknown whether the change was made.",
                        underlying: failure.error)
                }
                guard failure.isTransient, try await attempts.pause(after: failure) else { throw failure.error }
            }
        }
    }

    func attempts() -> RemoteAttempts { RemoteAttempts(context: context, limit: requestTimeout) }

    /// Sends a request once.
    ///
    /// - Throws: ``RemoteFailure`` or `CancellationError`.
    func once(_ request: Request, _ attempts: RemoteAttempts) async throws -> JSONText {
        if isClosed { throw RemoteFailure(error: EventStoreError.closed) }
        let deadline = NIODeadline.now() + TimeAmount(attempts.remaining)
        let body = request.body.map { RequestBody($0.bytes) }
        do {
            let response = try await client.execute(made(request, body), deadline: deadline)
            var answer = try await response.body.collect(upTo: Self.mostBytes)
            let bytes = JSONText(unchecked: answer.readBytes(length: answer.readableBytes) ?? [])
            try RemoteAnswer(response, url).check(bytes)
            reached()
            return bytes
        } catch {
            var failure = try failure(error)
            // Without its body, the server can do nothing.
            if let body, !body.isTaken { failure.mayHaveHappened = false }
            throw failure
        }
    }

    /// Opens an answer that goes on; it is read until the reader breaks off.
    func stream(_ request: Request, accept: String) async throws -> HTTPClientResponse.Body {
        var made = made(request)
        made.headers.add(name: "Accept", value: accept)
        do {
            let response = try await client.execute(made, deadline: .distantFuture)
            let answer = RemoteAnswer(response, url)
            if !answer.isSuccess {
                var body = try await response.body.collect(upTo: 1 << 20)
                try answer.check(JSONText(unchecked: body.readBytes(length: body.readableBytes) ?? []))
            }
            try answer.check("null")
            reached()
            return response.body
        } catch {
            throw try failure(error)
        }
    }

    /// What went wrong, as a failure; notes it if the server was not reached.
    func failure(_ error: any Error) throws -> RemoteFailure {
        if Task.isCancelled || error is CancellationError { throw CancellationError() }
        if isClosed { return RemoteFailure(error: EventStoreError.closed, mayHaveHappened: true) }
        let failure = error as? RemoteFailure ?? RemoteFailure(connection: error, url)
        if failure.isLoss { lost(failure.error) } else { reached() }
        return failure
    }

    private func made(_ request: Request, _ body: RequestBody? = nil) -> HTTPClientRequest {
        var target = url + "/" + request.path.map(Self.escaped).joined(separator: "/")
        if !request.query.isEmpty {
            target += "?" + request.query.map { $0.name + "=" + Self.escaped($0.value) }.joined(separator: "&")
        }
        var made = HTTPClientRequest(url: target)
        made.method = HTTPMethod(rawValue: request.method.rawValue)
        made.headers = headers
        if let body {
            made.headers.add(name: "Content-Type", value: "application/json")
            made.body = .stream(body, length: .known(Int64(body.count)))
        }
        return made
    }

    /// Everything but letters and digits is escaped, also the dots that a path could mean other things by.
    private static func escaped(_ text: String) -> String {
        text.addingPercentEncoding(withAllowedCharacters: unescaped) ?? ""
    }

    private static let unescaped = CharacterSet(
        charactersIn: "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-_")
}

/// The body of a request, which knows whether it was taken to be sent: until then, there is no connection.
final class RequestBody: AsyncSequence, Sendable {
    let count: Int
    private let buffer: ByteBuffer
    private let taken = Locked(false)

    init(_ bytes: [UInt8]) {
        count = bytes.count
        buffer = ByteBuffer(bytes: bytes)
    }

    var isTaken: Bool { taken.withLock { $0 } }

    func makeAsyncIterator() -> Iterator { Iterator(body: self) }

    struct Iterator: AsyncIteratorProtocol {
        fileprivate let body: RequestBody
        private var isDone = false

        fileprivate init(body: RequestBody) { self.body = body }

        mutating func next() async -> ByteBuffer? {
            if isDone { return nil }
            isDone = true
            body.taken.withLock { $0 = true }
            return body.buffer
        }
    }
}

extension TimeAmount {
    init(_ duration: Duration) {
        self = .nanoseconds(Int64(clamping: Int(duration.bounded / .nanoseconds(1))))
    }
}
#endif
