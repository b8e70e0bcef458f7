#if HTTP
package import DiscoCore
import HTTPTypes

/// An OpenAPI 3.1 document, made from the routes that answer, so that the two cannot differ.
package struct OpenAPI: Sendable {
    package var title: String
    package var version: String
    package var text: String
    package var schemas: JSON.Object
    package var security: Security

    /// What a request to a route with a scope needs.
    package struct Security: Sendable {
        package let scheme: JSON
        /// Whether the server may also be one that needs nothing.
        package let isOptional: Bool
        package let text: @Sendable (_ scope: String) -> String?

        package init(
            scheme: JSON = ["type": "http", "scheme": "bearer"], isOptional: Bool,
            text: @escaping @Sendable (_ scope: String) -> String? = { _ in nil }
        ) {
            self.scheme = scheme
            self.isOptional = isOptional
            self.text = text
        }

        /// - Parameter areRequired: whether the server has tokens.
        package static func tokens(areRequired: Bool) -> Security {
            Security(isOptional: !areRequired) {
                "Needs a token with the scope `\($0)`" + (areRequired ? "." : ", if the server has tokens.")
            }
        }
    }

    package init(
        title: String, version: String, text: String, schemas: JSON.Object, security: Security
    ) {
        self.title = title
        self.version = version
        self.text = text
        self.schemas = schemas
        self.security = security
    }

    /// - Parameter prefix: where the routes are mounted, for example `/store`.
    package func document<Caller>(of routes: [Route<Caller>], prefix: String = "") -> JSON {
        var paths: JSON.Object = [:]
        for route in routes {
            var item = paths[prefix + route.path]?.object ?? [:]
            item[route.method.rawValue.lowercased()] = operation(route)
            paths[prefix + route.path] = .object(item)
        }
        var schemas = schemas
        schemas["Problem"] = Self.problem
        var tags: [String] = []
        for case let tag? in routes.map(\.operation.tag) where !tags.contains(tag) { tags.append(tag) }
        return [
            "openapi": "3.1.0",
            "info": [
                "title": .string(title), "version": .string(version), "description": .string(text),
                "license": ["name": "MIT", "identifier": "MIT"],
            ],
            "tags": .array(tags.map { ["name": .string($0)] }),
            "paths": .object(paths),
            "components": [
                "schemas": .object(schemas),
                "responses": .object(Self.problemResponses(Set(routes.flatMap(Self.problems)))),
                "securitySchemes": ["token": security.scheme],
            ],
        ]
    }

    private func operation<Caller>(_ route: Route<Caller>) -> JSON {
        let operation = route.operation
        var object: JSON.Object = ["operationId": .string(operation.id), "summary": .string(operation.summary)]
        if let scope = route.scope {
            object["security"] = security.isOptional ? [["token": []], [:]] : [["token": []]]
            object["description"] = security.text(scope).map(JSON.string)
        }
        if let tag = operation.tag { object["tags"] = [.string(tag)] }
        if !operation.parameters.isEmpty { object["parameters"] = .array(operation.parameters.map(Self.parameter)) }
        if !operation.body.isEmpty {
            object["requestBody"] = ["required": true, "content": Self.content(operation.body)]
        }
        var responses: JSON.Object = [:]
        for (status, answer) in operation.answers { responses["\(status)"] = Self.response(answer) }
        for status in Self.problems(of: route) where responses["\(status)"] == nil {
            responses["\(status)"] = ["$ref": .string("#/components/responses/\(Self.problemName(status))")]
        }
        object["responses"] = .object(responses)
        return .object(object)
    }

    private static func parameter(_ parameter: APIOperation.Parameter) -> JSON {
        var object: JSON.Object = [
            "name": .string(parameter.name), "in": .string(parameter.place.rawValue),
            "required": .bool(parameter.isRequired), "description": .string(parameter.text),
        ]
        switch parameter.form {
        case .plain: object["schema"] = parameter.schema
        case .list:
            object["schema"] = parameter.schema
            object["style"] = "form"
            object["explode"] = false
        case .json: object["content"] = content([(MediaType.json, parameter.schema)])
        }
        return .object(object)
    }

    private static func response(_ answer: APIOperation.Answer) -> JSON {
        var response: JSON.Object = ["description": .string(answer.text)]
        if !answer.content.isEmpty { response["content"] = content(answer.content) }
        if !answer.headers.isEmpty { response["headers"] = headers(answer.headers) }
        return .object(response)
    }

    static func headers(_ headers: [APIOperation.Header]) -> JSON {
        .object(
            JSON.Object(
                headers.map { ($0.name, ["description": .string($0.text), "schema": $0.schema] as JSON) }))
    }

    static func content(_ types: [(type: String, schema: JSON)]) -> JSON {
        .object(JSON.Object(types.map { ($0.type, ["schema": $0.schema] as JSON) }))
    }
}
#endif
