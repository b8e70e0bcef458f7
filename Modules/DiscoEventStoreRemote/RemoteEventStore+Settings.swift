#if HTTP
import DiscoCore
import Foundation

extension RemoteEventStore {
    /// How to reach the server.
    public struct Settings: Sendable {
        /// `http://` or `https://`, a host, and optionally a port and a path. Without user or password.
        public var url: String
        /// The token that the server knows this client by; never shown.
        public var token: String?
        /// A PEM file with the authorities that the server's certificate must be signed by, instead of those of the
        /// system.
        public var certificateAuthorityFile: String?
        /// PEM files with a certificate and its key, if the server asks clients for one.
        public var clientCertificate: (certificateFile: String, privateKeyFile: String)?
        /// How long to wait for a connection.
        public var connectTimeout = Duration.seconds(5)
        /// How long a request may take, with all its repetitions. An append that takes longer ends with
        /// ``/DiscoCore/OutcomeUnknown``, if it was ever sent.
        public var requestTimeout = Duration.seconds(10)
        /// The number of requests with appends that may be under way at a time, from 1 to 16.
        public var requestsInFlight = 2

        public init(url: String, token: String? = nil, certificateAuthorityFile: String? = nil) {
            self.url = url
            self.token = token
            self.certificateAuthorityFile = certificateAuthorityFile
        }
    }
}

extension RemoteEventStore.Settings: CustomStringConvertible, CustomDebugStringConvertible, CustomReflectable {
    /// A description without the token.
    public var description: String { "RemoteEventStore.Settings(requestTimeout: \(requestTimeout))" }
    public var debugDescription: String { description }
    public var customMirror: Mirror { Mirror(self, children: []) }
}

extension RemoteEventStore.Settings {
    /// The URL without a slash at its end.
    ///
    /// - Throws: ``EventStoreError`` with code ``EventStoreError/Code/configuration``.
    func checkedURL() throws -> String {
        guard requestTimeout >= .milliseconds(1), connectTimeout >= .milliseconds(1) else {
            throw EventStoreError(
                .configuration,
                "requestTimeout is \(requestTimeout) and connectTimeout is \(connectTimeout); both must be at least one millisecond."
            )
        }
        guard (1...16).contains(requestsInFlight) else {
            throw EventStoreError(
                .configuration, "requestsInFlight is \(requestsInFlight); it must be from 1 to 16.")
        }
        // The message does not repeat the URL, which may contain a password.
        guard let parts = URLComponents(string: url), let scheme = parts.scheme?.lowercased(),
            ["http", "https"].contains(scheme), let host = parts.host, !host.isEmpty, parts.user == nil,
            parts.password == nil, parts.query == nil, parts.fragment == nil, !url.utf8.contains(0)
        else {
            throw EventStoreError(
                .configuration,
                "The URL of the event store server is malformed. Use https://host:port, without a user or password; the token has a setting of its own."
            )
        }
        if let port = parts.port, !(1...65_535).contains(port) {
            throw EventStoreError(.configuration, "The port \(port) does not exist. Use 1 to 65535.")
        }
        guard scheme == "https" || certificateAuthorityFile == nil && clientCertificate == nil else {
            throw EventStoreError(
                .configuration, "Certificates are set, but the URL of the event store server begins with http://.")
        }
        let isHeader = token?.utf8.allSatisfy { (0x21...0x7E).contains($0) } ?? true
        guard isHeader, token != "" else {
            throw EventStoreError(
                .configuration,
                "The token of the event store server is malformed: it is empty, or has spaces or line breaks in it.")
        }
        return String(url.trimmingSuffix { $0 == "/" })
    }
}

extension StringProtocol {
    fileprivate func trimmingSuffix(while isTrimmed: (Character) -> Bool) -> SubSequence {
        var rest = self[...]
        while let last = rest.last, isTrimmed(last) { rest = rest.dropLast() }
        return rest
    }
}
#endif
