/// One task that waits for one value: a result or the task's own cancellation, whichever comes first.
package final class Waiter<Value: Sendable>: Sendable {
    private struct State: Sendable {
        var continuation: CheckedContinuation<Value, any Error>?
        var result: Result<Value, any Error>?
        var taken = false
    }

    private let state = Locked(State())

    package init() {}

    /// Suspends until it is settled; throws `CancellationError` if its task is cancelled before it was taken or
    /// settled.
    package func value() async throws -> Value {
        try await withTaskCancellationHandler {
            try await withCheckedThrowingContinuation { continuation in
                let result = state.withLock { state in
                    if state.result == nil { state.continuation = continuation }
                    return state.result
                }
                if let result { continuation.resume(with: result) }
            }
        } onCancel: {
            settle(.failure(CancellationError()), unlessTaken: true)
        }
    }

    /// From now on cancellation comes too late, and whoever took it settles it. Returns `false` if it was already
    /// settled or cancelled.
    package func take() -> Bool {
        state.withLock { state in
            if state.result == nil { state.taken = true }
            return state.result == nil
        }
    }

    package func settle(_ result: Result<Value, any Error>) { settle(result, unlessTaken: false) }

    private func settle(_ result: Result<Value, any Error>, unlessTaken: Bool) {
        let continuation = state.withLock { state -> CheckedContinuation<Value, any Error>? in
            guard state.result == nil, !(unlessTaken && state.taken) else { return nil }
            state.result = result
            defer { state.continuation = nil }
            return state.continuation
        }
        continuation?.resume(with: result)
    }
}
