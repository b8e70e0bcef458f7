/// Limits the time that a command or query may take.
///
/// At the limit, the call is cancelled. An append that is already on its way to the disk is not: a command that still
/// succeeds returns its result late, rather than report a failure that did not happen. After ``TimeLimitExceeded``, a
/// command of an aggregate or model has recorded nothing; an action may have appended before it was cancelled, so give
/// actions a key.
public struct TimeLimitMiddleware: Middleware {
    private let limit: @Sendable (Call) -> Duration?
    private let context: StoreContext

    /// Gives every call the same limit.
    ///
    /// - Parameters:
    ///   - limit: the limit of each call.
    ///   - context: provides the clock that measures the limit; pass the store's context.
    public init(_ limit: Duration, context: StoreContext = .system) { self.init(context: context) { _ in limit } }

    /// Gives each call its own limit.
    ///
    /// - Parameters:
    ///   - context: provides the clock that measures the limit; pass the store's context.
    ///   - limit: returns the limit of a call, or `nil` for no limit.
    public init(context: StoreContext = .system, _ limit: @escaping @Sendable (Call) -> Duration?) {
        self.limit = limit
        self.context = context
    }

    public func handle<Answer: Sendable>(_ call: Call, next: Next<Answer>) async throws -> Answer {
        guard let limit = limit(call) else { return try await next(call) }
        return try await withoutActuallyEscaping(next) { next in
            try await context.limited(to: limit, TimeLimitExceeded(name: call.name, limit: limit)) {
                try await next(call)
            }
        }
    }
}

/// A command or query exceeded its time limit and was cancelled.
public struct TimeLimitExceeded: Refusal, Hashable {
    /// The name of the command or query.
    public let name: String
    public let limit: Duration

    public init(name: String, limit: Duration) {
        self.name = name
        self.limit = limit
    }

    private var seconds: Double { limit / .seconds(1) }
    public var code: String { "time_limit_exceeded" }
    public var kind: ErrorKind { .exhausted }
    public var message: String { "\(name) exceeded its time limit of \(seconds) seconds and was cancelled. Try again." }
    public var data: JSON.Object {
        ["name": .string(name), "seconds": JSON(seconds)]
    }
}
