/// One step of a consumer, from the checkpoint it read to the one it has reached.
public struct ConsumerStep: Hashable, Sendable {
    public var partition: ConsumerPartition
    /// The checkpoint that the consumer believes is stored; if it is not, the step is refused with
    /// ``EventStoreError/Code/checkpointMoved``.
    public var from: Checkpoint
    public var to: Checkpoint
    /// Streams that are held from now on, or differently than before.
    public var hold: [HeldStream]
    /// Held streams whose events are now done; if one is not held, the step is refused with the same code.
    public var release: [StreamID]
    /// The lease under which the consumer works; `nil` for a consumer that nobody shares. If it no longer counts, the
    /// step is refused with the same code.
    public var lease: PartitionLease?
    /// The event that is about to be processed alone, after crashes.
    public var inHand: Position?

    public init(
        partition: ConsumerPartition, from: Checkpoint, to: Checkpoint, hold: [HeldStream] = [],
        release: [StreamID] = [], lease: PartitionLease? = nil, inHand: Position? = nil
    ) {
        self.partition = partition
        self.from = from
        self.to = to
        self.hold = hold
        self.release = release
        self.lease = lease
        self.inHand = inHand
    }

    /// Creates the step of a consumer with one partition.
    public init(
        consumer: String, from: Checkpoint, to: Checkpoint, hold: [HeldStream] = [], release: [StreamID] = []
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
        guard generation >= 1, generation <= Int(Int32.max) else {
            throw EventStoreError(
                .invalidArgument,
                "A partition of \(consumer) has the generation \(generation); generations must be in 1...\(Int32.max).")
        }
    }
}
