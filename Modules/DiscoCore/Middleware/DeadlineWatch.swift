import Foundation

/// Calls back when deadlines pass. One thread for all of them, which sleeps until the next: a timer for each call would cost more than
/// many a call.
final class DeadlineWatch: Sendable {
    static let shared = DeadlineWatch()

    private struct Entry: Sendable {
        let deadline: ContinuousClock.Instant
        /// Nil where it was cancelled.
        var passed: (@Sendable () -> Void)?
    }

    private struct State: Sendable {
        /// By deadline.
        var entries: [(id: Int, entry: Entry)] = []
        /// Those before it are done.
        var first = 0
        var next = 0
        var isStarted = false
        /// When the thread looks again by itself; nil where it sleeps until it is woken.
        var wakesAt: ContinuousClock.Instant? = .now
        var isWoken = false

        /// Where an entry is, sought from the end and the beginning: most that end began last, or first.
        func place(of id: Int) -> Int? {
            if first < entries.count, entries[first].id == id { return first }
            return entries[first...].lastIndex { $0.id == id }
        }

        /// Drops what is done at the front, for good from time to time.
        mutating func trim() {
            while first < entries.count, entries[first].entry.passed == nil { first += 1 }
            if first == entries.count {
                entries.removeAll(keepingCapacity: true)
                first = 0
            } else if first > 1000, first > entries.count / 2 {
                entries.removeFirst(first)
                first = 0
            }
        }
    }

    private let state = Locked(State())

    /// - Returns: by what to ``cancel(_:)`` it.
    func add(_ deadline: ContinuousClock.Instant, _ passed: @escaping @Sendable () -> Void) -> Int {
        let (id, wakes, starts) = state.withLock { state in
            state.next += 1
            // Mostly the last: most limits of a program are the same.
            let place =
                (state.entries[state.first...].lastIndex { $0.entry.deadline <= deadline } ?? state.first - 1) + 1
            state.entries.insert((state.next, Entry(deadline: deadline, passed: passed)), at: place)
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

    /// False where the deadline had passed.
    @discardableResult
    func cancel(_ id: Int) -> Bool {
        state.withLock { state in
            guard let place = state.place(of: id), state.entries[place].entry.passed != nil else { return false }
            state.entries[place].entry.passed = nil
            state.trim()
            return true
        }
    }

    private func watch() {
        var idle = 0
        while true {
            let (passed, pause) = state.withLock { state in
                let now = ContinuousClock.now
                var passed: [@Sendable () -> Void] = []
                while state.first < state.entries.count, state.entries[state.first].entry.deadline <= now {
                    if let call = state.entries[state.first].entry.passed { passed.append(call) }
                    state.entries[state.first].entry.passed = nil
                    state.first += 1
                }
                state.trim()
                var pause: Duration?
                if state.first < state.entries.count {
                    idle = 0
                    pause = max(.zero, state.entries[state.first].entry.deadline - now)
                } else {
                    // It looks again a few times before it sleeps: a call a moment later need not wake it.
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
