#if HTTP
import DiscoCore
package import HTTPTypes
package import Hummingbird

/// Checks the Host and the Origin of a request, so that a page elsewhere cannot use a browser against this server.
package struct HTTPGuard: Sendable {
    /// The names under which the server is reached, without ports; nil for any.
    package var hosts: Set<String>?
    /// The origins whose pages may use the server, for example `https://app.example`.
    package var origins: Set<String>

    package init(hosts: Set<String>?, origins: Set<String> = []) {
        self.hosts = hosts
        self.origins = origins
    }

    /// The names of the machine itself.
    package static let loopback: Set<String> = ["localhost", "127.0.0.1", "[::1]"]

    /// - Throws: ``Problem`` with status 403 or 421.
    package func check(_ request: Request) throws {
        if let hosts {
            guard let host = Self.name(of: request.head.authority ?? ""), hosts.contains(host) else {
                throw Problem(
                    .misdirectedRequest, "unknown_host",
                    "This server does not answer under the name that the request's Host header has.")
            }
        }
        guard let origin = request.headers[.origin] else { return try requireOwnPage(request) }
        guard origins.contains(origin) || Self.isSame(origin, request) else {
            throw Problem(
                .forbidden, "origin_not_allowed",
                "Pages of the request's Origin are not allowed to use this server.",
                kind: .unauthorized)
        }
    }

    /// Browsers send no Origin with images, scripts and the like of another page, but say that they are.
    private func requireOwnPage(_ request: Request) throws {
        let site = request.headers[values: .secFetchSite]
        guard !site.isEmpty, request.headers[.secFetchDest] != "document" else { return }
        guard site.allSatisfy({ $0 == "same-origin" || $0 == "none" }) else {
            throw Problem(
                .forbidden, "origin_not_allowed", "Pages of other origins are not allowed to use this server.",
                kind: .unauthorized)
        }
    }

    /// The headers by which a browser lets a page of an allowed origin read the answer.
    package func headers(for request: Request) -> HTTPFields {
        guard let origin = request.headers[.origin], origins.contains(origin) else { return [:] }
        return [
            .accessControlAllowOrigin: origin, .vary: "Origin",
            .accessControlExposeHeaders:
                "ETag, Location, Retry-After, Disco-Position, Disco-Behind, Idempotent-Replayed",
        ]
    }

    /// Without the port, in lower case; nil if it is not a name with at most a port behind it.
    private static func name(of authority: String) -> String? {
        let bytes = authority.utf8.map { (0x41...0x5A).contains($0) ? $0 | 0x20 : $0 }
        let isAddress = bytes.first == UInt8(ascii: "[")
        var end = bytes.firstIndex(of: UInt8(ascii: isAddress ? "]" : ":")) ?? bytes.endIndex
        if isAddress, end < bytes.endIndex { end += 1 }
        let port = bytes[end...]
        let isPort = port.first == UInt8(ascii: ":") && port.dropFirst().allSatisfy { (0x30...0x39).contains($0) }
        return port.isEmpty || isPort ? String(decoding: bytes[..<end], as: UTF8.self) : nil
    }

    private static func isSame(_ origin: String, _ request: Request) -> Bool {
        guard let authority = request.head.authority else { return false }
        return ["http://", "https://"].contains { origin.lowercased() == $0 + authority.lowercased() }
    }
}

extension HTTPField.Name {
    /// Whether the page that makes a browser send the request is of this origin, set by the browser alone.
    fileprivate static let secFetchSite = known("Sec-Fetch-Site")
    /// What the browser uses the answer for.
    fileprivate static let secFetchDest = known("Sec-Fetch-Dest")
}
#endif
