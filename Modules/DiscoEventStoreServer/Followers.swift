#if HTTP
import DiscoCore
import DiscoHTTPSupport
import HTTPTypes

/// The open followers: how many there are, and that they end when the server shuts down.
final class Followers: Sendable {
    private struct State: Sendable {
        var count = 0
        var isDraining = false
        var waiters: [Int: Waiter<Wake>] = [:]
        var next = 0
    }

    /// The pages that they share.
    let pages = LivePages()
    private let state = Locked(State())
    private let limit: Int

    init(limit: Int) { self.limit = limit }

    var count: Int { state.withLock { $0.count } }
    var isDraining: Bool { state.withLock { $0.isDraining } }

    /// Counts one more follower until ``leave()``.
    ///
    /// - Throws: ``Problem`` with status 503 if there are too many, or if the server shuts down.
    func enter() throws {
        try state.withLock { state in
            if state.isDraining {
                throw Problem(
                    .serviceUnavailable, "draining", "The server is shutting down. Follow again in a moment.",
                    headers: [.retryAfter: "1"])
            }
            guard state.count < limit else {
                throw Problem(
                    .serviceUnavailable, "too_many_followers",
                    "The server has \(limit) followers, which is its limit. Try again later.", kind: .exhausted,
                    headers: [.retryAfter: "5"])
            }
            state.count += 1
        }
    }

    func leave() { state.withLock { $0.count -= 1 } }

    /// Makes all followers send their last line.
    func drain() {
        let waiters = state.withLock { state in
            state.isDraining = true
            defer { state.waiters = [:] }
            return Array(state.waiters.values)
        }
        for waiter in waiters { waiter.settle(.success(.draining)) }
    }

    /// How long a follower that was woken waits until it reads. Many followers get fewer and larger pages, so that the
    /// server has time for appends; a few get each event at once.
    var pause: Duration {
        let count = count
        return count < 100 ? .zero : .microseconds(20 * count)
    }

    enum Wake: Sendable { case events, time, draining }

    /// Waits until there are events beyond `position`, a time has passed, or the server shuts down.
    func wait(for store: any EventStore, beyond position: Position, atMost limit: Duration) async throws -> Wake {
        let waiter = Waiter<Wake>()
        let number: Int? = state.withLock { state in
            if state.isDraining { return nil }
            state.next += 1
            state.waiters[state.next] = waiter
            return state.next
        }
        guard let number else { return .draining }
        let cancel = store.context.schedule(limit) { waiter.settle(.success(.time)) }
        defer {
            cancel()
            state.withLock { _ = $0.waiters.removeValue(forKey: number) }
        }
        // Only this needs a task of its own, which ends with this function: there may be thousands of followers.
        async let _: Void = Self.wake(waiter, for: store, beyond: position)
        return try await waiter.value()
    }

    private static func wake(_ waiter: Waiter<Wake>, for store: any EventStore, beyond position: Position) async {
        do {
            try await store.wait(beyond: position)
            waiter.settle(.success(.events))
        } catch {
            waiter.settle(.failure(error))
        }
    }
}
#endif
