#if HTTP
package import DiscoCore
import HTTPTypes
import Hummingbird

/// Routes that every server has.
extension Route {
    /// `GET /health/live`
    package static var live: Route {
        Route(
            .get, "/health/live", scope: nil,
            APIOperation(
                "isLive", "Tells that the process runs.",
                answers: [(200, .json("It runs.", APIOperation.schema("Health")))])
        ) { _ in .json(JSONText(["status": "live"])) }
    }

    /// `GET /health/ready`
    ///
    /// - Parameters:
    ///   - isDraining: whether the server is shutting down.
    ///   - context: the clock.
    ///   - showsDetails: whether the reasons may name hosts and files: this route needs no token.
    ///   - check: throws if requests cannot be served.
    package static func ready(
        isDraining: @escaping @Sendable () -> Bool, _ context: StoreContext, showsDetails: Bool = true,
        _ check: @escaping @Sendable () async throws -> Void
    ) -> Route {
        Route(
            .get, "/health/ready", scope: nil,
            APIOperation(
                "isReady", "Tells whether the server can serve requests.",
                answers: [
                    (200, .json("It can.", APIOperation.schema("Health"))),
                    (503, .json("It cannot; the reasons say why.", APIOperation.schema("Health"))),
                ])
        ) { _ in
            var reasons: [JSON] = []
            if isDraining() { reasons.append("The server is shutting down.") }
            do {
                try await context.limited(
                    to: .seconds(2), EventStoreError(.unavailable, "The store did not answer within two seconds."),
                    check)
            } catch {
                let error = ErrorDescription(error)
                reasons.append(.string(showsDetails ? error.message : "The store cannot be used: \(error.code)."))
            }
            return .json(
                JSONText(["status": reasons.isEmpty ? "ready" : "not ready", "reasons": .array(reasons)]),
                status: reasons.isEmpty ? .ok : .serviceUnavailable)
        }
    }

    /// `GET /problems/{code}`
    package static var problem: Route {
        Route(
            .get, "/problems/{code}", scope: nil,
            APIOperation(
                "problem", "Explains an error code.",
                parameters: [.path("code", "The code.", ["type": "string", "examples": ["version_conflict"]])],
                answers: [(200, .json("The explanation.", APIOperation.schema("ProblemPage")))], problems: [404])
        ) { exchange in
            let code = exchange.path["code"] ?? ""
            guard let entry = ProblemCatalog.entry(of: code) else {
                throw Problem(.notFound, "unknown_problem", "There is no problem of this code.")
            }
            return .json(
                JSONText([
                    "code": .string(code), "kind": .string(entry.kind.rawValue), "title": .string(entry.title),
                ]))
        }
    }

    /// `GET /openapi.json`: the document of these routes and of itself.
    package static func document(_ api: OpenAPI, of routes: [Route], prefix: String) -> Route {
        var operation = APIOperation(
            "openAPI", "This API as an OpenAPI document.",
            answers: [(200, .json("The document.", ["type": "object"]))])
        operation.tag = "Operating"
        let itself = Route(.get, "/openapi.json", scope: nil, operation) { _ in Response(status: .ok) }
        let text = JSONText(api.document(of: routes + [itself], prefix: prefix))
        return Route(.get, "/openapi.json", scope: nil, operation) { _ in .json(text) }
    }
}

extension OpenAPI {
    /// The schemas of the routes that every server has.
    package static let operatingSchemas: JSON.Object = [
        "Health": [
            "type": "object", "required": ["status"],
            "properties": [
                "status": ["enum": ["live", "ready", "not ready"]],
                "reasons": ["type": "array", "items": ["type": "string"], "description": "Why it is not ready."],
            ],
        ],
        "ProblemPage": [
            "type": "object", "required": ["code", "kind", "title"],
            "properties": [
                "code": ["type": "string"], "kind": ["enum": .array(ErrorKind.allCases.map { .string($0.rawValue) })],
                "title": ["type": "string", "description": "What the code means, and what to do."],
            ],
        ],
    ]
}
#endif
