import DiscoCore

/// Who waits in an ``AppendLane``, what is being committed, and which thread may take how much of it.
///
/// A pure state machine: threads call it under the lane's lock, and ask after every change whether one that waits is wanted.
struct LaneState: Sendable {
    struct Waiting: Sendable {
        let append: Append
        let waiter: Waiter<Appended>
    }

    /// With fewer events than this a batch costs its flush more than itself: it does not go ahead of another's end.
    private static let worthItsFlush = 16

    var queue: [Waiting] = []
    /// How many events wait, and how many are being committed.
    private(set) var (waiting, inHand) = (0, 0)
    /// How many there were at once of late.
    private var recent = 0
    private(set) var idle = 0
    private(set) var firstIsBusy = false
    var closing = false

    /// How many events the next batch may have, nil while it should gather more.
    ///
    /// Half of what there is at once: then one half is laid out while the other commits.
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

    /// Whether a thread that waits should look again.
    func isWanted(of appenders: Int) -> Bool { idle > 0 && share(of: appenders) != nil }
}

extension [LaneState.Waiting] {
    var events: Int { reduce(0) { $0 + $1.append.weight } }
}
