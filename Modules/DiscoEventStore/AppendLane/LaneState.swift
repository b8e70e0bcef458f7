import DiscoCore

/// The state of an ``AppendLane``: which appends wait, which are being committed, and how much each thread may take.
///
/// A pure state machine. Threads call it under the lane's lock, and check after every change whether to wake a waiting
/// thread.
struct LaneState: Sendable {
    struct Waiting: Sendable {
        let append: Append
        let waiter: Waiter<Appended>
    }

    /// A batch with fewer events is not worth a flush of its own: it does not start before the running batch ends.
    private static let worthItsFlush = 16

    var queue: [Waiting] = []
    /// The number of events that wait, and the number being committed.
    private(set) var (waiting, inHand) = (0, 0)
    /// The recent maximum of both together.
    private var recent = 0
    private(set) var idle = 0
    private(set) var firstIsBusy = false
    var closing = false

    /// The number of events that the next batch may have; `nil` while the batch should gather more.
    ///
    /// It is half of the recent maximum, so that one half is prepared while the other commits.
    func share(of appenders: Int) -> Int? {
        if queue.isEmpty { return nil }
        if appenders == 1 { return Int.max }
        let half = max(recent / 2, Self.worthItsFlush)
        if inHand > 0, waiting < half, !closing { return nil }
        return recent < 2 * Self.worthItsFlush ? Int.max : half
    }

    mutating func enqueue(_ append: Waiting) {
        queue.append(append)
        waiting += append.append.weight
        recent = max(recent, waiting + inHand)
    }

    mutating func take(_ count: Int, by index: Int) -> [Waiting] {
        if index == 0 { firstIsBusy = true }
        idle -= 1
        let batch = Array(queue.prefix(count))
        queue.removeFirst(count)
        recent = max(waiting + inHand, recent * 7 / 8)
        waiting -= batch.events
        inHand += batch.events
        return batch
    }

    /// A thread is ready for a batch.
    mutating func ready(_ index: Int) {
        if index == 0 { firstIsBusy = false }
        idle += 1
    }

    mutating func settled(_ events: Int) { inHand -= events }

    /// Whether to wake a waiting thread.
    func isWanted(of appenders: Int) -> Bool { idle > 0 && share(of: appenders) != nil }
}

extension [LaneState.Waiting] {
    var events: Int { reduce(0) { $0 + $1.append.weight } }
}
