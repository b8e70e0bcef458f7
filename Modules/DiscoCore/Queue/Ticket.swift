/// Stands for a command in a ``CommandQueue``.
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

    /// Waits until the command was carried out; any number of tasks may. A command that nobody waits for is carried out
    /// all the same.
    ///
    /// - Throws: what the dispatch throws, ``DispatchError/queueClosed`` where the queue ended before, or
    ///   `CancellationError` where the waiting task is cancelled; the command is not.
    public func outcome() async throws -> Outcome {
        let waiter = Waiter<Outcome>()
        let result = state.withLock { state in
            if state.result == nil { state.waiting.append(waiter) }
            return state.result
        }
        if let result { return try result.get() }
        return try await waiter.value()
    }

    /// The outcome, nil while there is none yet.
    public var settled: Result<Outcome, any Error>? { state.withLock { $0.result } }
}
