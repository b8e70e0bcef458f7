#if HTTP
package import DiscoCore
package import HTTPTypes
package import Hummingbird
import NIOCore

/// A refusal as a problem document (RFC 9457), which is also the wire form of an error: programs read `error` and `kind`,
/// people `detail`.
package struct Problem: Error {
    package let status: HTTPResponse.Status
    package let code: String
    package let kind: ErrorKind
    package let message: String
    package var data: JSON.Object
    package var headers: HTTPFields = [:]

    /// A problem of HTTP itself.
    package init(
        _ status: HTTPResponse.Status, _ code: String, _ message: String, kind: ErrorKind? = nil,
        data: JSON.Object = [:], headers: HTTPFields = [:]
    ) {
        self.status = status
        self.code = code
        self.message = message
        self.kind = kind ?? Self.kind(of: status)
        self.data = data
        self.headers = headers
    }

    /// Any error, with the status of its kind.
    package init(_ error: any Error) {
        if let problem = error as? Problem {
            self = problem
            return
        }
        let object = (try? WireError(error).wire.value())?.object ?? [:]
        let description = ErrorDescription(error)
        self.init(
            Self.status(of: description), description.code, description.message, kind: description.kind,
            data: JSON.Object(
                object.filter { !["error", "kind", "message"].contains($0.name) }.map { ($0.name, $0.value) }))
        if description.kind == .unavailable || description.kind == .exhausted { headers[.retryAfter] = "1" }
    }

    private static func kind(of status: HTTPResponse.Status) -> ErrorKind {
        switch status.code {
        case 401, 403: .unauthorized
        case 404, 405: .notFound
        case 429: .exhausted
        case 503: .unavailable
        case 400..<500: .invalid
        default: .internal
        }
    }

    static func status(of error: ErrorDescription) -> HTTPResponse.Status {
        switch (error.code, error.kind) {
        case ("too_large", _): .contentTooLarge
        case ("idempotency_conflict", _): .unprocessableContent
        case ("unsupported", _): .notImplemented
        case ("queue_full", _): .tooManyRequests
        case (_, .invalid): .badRequest
        case (_, .unauthorized): .forbidden
        case (_, .notFound): .notFound
        case (_, .conflict): .conflict
        case (_, .gone): .gone
        case (_, .exhausted), (_, .unavailable): .serviceUnavailable
        case (_, .unknownOutcome): .gatewayTimeout
        case (_, .internal): .internalServerError
        }
    }

    /// The members of the document.
    package var json: JSON.Object {
        var object: JSON.Object = [
            "type": .string("/problems/\(code)"),
            "title": .string(ProblemCatalog.title(of: code) ?? status.reasonPhrase),
            "status": JSON(status.code), "detail": .string(message), "error": .string(code),
            "kind": .string(kind.rawValue), "message": .string(message),
        ]
        for member in data where object[member.name] == nil { object[member.name] = member.value }
        return object
    }

    package var response: Response {
        var response = Response.json(JSONText(.object(json)), status: status, type: MediaType.problem)
        for field in headers { response.headers.append(field) }
        return response
    }
}

extension Response {
    package static func json(
        _ text: JSONText, status: HTTPResponse.Status = .ok, type: String = MediaType.json,
        headers: HTTPFields = [:]
    ) -> Response {
        var headers = headers
        headers[.contentType] = type
        headers[.cacheControl] = "no-store"
        return Response(
            status: status, headers: headers, body: ResponseBody(byteBuffer: ByteBuffer(bytes: text.bytes)))
    }
}
#endif
