#if HTTP
import DiscoCore

extension OpenAPI {
    /// The statuses that any route of this kind may answer with.
    static func problems<Caller>(of route: Route<Caller>) -> [Int] {
        var statuses: Set = [400, 403, 421, 500, 503]
        if route.scope != nil { statuses.formUnion([401, 429]) }
        if !route.isStream { statuses.insert(408) }
        if !route.operation.body.isEmpty { statuses.formUnion([413, 415]) }
        if route.operation.answers.contains(where: { $0.answer.content.count > 1 }) { statuses.insert(406) }
        return statuses.union(route.operation.problems).sorted()
    }

    /// The name of the response with a problem of this status.
    static func problemName(_ status: Int) -> String { meanings[status]?.name ?? "Status\(status)" }

    static func problemResponses(_ statuses: Set<Int>) -> JSON.Object {
        JSON.Object(
            statuses.sorted().map { status in
                var response: JSON.Object = [
                    "description": .string(meanings[status]?.text ?? "The request was refused; `error` says why."),
                    "content": content([(MediaType.problem, APIOperation.schema("Problem"))]),
                ]
                switch status {
                case 401: response["headers"] = headers([.init("WWW-Authenticate", "How to authenticate.")])
                case 429, 503:
                    response["headers"] = headers([
                        .init("Retry-After", "After how many seconds to try again.", ["type": "integer", "minimum": 0])
                    ])
                default: break
                }
                return (problemName(status), .object(response))
            })
    }

    private static let meanings: [Int: (name: String, text: String)] = [
        400: ("BadRequest", "The request is invalid. `fields` lists the fields or parameters that are."),
        401: ("Unauthorized", "The request has no valid token."),
        403: ("Forbidden", "The caller, or the page that sent the request, is not allowed to do this."),
        404: ("NotFound", "What the request is about does not exist."),
        406: ("NotAcceptable", "The answer is not available in a type that the request accepts."),
        408: ("RequestTimeout", "The request took longer than the server allows."),
        409: ("Conflict", "The request conflicts with what is recorded."),
        410: ("Gone", "The stream is deleted or closed."),
        412: ("PreconditionFailed", "The precondition in If-Match or If-None-Match does not hold."),
        413: ("ContentTooLarge", "The request is larger than the server accepts."),
        415: ("UnsupportedMediaType", "The Content-Type of the body is not one that the operation takes."),
        421: ("MisdirectedRequest", "The server does not answer under the name in the Host header."),
        422: ("UnprocessableContent", "The idempotency key was already used for something else."),
        429: ("TooManyRequests", "The caller has sent too many requests, or a queue is full."),
        500: ("InternalServerError", "There is an error in the server or its data."),
        501: ("NotImplemented", "The server's store does not support the operation."),
        503: ("ServiceUnavailable", "The server or its store is busy or unavailable. Try again."),
        504: (
            "GatewayTimeout",
            "Whether anything was recorded is unknown. Repeat the request only with event ids or an idempotency key."
        ),
    ]

    /// A problem document.
    static let problem: JSON = [
        "type": "object",
        "description": "A problem document (RFC 9457). Some errors have more members.",
        "required": ["type", "title", "status", "detail", "error", "kind", "message"],
        "properties": [
            "type": [
                "type": "string", "format": "uri-reference", "description": "The path of the error's explanation.",
            ],
            "title": ["type": "string", "description": "What the code means."],
            "status": ["type": "integer", "minimum": 400, "maximum": 599],
            "detail": ["type": "string", "description": "What happened, to which thing, and what to do."],
            "error": ["type": "string", "description": "The code, for programs."],
            "kind": [
                "enum": .array(ErrorKind.allCases.map { .string($0.rawValue) }),
                "description": "The kind of error, for programs that do not know the code.",
            ],
            "message": ["type": "string", "description": "The same as `detail`."],
            "fields": [
                "type": "object", "additionalProperties": ["type": "array", "items": ["type": "string"]],
                "description": "What is wrong with each invalid field or parameter.",
            ],
        ],
        "examples": [
            [
                "type": "/problems/validation",
                "title": "Fields of a command or query are missing or invalid; each is named.", "status": 400,
                "detail": "Invalid fields: limit.", "error": "validation", "kind": "invalid",
                "message": "Invalid fields: limit.", "fields": ["limit": ["must be an integer from 1 to 10000"]],
            ]
        ],
    ]
}
#endif
