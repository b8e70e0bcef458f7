#if HTTP
import DiscoCore
import DiscoHTTPSupport
import HTTPTypes

/// The open followers: how many there are, what wakes them, and that they end when the server shuts down.
///
/// One task watches the store for all of them.
final class Followers: Sendable {
    private struct State: Sendable {
        var count = 0
        var isDraining = false
        var waiters: [Int: (beyond: Position, waiter: Waiter<Wake>)] = [:]
        var next = 0
        /// The last position that the watcher has seen.
        var head = Position.start
        var watcher: Task<Void, Never>?
    }

    /// The pages that they share.
    let pages = LivePages()
    private let state = Locked(State())
    private let store: any EventStore
    private let limit: Int

    init(of store: any EventStore, limit: Int) {
        self.store = store
        self.limit = limit
    }

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
            state.watcher?.cancel()
            defer { state.waiters = [:] }
            return state.waiters.values.map(\.waiter)
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
    func wait(beyond position: Position, atMost limit: Duration) async throws -> Wake {
        try Task.checkCancellation()
        let waiter = Waiter<Wake>()
        let (number, wake) = state.withLock { state -> (Int, Wake?) in
            if state.isDraining { return (0, .draining) }
            if state.head > position { return (0, .events) }
            state.next += 1
            state.waiters[state.next] = (position, waiter)
            // Not a child of this follower: it watches for all of them.
            if state.watcher == nil { state.watcher = Task.detached { [self, head = state.head] in await watch(head) } }
            return (state.next, nil)
        }
        if let wake { return wake }
        let cancel = store.context.schedule(limit) { waiter.settle(.success(.time)) }
        defer {
            cancel()
            state.withLock { _ = $0.waiters.removeValue(forKey: number) }
        }
        return try await waiter.value()
    }

    /// Wakes those who wait as the store grows, until nobody waits.
    @concurrent private func watch(_ head: Position) async {
        var head = head
        while true {
            var failure: (any Error)?
            do {
                try await store.wait(beyond: head)
                head = max(head, try await EventStoreClient(store).head())
            } catch {
                failure = error
            }
            let (woken, isOver) = state.withLock { state in
                state.head = max(state.head, head)
                let woken = state.waiters.filter { failure != nil || $0.value.beyond < head }
                for number in woken.keys { state.waiters[number] = nil }
                let isOver = failure != nil || state.waiters.isEmpty
                if isOver { state.watcher = nil }
                return (woken.values.map(\.waiter), isOver)
            }
            for waiter in woken { waiter.settle(failure.map { .failure($0) } ?? .success(.events)) }
            if isOver { return }
        }
    }
}
#endif
