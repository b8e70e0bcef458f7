/// Stores the progress of consumers: all that a policy needs.
public protocol CheckpointStore: Sendable {
    /// The partitions of a consumer, or of all consumers if `nil`, ordered by consumer name and slices; empty for an
    /// unknown consumer.
    func partitions(of consumer: String?) async throws -> [PartitionState]

    /// The held events of a partition, in order of position.
    func held(by partition: ConsumerPartition) async throws -> [HeldEvent]

    /// Stores a step if the checkpoint is still the one it starts from (compare and set).
    ///
    /// It must also complete in a cancelled task, so that processed events are not processed again.
    func save(_ step: ConsumerStep) async throws

    /// Makes `owner` the owner of a partition and increments its fence; steps with an older fence are refused.
    func claim(_ partition: ConsumerPartition, by owner: String) async throws -> PartitionState

    /// Deletes the checkpoints and held events of a consumer, which then starts over.
    func reset(_ consumer: String) async throws

    /// The changes that others make to consumers: claims and resets, but not steps.
    func changes() -> ConsumerChanges
}

extension CheckpointStore {
    /// The checkpoint of the partition that is furthest behind; ``Checkpoint/start`` for an unknown consumer.
    public func checkpoint(of consumer: String) async throws -> Checkpoint {
        try await partitions(of: consumer).map(\.checkpoint).min { $0.position < $1.position } ?? .start
    }

    /// All held events of a consumer, in order of position.
    public func held(by consumer: String) async throws -> [HeldEvent] {
        try await held(by: ConsumerPartition(consumer))
    }

    /// The names of all consumers that have a checkpoint, sorted.
    public func consumers() async throws -> [String] {
        var names: [String] = []
        for state in try await partitions(of: nil) where names.last != state.partition.consumer {
            names.append(state.partition.consumer)
        }
        return names
    }

    /// Reports no changes: a caller that waits for them must also poll.
    public func changes() -> ConsumerChanges {
        ConsumerChanges { seen in seen < 0 ? 0 : try await Waiter<Int64>().value() }
    }
}

/// Changes to the stored state of consumers: each element means at least one change since the previous element. The
/// sequence is pulled, so changes that come while nobody waits become one element.
public struct ConsumerChanges: AsyncSequence, Sendable {
    private let next: @Sendable (Int64) async throws -> Int64

    /// - Parameter next: returns the store's change count once it exceeds the given one.
    public init(next: @escaping @Sendable (Int64) async throws -> Int64) { self.next = next }

    public func makeAsyncIterator() -> Iterator { Iterator(wait: next) }

    public struct Iterator: AsyncIteratorProtocol, Sendable {
        fileprivate let wait: @Sendable (Int64) async throws -> Int64
        private var seen: Int64 = -1

        fileprivate init(wait: @escaping @Sendable (Int64) async throws -> Int64) { self.wait = wait }

        /// The first element comes at once, because earlier changes have not been seen yet.
        @discardableResult
        public mutating func next() async throws -> Void? {
            seen = try await wait(seen)
            return ()
        }
    }
}
