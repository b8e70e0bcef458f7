/// Gives every command and query a time in which it must be done.
///
/// When it is over the call is cancelled. An append that is on its way to the disk is not: a command that succeeds all
/// the same is answered, late, rather than reported as something it is not. After ``TimeLimitExceeded`` an aggregate's
/// or model's command has recorded nothing; an action may have appended before it was cancelled: give those a key.
public struct TimeLimitMiddleware: Middleware {
    private let limit: @Sendable (Call) -> Duration?
    private let context: StoreContext

    /// Gives every call the same limit.
    ///
    /// - Parameters:
    ///   - limit: for each call.
    ///   - context: the clock that measures it: pass the store's.
    public init(_ limit: Duration, context: StoreContext = .system) { self.init(context: context) { _ in limit } }

    /// Gives each call a limit of its own.
    ///
    /// - Parameters:
    ///   - context: the clock that measures it: pass the store's.
    ///   - limit: returns the limit of a call, or nil for no limit.
    public init(context: StoreContext = .system, _ limit: @escaping @Sendable (Call) -> Duration?) {
        self.limit = limit
        self.context = context
    }

    public func handle<Answer: Sendable>(_ call: Call, next: Next<Answer>) async throws -> Answer {
        guard let limit = limit(call) else { return try await next(call) }
        return try await withoutActuallyEscaping(next) { next in
            // A task that can be cancelled by itself. It is awaited here in any case, so it is as structured as a child
            // would be; and it begins on this thread, since waking another costs more than all else here.
            let task: Task<Answer, any Error> =
                if #available(macOS 26, *) { .immediate { try await next(call) } } else {
                    Task { try await next(call) }
                }
            let isOver = Locked(false)
            let cancel = context.schedule(limit) {
                isOver.withLock { $0 = true }
                task.cancel()
            }
            defer { cancel() }
            do {
                return try await withTaskCancellationHandler {
                    try await task.value
                } onCancel: {
                    task.cancel()
                }
            } catch {
                if error is CancellationError, isOver.withLock({ $0 }), !Task.isCancelled {
                    throw TimeLimitExceeded(name: call.name, limit: limit)
                }
                throw error
            }
        }
    }
}

/// A command or query was not done in the time it had, and was cancelled.
public struct TimeLimitExceeded: Refusal, Hashable {
    /// Of the command or query.
    public let name: String
    public let limit: Duration

    public init(name: String, limit: Duration) {
        self.name = name
        self.limit = limit
    }

    private var seconds: Double { limit / .seconds(1) }
    public var code: String { "time_limit_exceeded" }
    public var kind: ErrorKind { .exhausted }
    public var message: String { "\(name) was not done within \(seconds) seconds, and was cancelled. Try again." }
    public var data: JSON.Object {
        ["name": .string(name), "seconds": JSON(seconds)]
    }
}
