/// Stores the progress of consumers: all that a policy needs.
public protocol CheckpointStore: LeaseStore {
    /// The partitions of a consumer, or of all consumers if `nil`, ordered by consumer name, generation and slices; empty
    /// for an unknown consumer.
    func partitions(of consumer: String?) async throws -> [PartitionState]

    /// The streams that a partition holds, ordered by their first position.
    func held(by partition: ConsumerPartition) async throws -> [HeldStream]

    /// What is recorded about the consumers, ordered by name.
    func consumers() async throws -> [ConsumerState]

    /// Records that a program is about to run a consumer, and creates its partitions if it has none; of two processes
    /// that do so at once, one does it.
    ///
    /// For a projection with a higher version than the live one, a generation of its own is created. A policy with a
    /// higher version takes over from the lower one, once that has given its partitions back.
    ///
    /// - Parameters:
    ///   - definition: what the program says about the consumer.
    ///   - checkpoint: where the partitions of a new consumer start.
    func define(_ definition: ConsumerDefinition, at checkpoint: Checkpoint) async throws

    /// Stores a step if the checkpoint is still the one it starts from (compare and set).
    ///
    /// It must also complete in a cancelled task, so that processed events are not processed again.
    func save(_ step: ConsumerStep) async throws

    /// Carries out a decision about held streams, with an entry in the audit log for each of them. The owner of their
    /// partition notices it at once.
    ///
    /// - Returns: the streams concerned, as they were before.
    @discardableResult
    func decide(_ decision: HeldDecision) async throws -> [HeldStream]

    /// The audit log of a consumer, the latest entry first.
    func audit(of consumer: String, limit: Int) async throws -> [HeldAudit]

    /// Changes a consumer.
    ///
    /// - Throws: ``EventStoreError`` with code ``EventStoreError/Code/unknownConsumer``, or
    ///   ``EventStoreError/Code/invalidArgument`` if the change is not possible, with the reason.
    func administer(_ consumer: String, _ action: ConsumerAction) async throws

    /// The changes that others make to consumers: claims, releases, decisions and resets, but not steps.
    func changes() -> ConsumerChanges
}

/// A store that knows how far the consumers of this process have come.
package protocol ProgressKeeping {
    var consumerProgress: ConsumerProgress { get }
}

extension CheckpointStore {
    /// How far the consumers of this process have come; `nil` if the store does not keep it.
    package var progress: ConsumerProgress? { (self as? any ProgressKeeping)?.consumerProgress }

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

    /// Empties the tables of a consumer that were created with `\(table:)`, deletes its checkpoints and held streams,
    /// and lets it start over. Unknown consumers are ignored.
    public func reset(_ consumer: String) async throws {
        do {
            try await administer(consumer, .reset)
        } catch let error as EventStoreError where error.code == .unknownConsumer {}
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
