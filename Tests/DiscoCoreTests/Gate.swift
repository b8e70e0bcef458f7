import DiscoCore

/// Suspends every caller of `pass` until the gate opens.
final class Gate: Sendable {
    private let state = Locked((isOpen: false, held: [Waiter<Void>]()))

    /// How many callers arrived while the gate was closed.
    var held: Int { state.withLock { $0.held.count } }

    /// - Throws: `CancellationError` if the task is cancelled.
    func pass() async throws {
        let waiter = Waiter<Void>()
        let isOpen = state.withLock { state in
            if !state.isOpen { state.held.append(waiter) }
            return state.isOpen
        }
        if !isOpen { try await waiter.value() }
    }

    func open() {
        let held = state.withLock { state in
            state.isOpen = true
            return state.held
        }
        for waiter in held { waiter.settle(.success(())) }
    }
}
