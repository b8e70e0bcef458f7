/// Lets a command or query through only where `allows` says so.
///
/// ```swift
/// AuthorizationMiddleware { call in
///     guard call.name == WithdrawMoney.name else { return true }
///     return User.current?.mayWithdraw == true     // a task-local value, set by whoever took the request in
/// }
/// ```
public struct AuthorizationMiddleware: Middleware {
    private let allows: @Sendable (Call) async throws -> Bool

    /// - Parameter allows: false refuses with ``NotAuthorized``; it may also throw a refusal of its own.
    public init(_ allows: @escaping @Sendable (Call) async throws -> Bool) { self.allows = allows }

    public func handle<Answer: Sendable>(_ call: Call, next: Next<Answer>) async throws -> Answer {
        guard try await allows(call) else { throw NotAuthorized(name: call.name) }
        return try await next(call)
    }
}

/// The caller is not authorized to run this.
public struct NotAuthorized: Refusal, Hashable {
    /// Of the command or query.
    public let name: String

    public init(name: String) { self.name = name }

    public var code: String { "not_authorized" }
    public var kind: ErrorKind { .unauthorized }
    public var message: String { "Not authorized to run \(name)." }
    public var data: JSON.Object { ["name": .string(name)] }
}
