public import Foundation

/// The progress of a consumer: everything at or below `position` is done or held.
public struct Checkpoint: Hashable, Codable, Sendable {
    public var position: Position
    /// The event at `position`. If another event is there, this is not the history the consumer has seen.
    public var eventID: UUID?
    /// The store it reads from; `nil` before the first event.
    public var store: StoreIdentity?

    public init(position: Position = .start, eventID: UUID? = nil, store: StoreIdentity? = nil) {
        self.position = position
        self.eventID = eventID
        self.store = store
    }

    /// The position before all events: the checkpoint of a consumer that has none.
    public static let start = Checkpoint()
}

/// A share of a consumer's events: those of the streams whose ``StreamID/slice`` is in a range.
public struct ConsumerPartition: Hashable, Sendable {
    public var consumer: String
    /// The generation of the read model; several may exist while one is rebuilt.
    public var generation: Int
    public var slices: ClosedRange<Int>

    /// - Parameters:
    ///   - consumer: the name of the consumer.
    ///   - generation: the generation of its read model.
    ///   - slices: the slices; all of them by default.
    public init(_ consumer: String, generation: Int = 1, slices: ClosedRange<Int> = 0...StreamID.slices - 1) {
        self.consumer = consumer
        self.generation = generation
        self.slices = slices
    }

    /// The slices of each of `count` partitions of about the same size; `count` is limited to 1 to 1,024.
    public static func slices(of count: Int) -> [ClosedRange<Int>] {
        let count = min(max(1, count), StreamID.slices)
        return (0..<count).map { index in
            StreamID.slices * index / count...StreamID.slices * (index + 1) / count - 1
        }
    }
}

/// What a store records about a partition.
public struct PartitionState: Hashable, Sendable {
    public var partition: ConsumerPartition
    public var checkpoint: Checkpoint
    /// Who works on it; `nil` if nobody has claimed it.
    public var owner: String?
    /// Incremented by each claim and by administration; a step with an older fence is refused.
    public var fence: Int
    /// Whether it belongs to the generation of the read model that queries see.
    public var isLive: Bool
    /// Whether somebody has paused the consumer.
    public var isPaused: Bool
    /// It stops at this position, because the consumer's partitions are about to be exchanged for others.
    public var runTo: Position?
    /// How often in a row a member that owned it ended without releasing it and without any progress.
    public var crashes: Int
    /// The event that the last owner was processing alone, after earlier crashes.
    public var inHand: Position?
    /// When the checkpoint was stored last; `nil` if never.
    public var updatedAt: Date?

    public init(
        partition: ConsumerPartition, checkpoint: Checkpoint = .start, owner: String? = nil, fence: Int = 0,
        isLive: Bool = true, isPaused: Bool = false, runTo: Position? = nil, crashes: Int = 0,
        inHand: Position? = nil, updatedAt: Date? = nil
    ) {
        self.partition = partition
        self.checkpoint = checkpoint
        self.owner = owner
        self.fence = fence
        self.isLive = isLive
        self.isPaused = isPaused
        self.runTo = runTo
        self.crashes = crashes
        self.inHand = inHand
        self.updatedAt = updatedAt
    }

    /// The lease of its owner.
    public var lease: PartitionLease? { owner.map { PartitionLease(owner: $0, fence: fence) } }
}

extension EventStoreError {
    public static func checkpointMoved(_ consumer: String) -> EventStoreError {
        EventStoreError(
            .checkpointMoved, "The checkpoint of \(consumer) has changed since it was read. Read it again.")
    }
}
