/// One step of a consumer, from the checkpoint it read to the one it has reached.
public struct ConsumerStep: Hashable, Sendable {
    public var partition: ConsumerPartition
    /// The checkpoint that the consumer believes is stored; if it is not, the step is refused with
    /// ``EventStoreError/Code/checkpointMoved``.
    public var from: Checkpoint
    public var to: Checkpoint
    /// Events held from now on. An event at or below `from` must already be held, with one attempt fewer; otherwise
    /// someone else has tried it in the meantime, and the step is refused with the same code.
    public var hold: [HeldEvent]
    /// Positions of held events that are now done; if one is no longer held, the step is refused with the same code.
    public var release: [Position]
    /// The fence of the claim under which the consumer works; `nil` for none. If someone else has claimed the partition
    /// since, the step is refused with the same code.
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

    /// Creates the step of a consumer with one partition.
    public init(
        consumer: String, from: Checkpoint, to: Checkpoint, hold: [HeldEvent] = [], release: [Position] = []
    ) {
        self.init(partition: ConsumerPartition(consumer), from: from, to: to, hold: hold, release: release)
    }

    /// Refuses a backward step, and names and slices that no store accepts. Every store calls this first.
    ///
    /// - Throws: ``EventStoreError`` with code ``EventStoreError/Code/checkpointMoved`` or
    ///   ``EventStoreError/Code/invalidArgument``.
    public func check() throws {
        try partition.check()
        guard to.position >= from.position else {
            throw EventStoreError(
                .checkpointMoved,
                "The checkpoint of \(partition.consumer) can only move forward, not from \(from.position) to \(to.position). "
                    + "Reset the consumer to start over.")
        }
    }
}

extension ConsumerPartition {
    /// Refuses names and slices that no store accepts.
    ///
    /// - Throws: ``EventStoreError`` with code ``EventStoreError/Code/invalidArgument``.
    public func check() throws {
        try NameCheck.argument.check(consumer: consumer)
        guard slices.lowerBound >= 0, slices.upperBound < StreamID.slices else {
            throw EventStoreError(
                .invalidArgument,
                "A partition of \(consumer) has the slices \(slices); slices must be in 0...\(StreamID.slices - 1).")
        }
    }
}
