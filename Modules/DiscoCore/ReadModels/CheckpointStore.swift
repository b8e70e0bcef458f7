/// Stores the progress of consumers: all that a policy needs.
public protocol CheckpointStore: LeaseStore {
    /// The partitions of a consumer, or of all consumers if `nil`, ordered by consumer name, version and slices; empty
    /// for an unknown consumer.
    func partitions(of consumer: String?) async throws -> [PartitionState]

    /// The streams that a partition holds, ordered by their first position.
    func held(by partition: ConsumerPartition) async throws -> [HeldStream]

    /// Creates the partitions of a consumer that has none; of two processes that do so at once, one does it.
    ///
    /// - Parameters:
    ///   - count: the number of partitions.
    ///   - checkpoint: where all of them start.
    /// - Returns: the partitions of the consumer, which may have existed before.
    func define(
        _ consumer: String, partitions count: Int, at checkpoint: Checkpoint
    ) async throws -> [PartitionState]

    /// Stores a step if the checkpoint is still the one it starts from (compare and set).
    ///
    /// It must also complete in a cancelled task, so that processed events are not processed again.
    func save(_ step: ConsumerStep) async throws

    /// Carries out a decision about held streams, with an entry in the audit log for each of them. The owner of their
    /// partition notices it at once.
    ///
    /// - Returns: the streams concerned, as they were before.
    func decide(_ decision: HeldDecision) async throws -> [HeldStream]

    /// The audit log of a consumer, the latest entry first.
    func audit(of consumer: String, limit: Int) async throws -> [HeldAudit]

    /// Deletes the checkpoints and held streams of a consumer, which then starts over.
    func reset(_ consumer: String) async throws

    /// The changes that others make to consumers: claims, releases, decisions and resets, but not steps.
    func changes() -> ConsumerChanges
}

extension CheckpointStore {
    /// The checkpoint of the partition that is furthest behind; ``Checkpoint/start`` for an unknown consumer.
    public func checkpoint(of consumer: String) async throws -> Checkpoint {
        try await partitions(of: consumer).filter(\.isLive).map(\.checkpoint).min { $0.position < $1.position }
            ?? .start
    }

    /// All streams that a consumer holds, ordered by their first position.
    public func held(by consumer: String) async throws -> [HeldStream] {
        var held: [HeldStream] = []
        for state in try await partitions(of: consumer) where state.isLive {
            held += try await self.held(by: state.partition)
        }
        return held.sorted { $0.first < $1.first }
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
