/// Gives every command and query a time in which it must be done.
///
/// When it is over the call is cancelled. An append that is on its way to the disk is not: a command that succeeds all the same
/// is answered, late, rather than reported as something it is not. After ``TimeLimitExceeded`` nothing was recorded.
public struct TimeLimitMiddleware: Middleware {
    private let limit: @Sendable (Call) -> Duration?

    public init(_ limit: Duration) { self.limit = { _ in limit } }

    /// - Parameter limit: for each call; nil for none.
    public init(_ limit: @escaping @Sendable (Call) -> Duration?) { self.limit = limit }

    public func handle<Answer: Sendable>(_ call: Call, next: Next<Answer>) async throws -> Answer {
        guard let limit = limit(call) else { return try await next(call) }
        return try await withoutActuallyEscaping(next) { next in
            try await withThrowingTaskGroup(of: Answer?.self) { group in
                group.addTask { try await next(call) }
                group.addTask {
                    try? await Task.sleep(for: limit)
                    return nil
                }
                guard let first = try await group.next() else { throw CancellationError() }
                group.cancelAll()
                if let first { return first }
                // The time is over, or the whole call was cancelled: what it comes to now counts.
                do {
                    if case .some(.some(let late)) = try await group.next() { return late }
                } catch is CancellationError where !Task.isCancelled {
                    throw TimeLimitExceeded(name: call.name, limit: limit)
                }
                throw CancellationError()
            }
        }
    }
}

/// A command or query was not done in the time it had. Nothing was recorded.
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
    public var message: String { "\(name) was not done within \(seconds) seconds. Nothing was recorded; try again." }
    public var data: JSON.Object {
        JSON.Object([("name", .string(name)), ("seconds", JSON.Number(seconds).map(JSON.number) ?? .null)])
    }
}
