/// Remembers how far consumers have come: all that a policy needs.
public protocol CheckpointStore: Sendable {
    /// The partitions of a consumer, or of all where it is nil, in the order of consumers' names and slices; none for a
    /// consumer that nobody knows.
    func partitions(of consumer: String?) async throws -> [PartitionState]

    /// The events of a partition that wait, in order of position.
    func held(by partition: ConsumerPartition) async throws -> [HeldEvent]

    /// Stores a step, if the checkpoint is still the one it begins from (compare and set).
    ///
    /// It is called in a task that was cancelled too, and does its work all the same: what was processed is not to be
    /// processed again.
    func save(_ step: ConsumerStep) async throws

    /// Makes `owner` the one who works on a partition and counts its fence up: steps under an older fence are refused.
    func claim(_ partition: ConsumerPartition, by owner: String) async throws -> PartitionState

    /// Forgets the checkpoints and what is held: the consumer starts anew.
    func reset(_ consumer: String) async throws

    /// What others have changed about consumers: a claim, a reset. Not the steps of consumers.
    func changes() -> ConsumerChanges
}

extension CheckpointStore {
    /// That of the partition that is furthest behind; ``Checkpoint/start`` for a consumer nobody knows.
    public func checkpoint(of consumer: String) async throws -> Checkpoint {
        try await partitions(of: consumer).map(\.checkpoint).min { $0.position < $1.position } ?? .start
    }

    /// All events of a consumer that wait, in order of position.
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

    /// None: whoever waits for them looks again by itself.
    public func changes() -> ConsumerChanges {
        ConsumerChanges { seen in seen < 0 ? 0 : try await Waiter<Int64>().value() }
    }
}

/// Changes to what is stored of consumers, as they come: each element says that there was at least one since the element
/// before. Pulled, so that changes that come while nobody waits are one.
public struct ConsumerChanges: AsyncSequence, Sendable {
    private let next: @Sendable (Int64) async throws -> Int64

    /// - Parameter next: returns the store's count of changes once it is beyond the one given.
    public init(next: @escaping @Sendable (Int64) async throws -> Int64) { self.next = next }

    public func makeAsyncIterator() -> Iterator { Iterator(wait: next) }

    public struct Iterator: AsyncIteratorProtocol, Sendable {
        fileprivate let wait: @Sendable (Int64) async throws -> Int64
        private var seen: Int64 = -1

        fileprivate init(wait: @escaping @Sendable (Int64) async throws -> Int64) { self.wait = wait }

        /// The first comes at once: nobody has seen yet what was changed before.
        @discardableResult
        public mutating func next() async throws -> Void? {
            seen = try await wait(seen)
            return ()
        }
    }
}
