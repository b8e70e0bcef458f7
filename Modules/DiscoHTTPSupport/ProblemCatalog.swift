#if HTTP
package import DiscoCore

/// The problems by their codes, for `/problems/{code}`.
package enum ProblemCatalog {
    package struct Entry: Sendable {
        package let kind: ErrorKind
        /// When it is reported, and what to do.
        package let title: String
    }

    package static func entry(of code: String) -> Entry? { http[code] ?? errors[code] }
    package static func title(of code: String) -> String? { entry(of: code)?.title }

    /// The problems of HTTP itself.
    package static let http: [String: Entry] = [
        "api_version": Entry(
            kind: .invalid, title: "The client speaks another version of the API. Update the older one."),
        "body_missing": Entry(kind: .invalid, title: "The request needs a body, and has none."),
        "condition_not_allowed": Entry(
            kind: .unauthorized, title: "The append's condition could match events that the token does not allow."),
        "draining": Entry(kind: .unavailable, title: "The server is shutting down. Try again in a moment."),
        "invalid_request": Entry(kind: .invalid, title: "The URL or the body of the request is not valid HTTP."),
        "method_not_allowed": Entry(
            kind: .notFound,
            title: "The path exists, but not for this method. The Allow header lists those it takes."),
        "missing_scope": Entry(kind: .unauthorized, title: "The token does not have the scope that the request needs."),
        "no_such_route": Entry(kind: .notFound, title: "There is nothing at this path."),
        "not_acceptable": Entry(
            kind: .invalid, title: "The answer is not available in a type that the request accepts."),
        "not_authenticated": Entry(kind: .unauthorized, title: "The request has no valid token."),
        "not_for_prefixes": Entry(
            kind: .unauthorized, title: "A token with stream prefixes cannot do this. Use one without."),
        "origin_not_allowed": Entry(
            kind: .unauthorized, title: "Pages of this origin are not allowed to use the server."),
        "rate_limited": Entry(
            kind: .exhausted, title: "The token has sent too many requests. Wait as Retry-After says."),
        "request_timeout": Entry(
            kind: .exhausted, title: "The request took longer than the server allows. Try again."),
        "stream_not_allowed": Entry(kind: .unauthorized, title: "The token does not allow the stream."),
        "too_many_appends": Entry(
            kind: .invalid, title: "The request contains too many appends. Send fewer at a time."),
        "too_many_events": Entry(kind: .invalid, title: "The append contains too many events."),
        "too_many_followers": Entry(
            kind: .exhausted, title: "The server has as many followers as it allows. Try again later."),
        "too_many_tags": Entry(kind: .invalid, title: "An event of the append has too many tags."),
        "unknown_event": Entry(kind: .notFound, title: "No event has this id."),
        "unknown_host": Entry(
            kind: .invalid, title: "The server does not answer under the name in the Host header."),
        "unknown_key": Entry(kind: .notFound, title: "Nothing is recorded under this idempotency key."),
        "unknown_problem": Entry(kind: .notFound, title: "There is no problem of this code."),
        "unknown_snapshot": Entry(kind: .notFound, title: "There is no such snapshot."),
        "unsupported_media_type": Entry(
            kind: .invalid, title: "The Content-Type of the body is not one that the route takes."),
    ]
}
#endif
