/// A command or query on its way through the middleware.
public struct Call: Sendable {
    public enum Kind: String, Sendable { case command, query }

    public let kind: Kind
    public let name: String
    /// The command or query itself; `nil` if it is invalid and will be refused.
    public let request: (any NamedRequest)?
    /// The metadata recorded with a command's events. Middleware may add to it.
    public var metadata: Metadata
    /// The command's idempotency key.
    public let key: String?

    public init(
        kind: Kind, name: String, request: (any NamedRequest)?, metadata: Metadata = .none, key: String? = nil
    ) {
        self.kind = kind
        self.name = name
        self.request = request
        self.metadata = metadata
        self.key = key
    }
}
