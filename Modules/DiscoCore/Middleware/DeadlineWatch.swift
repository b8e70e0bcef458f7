import Foundation

/// Calls back when deadlines pass. One thread serves all of them and sleeps until the next: a timer for each call would
/// cost more than many calls do.
final class DeadlineWatch: Sendable {
    static let shared = DeadlineWatch()

    private struct State: Sendable {
        var pending: [Int: @Sendable () -> Void] = [:]
        /// Sorted by deadline; entries that are no longer pending are skipped.
        var order: [(deadline: ContinuousClock.Instant, id: Int)] = []
        /// Entries before this index are done.
        var first = 0
        var next = 0
        var isStarted = false
        /// When the thread wakes by itself; `nil` if it sleeps until it is woken.
        var wakesAt: ContinuousClock.Instant? = .now
        var isWoken = false

        mutating func add(_ deadline: ContinuousClock.Instant, _ passed: @escaping @Sendable () -> Void) {
            next += 1
            pending[next] = passed
            // Usually the last: most limits of a program are the same.
            var (low, high) = (first, order.count)
            if let last = order.last, last.deadline <= deadline { low = high }
            while low < high {
                let middle = (low + high) / 2
                if order[middle].deadline <= deadline { low = middle + 1 } else { high = middle }
            }
            order.insert((deadline, next), at: low)
        }

        /// Drops done entries at the front, and all done entries once they are the majority.
        mutating func trim() {
            while first < order.count, pending[order[first].id] == nil { first += 1 }
            if order.count > 2 * pending.count + 1000 || first == order.count {
                order = order[first...].filter { pending[$0.id] != nil }
                first = 0
            }
        }
    }

    private let state = Locked(State())

    /// - Returns: the id to pass to ``cancel(_:)``.
    func add(_ deadline: ContinuousClock.Instant, _ passed: @escaping @Sendable () -> Void) -> Int {
        let (id, wakes, starts) = state.withLock { state in
            state.add(deadline, passed)
            let wakes = state.wakesAt.map { deadline < $0 } ?? true
            if wakes { state.isWoken = true }
            defer { state.isStarted = true }
            return (state.next, wakes, !state.isStarted)
        }
        if starts {
            let thread = Thread { [self] in watch() }
            thread.name = "disco-deadlines"
            thread.start()
        } else if wakes {
            state.signal()
        }
        return id
    }

    /// Returns false if the deadline has passed.
    @discardableResult
    func cancel(_ id: Int) -> Bool {
        state.withLock { state in
            guard state.pending.removeValue(forKey: id) != nil else { return false }
            state.trim()
            return true
        }
    }

    /// How many deadlines it keeps, including done ones that are not dropped yet.
    var count: Int { state.withLock { $0.order.count } }

    private func watch() {
        var idle = 0
        while true {
            let (passed, pause) = state.withLock { state in
                let now = ContinuousClock.now
                var passed: [@Sendable () -> Void] = []
                while state.first < state.order.count, state.order[state.first].deadline <= now {
                    if let call = state.pending.removeValue(forKey: state.order[state.first].id) { passed.append(call) }
                    state.first += 1
                }
                state.trim()
                var pause: Duration?
                if state.first < state.order.count {
                    idle = 0
                    pause = max(.zero, state.order[state.first].deadline - now)
                } else {
                    // Looks again a few times before sleeping, so that a call a moment later need not wake the thread.
                    idle += 1
                    pause = idle <= 5 ? .seconds(1) : nil
                }
                state.wakesAt = pause.map { now + $0 }
                state.isWoken = false
                return (passed, pause)
            }
            for call in passed { call() }
            _ = state.waiting(for: pause) { $0.isWoken ? true : nil }
        }
    }
}
