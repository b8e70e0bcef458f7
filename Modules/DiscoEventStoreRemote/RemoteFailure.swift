#if HTTP
import AsyncHTTPClient
import DiscoCore
import Foundation
import NIOCore
import NIOHTTP1
import NIOPosix
import NIOSSL

/// Why a request has no answer, and whether to send it again.
struct RemoteFailure: Error {
    /// What the caller gets if the request is not sent again.
    var error: any Error
    /// Whether sending the request again may help.
    var isTransient = false
    /// Whether the request may have been carried out.
    var mayHaveHappened = false
    /// Whether the server was not reached, or the connection to it was lost.
    var isLoss = false
    /// How long the server asks to wait.
    var retryAfter: Duration?
}

extension RemoteFailure {
    /// - Parameter error: what the connection reports.
    init(connection error: any Error, _ url: String) {
        let (isSent, reason, isTransient) = Self.reason(error)
        self.init(
            error: EventStoreError(
                .unavailable, "The event store server at \(url) cannot be reached: \(reason).", underlying: error),
            isTransient: isTransient, mayHaveHappened: isSent, isLoss: true)
    }

    private static func reason(_ error: any Error) -> (isSent: Bool, reason: String, isTransient: Bool) {
        switch error {
        case let error as NIOConnectionError:
            if error.dnsAError != nil || error.dnsAAAAError != nil, error.connectionErrors.isEmpty {
                return (false, "its name is not found", true)
            }
            return (false, "it accepts no connections", true)
        case let error as IOError where [ECONNREFUSED, EADDRNOTAVAIL, EMFILE, ENFILE].contains(error.errnoCode):
            return (false, error.errnoCode == ECONNREFUSED ? "it accepts no connections" : "\(error)", true)
        case let error as HTTPClientError:
            switch error {
            case .connectTimeout, .getConnectionFromPoolTimeout: return (false, "connecting took too long", true)
            case .tlsHandshakeTimeout: return (false, "it did not answer the TLS handshake", true)
            case .deadlineExceeded, .readTimeout: return (true, "it did not answer in time", true)
            case .remoteConnectionClosed, .uncleanShutdown:
                return (true, "it closed the connection", true)
            default: return (true, error.shortDescription, true)
            }
        case let error as NIOSSLError where cutHandshakes.contains(error):
            return (false, "it closed the connection during the TLS handshake", true)
        // The certificate is refused.
        case NIOSSLError.handshakeFailed, NIOSSLError.unableToValidateCertificate,
            NIOSSLError.noCertificateToValidate, is NIOSSLExtraError:
            return (false, tlsFailed(error), false)
        // The certificate of the client is refused, for example; a request may be on its way by then.
        case is BoringSSLError: return (true, tlsFailed(error), false)
        case NIOSSLError.uncleanShutdown: return (true, "it closed the connection", true)
        default: return (true, "\(error)", true)
        }
    }

    /// Not a refusal: a server that is stopped or killed ends its connections like this.
    private static let cutHandshakes: [NIOSSLError] = [
        .handshakeFailed(.sslError([.eofDuringHandshake])),
        .handshakeFailed(.sslError([.eofDuringAdditionalCertficiateChainValidation])),
        .handshakeFailed(.zeroReturn), .handshakeFailed(.syscallError),
    ]

    private static func tlsFailed(_ error: any Error) -> String {
        "TLS failed (\(error)). Check the certificates and the names in them"
    }

    /// - Parameter refusal: the server's own words.
    init(refusal: any Error, status: Int, retryAfter: Duration?) {
        let description = ErrorDescription(refusal)
        let isTransient = [.unavailable, .exhausted, .unknownOutcome].contains(description.kind)
        self.init(
            error: refusal, isTransient: isTransient,
            // After the time of a request is over, a part of it may have been carried out.
            mayHaveHappened: description.kind == .unknownOutcome
                || ["request_timeout", "cancelled"].contains(description.code), retryAfter: retryAfter)
        // The store of the server is closed, not this one.
        if description.code == EventStoreError.Code.closed.name {
            error = EventStoreError(.unavailable, "The event store server is shutting down.")
        }
    }
}

/// The status line and headers of an answer.
struct RemoteAnswer {
    let status: Int
    private let headers: HTTPHeaders
    private let url: String

    init(_ response: HTTPClientResponse, _ url: String) {
        status = Int(response.status.code)
        headers = response.headers
        self.url = url
    }

    var isSuccess: Bool { (200..<300).contains(status) }

    /// - Throws: ``RemoteFailure`` if the answer is a refusal, or not that of an event store server.
    func check(_ body: JSONText) throws {
        guard let version = headers.first(name: "Disco-API") else { throw foreign }
        guard version == RemoteServer.apiVersion else {
            throw RemoteFailure(
                error: EventStoreError(
                    .unavailable,
                    "The event store server at \(url) speaks version \(version.prefix(20)) of the API, and this program version \(RemoteServer.apiVersion). Update the older one."
                ))
        }
        if isSuccess { return }
        let retryAfter = headers.first(name: "Retry-After").flatMap { Int($0) }
            .map { Duration.seconds(min(max(0, $0), 3600)) }
        guard let refusal = try? WireError(wire: body).error else { throw foreign }
        throw RemoteFailure(refusal: refusal, status: status, retryAfter: retryAfter)
    }

    /// Something between here and the server has answered, or the URL is that of something else.
    private var foreign: RemoteFailure {
        let isGateway = [502, 503, 504].contains(status)
        let type = headers.first(name: "Content-Type").map { ", \($0.prefix(60))" } ?? ""
        return RemoteFailure(
            error: EventStoreError(
                .unavailable,
                isGateway
                    ? "A gateway before the event store server at \(url) answers with status \(status)."
                    : "What answers at \(url) is not an event store server of Disco (status \(status)\(type)). Check the URL."
            ), isTransient: isGateway, mayHaveHappened: isGateway, isLoss: isGateway)
    }
}

/// How often and how long a request is repeated.
struct RemoteAttempts {
    private let context: StoreContext
    private let end: Duration
    private var failures = 0

    init(context: StoreContext, limit: Duration) {
        self.context = context
        end = context.uptime() + limit
    }

    /// The time that is left, at least a millisecond.
    var remaining: Duration { max(.milliseconds(1), end - context.uptime()) }

    /// Waits before the next attempt: 25 ms, doubling each time up to a second, or as long as the server asks; up to a
    /// fifth shorter, so that clients do not all come back at once.
    ///
    /// - Returns: whether there is time for another attempt.
    mutating func pause(after failure: RemoteFailure) async throws -> Bool {
        failures += 1
        let usual = min(Duration.seconds(1), .milliseconds(25) * (1 << min(failures - 1, 6)))
        let wanted = max(usual, failure.retryAfter ?? .zero) * (1 - 0.2 * context.random())
        guard context.uptime() + wanted < end else { return false }
        try await context.sleep(for: wanted)
        return true
    }
}
#endif
