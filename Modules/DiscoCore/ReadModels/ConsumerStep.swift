/// One step of a consumer, from the checkpoint it read to the one it has reached.
public struct ConsumerStep: Hashable, Sendable {
    public var partition: ConsumerPartition
    /// What the consumer believes is stored; where it is not, the step is refused with
    /// ``EventStoreError/Code/checkpointMoved``.
    public var from: Checkpoint
    public var to: Checkpoint
    /// Events held from now on. One at or below `from` was held before, with an attempt less; where it is not, the step
    /// is refused like one from another checkpoint, for somebody else has tried it meanwhile.
    public var hold: [HeldEvent]
    /// Positions of events that were held and are done; where one is not held any more, the step is refused likewise.
    public var release: [Position]
    /// That of the claim under which it works, nil for none. Where another has claimed the partition since, the step is
    /// refused likewise.
    public var fence: Int?

    public init(
        partition: ConsumerPartition, from: Checkpoint, to: Checkpoint, hold: [HeldEvent] = [],
        release: [Position] = [], fence: Int? = nil
    ) {
        self.partition = partition
        self.from = from
        self.to = to
        self.hold = hold
        self.release = release
        self.fence = fence
    }

    /// Of a consumer with one partition.
    public init(
        consumer: String, from: Checkpoint, to: Checkpoint, hold: [HeldEvent] = [], release: [Position] = []
    ) {
        self.init(partition: ConsumerPartition(consumer), from: from, to: to, hold: hold, release: release)
    }

    /// Refuses a step backwards, and names and slices that no store takes. Every store calls this first.
    ///
    /// - Throws: ``EventStoreError`` with code ``EventStoreError/Code/checkpointMoved`` or
    ///   ``EventStoreError/Code/invalidArgument``.
    public func check() throws {
        try partition.check()
        guard to.position >= from.position else {
            throw EventStoreError(
                .checkpointMoved,
                "The checkpoint of \(partition.consumer) only moves forward, not from \(from.position) to \(to.position). "
                    + "Reset the consumer to begin anew.")
        }
    }
}

extension ConsumerPartition {
    /// Refuses names and slices that no store takes.
    ///
    /// - Throws: ``EventStoreError`` with code ``EventStoreError/Code/invalidArgument``.
    public func check() throws {
        try NameCheck.argument.check(consumer: consumer)
        guard slices.lowerBound >= 0, slices.upperBound < StreamID.slices else {
            throw EventStoreError(
                .invalidArgument,
                "A partition of \(consumer) has the slices \(slices); they must lie in 0...\(StreamID.slices - 1).")
        }
    }
}
