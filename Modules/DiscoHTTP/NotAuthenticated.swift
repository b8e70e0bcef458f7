#if HTTP
public import DiscoCore

/// A request does not tell who sends it, or not credibly. It is answered with the status 401.
public struct NotAuthenticated: Refusal, Hashable {
    public let message: String
    /// How to authenticate, for the header `WWW-Authenticate`; empty for no header.
    public let challenge: String

    public init(
        _ message: String = "Send a valid token in the header Authorization.", challenge: String = "Bearer"
    ) {
        self.message = message
        self.challenge = challenge
    }

    public var code: String { "not_authenticated" }
    public var kind: ErrorKind { .unauthorized }
}
#else
@available(*, unavailable, message: "Enable the `HTTP` trait in the dependency on disco to use this type.")
public struct NotAuthenticated {}
#endif
