import DiscoCore

/// Tells the loop of a partition, which may be waiting, that it should end or read its stored state again.
final class LoopSignal: Sendable {
    private struct State: Sendable {
        var isStopping = false
        var rereads = false
        var flushes = false
        /// What the loop has last been told of its partition's row.
        var fence: Int
        var runTo: Position?
        var waiters: [ObjectIdentifier: Waiter<Void>] = [:]
    }

    private let state: Locked<State>

    /// - Parameter partition: as it was claimed.
    init(_ partition: PartitionState) {
        state = Locked(State(fence: partition.fence, runTo: partition.runTo))
    }

    var isStopping: Bool { state.withLock { $0.isStopping } }

    func stop() { signal { $0.isStopping = true } }

    /// Makes the loop read its state again if somebody else has changed it.
    func notice(_ partition: PartitionState) {
        if state.withLock({ $0.fence == partition.fence && $0.runTo == partition.runTo }) { return }
        signal { state in
            state.fence = partition.fence
            state.runTo = partition.runTo
            state.rereads = true
        }
    }

    /// Makes the loop store how far it has come, because somebody waits for it.
    func flush() { signal { $0.flushes = true } }

    func takeFlush() -> Bool {
        state.withLock { state in
            defer { state.flushes = false }
            return state.flushes
        }
    }

    /// Whether the state must be read again; asks once for each signal.
    func takeReread() -> Bool {
        state.withLock { state in
            defer { state.rereads = false }
            return state.rereads
        }
    }

    /// Returns when the loop should end, read again, or store how far it has come.
    func wait() async throws { try await wait { $0.isStopping || $0.rereads || $0.flushes } }

    /// Returns when the loop should end.
    func waitForStop() async throws { try await wait { $0.isStopping } }

    private func wait(_ isOver: @Sendable (State) -> Bool) async throws {
        while true {
            let waiter = Waiter<Void>()
            let id = ObjectIdentifier(waiter)
            if state.withLock({ state in
                if !isOver(state) { state.waiters[id] = waiter }
                return isOver(state)
            }) {
                return
            }
            defer { state.withLock { $0.waiters[id] = nil } }
            try await waiter.value()
        }
    }

    private func signal(_ change: (inout State) -> Void) {
        let waiters = state.withLock { state in
            change(&state)
            defer { state.waiters = [:] }
            return state.waiters.values
        }
        for waiter in waiters { waiter.settle(.success(())) }
    }
}
