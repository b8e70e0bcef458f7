package import DiscoCore

/// Wakes up whoever waits for events beyond a position.
package final class WakeUpHub: Sendable {
    private struct State: Sendable {
        var head = Position.start
        var waiters: [Int: (beyond: Position, continuation: CheckedContinuation<Void, any Error>)] = [:]
        var cancelled: Set<Int> = []
        var next = 0
        var closed = false
    }

    private let state = Locked(State())

    package init() {}

    /// The store has come this far.
    package func advance(to head: Position) {
        let woken = state.withLock { state -> [CheckedContinuation<Void, any Error>] in
            guard head > state.head else { return [] }
            state.head = head
            let numbers = state.waiters.filter { $0.value.beyond < head }.map(\.key)
            return numbers.compactMap { state.waiters.removeValue(forKey: $0)?.continuation }
        }
        for continuation in woken { continuation.resume() }
    }

    /// Returns once the store has come beyond `position`; at once where it has.
    package func wait(beyond position: Position) async throws {
        let number = state.withLock { state in
            state.next += 1
            return state.next
        }
        try await withTaskCancellationHandler {
            try await withCheckedThrowingContinuation { continuation in
                let verdict = state.withLock { state -> Result<Void, any Error>? in
                    if state.closed { return .failure(EventStoreError.closed) }
                    if state.cancelled.remove(number) != nil { return .failure(CancellationError()) }
                    if state.head > position { return .success(()) }
                    state.waiters[number] = (position, continuation)
                    return nil
                }
                if let verdict { continuation.resume(with: verdict) }
            }
        } onCancel: {
            let continuation = state.withLock { state -> CheckedContinuation<Void, any Error>? in
                guard let waiter = state.waiters.removeValue(forKey: number) else {
                    state.cancelled.insert(number)
                    return nil
                }
                return waiter.continuation
            }
            continuation?.resume(throwing: CancellationError())
        }
        // A cancellation that came too late left its mark.
        state.withLock { state in _ = state.cancelled.remove(number) }
    }

    package func close() {
        let waiting = state.withLock { state -> [CheckedContinuation<Void, any Error>] in
            state.closed = true
            defer { state.waiters = [:] }
            return state.waiters.values.map(\.continuation)
        }
        for continuation in waiting { continuation.resume(throwing: EventStoreError.closed) }
    }
}
