/// A handle to a command in a ``CommandQueue``.
public final class Ticket<Outcome: Sendable>: Sendable {
    private struct State: Sendable {
        var result: Result<Outcome, any Error>?
        var waiting: [Waiter<Outcome>] = []
    }

    private let state = Locked(State())

    init() {}

    func settle(_ result: Result<Outcome, any Error>) {
        let waiting = state.withLock { state in
            state.result = state.result ?? result
            defer { state.waiting = [] }
            return state.waiting
        }
        for waiter in waiting { waiter.settle(result) }
    }

    /// Waits until the command has run; any number of tasks may wait. A command runs even if nobody waits for it.
    ///
    /// - Throws: whatever the dispatch throws, ``DispatchError/queueClosed`` if the queue ended first, or
    ///   `CancellationError` if the waiting task is cancelled; the command itself is not cancelled.
    public func outcome() async throws -> Outcome {
        let waiter = Waiter<Outcome>()
        let result = state.withLock { state in
            if state.result == nil { state.waiting.append(waiter) }
            return state.result
        }
        if let result { return try result.get() }
        return try await waiter.value()
    }

    /// The outcome; `nil` until there is one.
    public var settled: Result<Outcome, any Error>? { state.withLock { $0.result } }
}
