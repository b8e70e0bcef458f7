#if HTTP
package import DiscoCore
package import HTTPTypes
package import Hummingbird

/// Answers requests by the routes of a table.
package struct RouteTable<Caller: Sendable>: HTTPResponder {
    package typealias Context = BasicRequestContext

    /// Who asks; throws a ``Problem`` with status 401 or 403 if the scope needs more than the request brings.
    package typealias Authentication = @Sendable (_ request: Request, _ scope: String?) async throws -> Caller
    /// Called with each finished request: the path of its route and the answer's status.
    package typealias Observer =
        @Sendable (_ request: Request, _ route: String?, _ caller: Caller?, _ status: Int, _ time: Duration) -> Void

    private let routes: [Route<Caller>]
    private let prefix: [String]
    private let httpGuard: HTTPGuard
    private let limits: HTTPLimits
    private let context: StoreContext
    private let authenticate: Authentication
    private let observe: Observer
    private let decorate: @Sendable (inout HTTPFields) -> Void

    package init(
        _ routes: [Route<Caller>], prefix: String = "", httpGuard: HTTPGuard, limits: HTTPLimits,
        context: StoreContext,
        authenticate: @escaping Authentication, observe: @escaping Observer = { _, _, _, _, _ in },
        decorate: @escaping @Sendable (inout HTTPFields) -> Void = { _ in }
    ) {
        self.routes = routes
        self.prefix = prefix.split(separator: "/").map(String.init)
        self.httpGuard = httpGuard
        self.limits = limits
        self.context = context
        self.authenticate = authenticate
        self.observe = observe
        self.decorate = decorate
    }

    package func respond(to request: Request, context: BasicRequestContext) async -> Response {
        await respond(to: request)
    }

    /// Registers every route in the router of another app.
    package func mount(on router: Router<some RequestContext>) {
        for route in routes {
            let path = (prefix + [route.path]).joined(separator: "/").split(separator: "/")
                .map { $0.hasPrefix("{") ? ":" + $0.dropFirst().dropLast() : String($0) }
            router.on(RouterPath("/" + path.joined(separator: "/")), method: route.method) { request, _ in
                await respond(to: request)
            }
        }
    }

    package func respond(to request: Request) async -> Response {
        let start = self.context.uptime()
        var (route, caller): (Route<Caller>?, Caller?) = (nil, nil)
        var response: Response
        do {
            response = try await answer(request, &route, &caller)
        } catch {
            response = Problem(error).response
        }
        for field in httpGuard.headers(for: request) { response.headers.append(field) }
        decorate(&response.headers)
        // A problem has a body, which a client that asked for headers takes for the next answer.
        if request.method == .head { response = response.createHeadResponse() }
        observe(request, route?.path, caller, response.status.code, self.context.uptime() - start)
        return response
    }

    private func answer(_ request: Request, _ found: inout Route<Caller>?, _ who: inout Caller?) async throws
        -> Response
    {
        try httpGuard.check(request)
        let target = request.head.path ?? "/"
        let (path, query) = (target.prefix { $0 != "?" }, target.drop { $0 != "?" }.dropFirst())
        let matches = try matches(path)
        guard !matches.isEmpty else {
            throw Problem(
                .notFound, "no_such_route", "There is nothing at this path. /openapi.json lists the paths.")
        }
        if request.method == .options, request.headers[.origin] != nil { return preflight(matches) }
        guard let (route, parameters) = matches.first(where: { $0.route.method == request.method }) else {
            throw Problem(
                .methodNotAllowed, "method_not_allowed", "This path does not take \(request.method.rawValue).",
                headers: [.allow: allowed(matches)])
        }
        found = route
        let caller = try await authenticate(request, route.scope)
        who = caller
        let exchange = Exchange(
            request: request, path: parameters, query: try QueryParameters(query), caller: caller, limits: limits)
        let names = route.operation.parameters.filter { $0.place == .query }.map(\.name)
        try exchange.query.requireNames(route.isStrict ? names : exchange.query.names)
        if route.isStream { return try await route.handle(exchange) }
        return try await withTimeLimit { try await route.handle(exchange) }
    }

    private func matches(_ path: Substring) throws -> [(route: Route<Caller>, parameters: [String: String])] {
        guard path.hasPrefix("/") else { return [] }
        let parts = path.dropFirst().split(separator: "/", omittingEmptySubsequences: false)
        let segments = try parts.map { part in
            guard let segment = PercentEncoding.decode(part) else {
                throw Problem(
                    .badRequest, "invalid_request", "The path of the URL has an invalid percent escape. Send UTF-8."
                )
            }
            return segment
        }
        guard segments.starts(with: prefix) else { return [] }
        let rest = Array(segments.dropFirst(prefix.count))
        return routes.compactMap { route in route.template.match(rest).map { (route, $0) } }
    }

    private func allowed(_ matches: [(route: Route<Caller>, parameters: [String: String])]) -> String {
        Set(matches.map(\.route.method.rawValue)).sorted().joined(separator: ", ")
    }

    private func preflight(_ matches: [(route: Route<Caller>, parameters: [String: String])]) -> Response {
        Response(
            status: .noContent,
            headers: [
                .accessControlAllowMethods: allowed(matches),
                .accessControlAllowHeaders:
                    "Authorization, Content-Type, Accept, Expected-Version, If-Match, If-None-Match, Idempotency-Key, "
                    + "Last-Event-ID, Disco-Position, Disco-Await, traceparent, tracestate",
                .accessControlMaxAge: "600",
            ])
    }

    private func withTimeLimit(_ body: @escaping @Sendable () async throws -> Response) async throws -> Response {
        try await context.limited(
            to: limits.requestTime,
            Problem(
                .requestTimeout, "request_timeout", "The request took longer than the server allows. Try again.",
                kind: .exhausted), body)
    }
}
#endif
