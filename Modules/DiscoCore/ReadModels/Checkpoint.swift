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
    public var slices: ClosedRange<Int>

    /// - Parameters:
    ///   - consumer: the name of the consumer.
    ///   - slices: the slices; all of them by default.
    public init(_ consumer: String, slices: ClosedRange<Int> = 0...StreamID.slices - 1) {
        self.consumer = consumer
        self.slices = slices
    }
}

/// What a store records about a partition.
public struct PartitionState: Hashable, Sendable {
    public var partition: ConsumerPartition
    public var checkpoint: Checkpoint
    /// Who works on it; `nil` if nobody has claimed it.
    public var owner: String?
    /// Incremented by each claim; a step with an older fence is refused.
    public var fence: Int

    public init(partition: ConsumerPartition, checkpoint: Checkpoint = .start, owner: String? = nil, fence: Int = 0) {
        self.partition = partition
        self.checkpoint = checkpoint
        self.owner = owner
        self.fence = fence
    }
}

extension EventStoreError {
    public static func checkpointMoved(_ consumer: String) -> EventStoreError {
        EventStoreError(
            .checkpointMoved, "The checkpoint of \(consumer) has changed since it was read. Read it again.")
    }
}
