#if HTTP
package import HTTPTypes
package import Hummingbird

/// A method and a path, what answers them, and what the OpenAPI document says of them.
package struct Route<Caller: Sendable>: Sendable {
    package typealias Handler = @Sendable (Exchange<Caller>) async throws -> Response

    package let method: HTTPRequest.Method
    package let path: String
    package let scope: String?
    package private(set) var operation: APIOperation
    /// Whether the answer goes on for as long as the caller reads it.
    package let isStream: Bool
    /// Whether parameters of the query that the operation does not name are refused.
    let isStrict: Bool
    let template: PathTemplate
    let handle: Handler

    /// - Parameters:
    ///   - scope: what a token must allow; nil if no token is needed.
    ///   - isStream: whether the answer goes on for as long as the caller reads it, so that no time limit applies.
    ///   - isStrict: whether parameters of the query that the operation does not name are refused.
    package init(
        _ method: HTTPRequest.Method, _ path: String, scope: String?, _ operation: APIOperation,
        isStream: Bool = false, isStrict: Bool = true,
        handle: @escaping Handler
    ) {
        self.method = method
        self.path = path
        self.scope = scope
        self.operation = operation
        self.isStream = isStream
        self.isStrict = isStrict
        self.handle = handle
        template = PathTemplate(path)
    }

    /// The route in a group of the OpenAPI document, unless it is in one already.
    package func tagged(_ tag: String) -> Route {
        var route = self
        route.operation.tag = operation.tag ?? tag
        return route
    }
}
#endif
