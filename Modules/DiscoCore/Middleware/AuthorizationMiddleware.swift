/// Lets a command or query through only if `allows` returns true.
///
/// ```swift
/// AuthorizationMiddleware { call in
///     guard call.name == WithdrawMoney.name else { return true }
///     return User.current?.mayWithdraw == true     // a task-local value, set by whoever received the request
/// }
/// ```
public struct AuthorizationMiddleware: Middleware {
    private let allows: @Sendable (Call) async throws -> Bool

    /// - Parameter allows: returns false to refuse the call with ``NotAuthorized``; it may also throw its own refusal.
    public init(_ allows: @escaping @Sendable (Call) async throws -> Bool) { self.allows = allows }

    public func handle<Answer: Sendable>(_ call: Call, next: Next<Answer>) async throws -> Answer {
        guard try await allows(call) else { throw NotAuthorized(name: call.name) }
        return try await next(call)
    }
}

/// The caller is not authorized to run a command or query.
public struct NotAuthorized: Refusal, Hashable {
    /// The name of the command or query.
    public let name: String

    public init(name: String) { self.name = name }

    public var code: String { "not_authorized" }
    public var kind: ErrorKind { .unauthorized }
    public var message: String { "Not authorized to run \(name)." }
    public var data: JSON.Object { ["name": .string(name)] }
}
