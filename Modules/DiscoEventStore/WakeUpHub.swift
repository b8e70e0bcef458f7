public import DiscoCore

/// Wakes the callers that wait for events beyond a position; implements a store's `wait(beyond:)`.
///
/// An adapter reports the head after each of its own commits, and whenever it learns that others have appended.
public final class WakeUpHub: Sendable {
    private struct State: Sendable {
        var head = Position.start
        var waiting: [Int: (beyond: Position, waiter: Waiter<Void>)] = [:]
        var next = 0
        var closed = false
    }

    private let state = Locked(State())

    public init() {}

    /// The highest position reported so far.
    public var head: Position { state.withLock { $0.head } }

    /// Reports that the store has reached at least this position. A position behind an earlier one changes nothing.
    public func advance(to head: Position) {
        let woken = state.withLock { state -> [Waiter<Void>] in
            guard head > state.head else { return [] }
            state.head = head
            return state.waiting.values.filter { $0.beyond < head }.map(\.waiter)
        }
        for waiter in woken { waiter.settle(.success(())) }
    }

    /// Returns once the store is beyond `position`; immediately if it already is.
    ///
    /// - Throws: `EventStoreError` with code `closed`, or `CancellationError`.
    public func wait(beyond position: Position) async throws {
        let waiter = Waiter<Void>()
        let number = try state.withLock { state -> Int? in
            if state.closed { throw EventStoreError.closed }
            if state.head > position { return nil }
            state.next += 1
            state.waiting[state.next] = (position, waiter)
            return state.next
        }
        guard let number else { return try Task.checkCancellation() }
        defer { state.withLock { state in state.waiting[number] = nil } }
        try await waiter.value()
    }

    /// Closes the hub: everyone who waits, now or later, gets an `EventStoreError` with code `closed`.
    public func close() {
        let waiting = state.withLock { state -> [Waiter<Void>] in
            state.closed = true
            return state.waiting.values.map(\.waiter)
        }
        for waiter in waiting { waiter.settle(.failure(EventStoreError.closed)) }
    }
}
