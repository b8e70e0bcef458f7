#if HTTP
package import DiscoCore
import HTTPTypes
package import Hummingbird
import NIOCore

/// One request on its way through a route.
package struct Exchange<Caller: Sendable>: Sendable {
    package let request: Request
    /// The parts of the path that the route names, decoded.
    package let path: [String: String]
    package let query: QueryParameters
    /// Who asks, as the table's authentication tells.
    package let caller: Caller
    package let limits: HTTPLimits

    /// The body, at most as large as the limits allow.
    ///
    /// - Throws: ``Problem`` with status 413 or 415.
    package func body(of types: [String] = ["application/json"]) async throws -> JSONText {
        try requireContentType(types)
        var bytes: [UInt8] = []
        let declared = request.headers[.contentLength].flatMap { Int($0) } ?? 0
        guard declared <= limits.bodyBytes else { throw tooLarge }
        bytes.reserveCapacity(declared)
        do {
            for try await buffer in request.body {
                guard bytes.count + buffer.readableBytes <= limits.bodyBytes else { throw tooLarge }
                bytes.append(contentsOf: buffer.readableBytesView)
            }
        } catch  where !(error is Problem || error is CancellationError) {
            throw Problem(
                .badRequest, "invalid_request", "The request body is incomplete, or its framing is not valid HTTP.")
        }
        guard !bytes.isEmpty else {
            throw Problem(.badRequest, "body_missing", "The request has no body. Send JSON.")
        }
        return JSONText(unchecked: bytes)
    }

    private var tooLarge: Problem {
        Problem(
            .contentTooLarge, "too_large",
            "The request body is larger than \(limits.bodyBytes) bytes. Send less in one request.")
    }

    /// The media type of the body, without its parameters, in lower case.
    package var contentType: String? { request.headers[.contentType].map(MediaType.name) }

    /// A body of another type is refused: a page elsewhere may have a browser send text, but not JSON.
    private func requireContentType(_ types: [String]) throws {
        guard let contentType, types.contains(contentType) else {
            throw Problem(
                .unsupportedMediaType, "unsupported_media_type",
                "Send the body with the Content-Type \(types.joined(separator: " or ")).")
        }
        if let encoding = request.headers[.contentEncoding], encoding.lowercased() != "identity" {
            throw Problem(
                .unsupportedMediaType, "unsupported_media_type", "Send the body without a Content-Encoding.")
        }
    }

    /// The first of `types` that the request accepts; without an Accept header, the first of all.
    ///
    /// - Throws: ``Problem`` with status 406.
    package func accepted(among types: [String]) throws -> String {
        guard let header = request.headers[.accept] else { return types[0] }
        let wanted = header.split(separator: ",").map { MediaType.name(String($0)) }
        for name in wanted {
            if name == "*/*" { return types[0] }
            if let type = types.first(where: { $0 == name || name == MediaType.family($0) + "/*" }) { return type }
        }
        throw Problem(
            .notAcceptable, "not_acceptable", "This resource is available as \(types.joined(separator: ", ")).")
    }
}

package enum MediaType {
    package static let json = "application/json"
    package static let ndjson = "application/x-ndjson"
    package static let eventStream = "text/event-stream"
    package static let problem = "application/problem+json"

    /// Without parameters, in lower case.
    static func name(_ header: String) -> String {
        let name = header.prefix { $0 != ";" }
        return name.filter { $0 != " " && $0 != "\t" }.lowercased()
    }

    static func family(_ name: String) -> String { String(name.prefix { $0 != "/" }) }
}
#endif
