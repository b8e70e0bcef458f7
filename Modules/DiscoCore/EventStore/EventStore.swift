public import Foundation

/// What an event store must be able to do. Made by adapters; people use ``EventStoreClient``.
///
/// Every store keeps the promises that the conformance suite of DiscoTesting checks: one total order, atomic appends,
/// exactly-once by event id, and reading that never misses an event at or below a position it has passed.
public protocol EventStore: Sendable {
    /// Records all of `append` or nothing.
    ///
    /// - Throws: ``VersionConflict``, ``ConditionFailed``, ``DuplicateEvent``, ``IdempotencyConflict``,
    ///   ``StreamDeleted``, ``OutcomeUnknown``, or ``EventStoreError``. After any but ``OutcomeUnknown`` nothing was
    ///   recorded.
    func append(_ append: Append) async throws -> Appended

    /// Reads one page in one short transaction.
    func page(_ read: Read) async throws -> Page

    /// Returns when there may be events beyond `position`: at once where there are, otherwise when woken up.
    func wait(beyond position: Position) async throws

    /// Which store this is.
    func identity() async throws -> StoreIdentity

    /// What this store can do beyond that.
    var abilities: StoreAbilities { get }

    /// What it was opened with: time, ids, randomness and logger, which its client, orchestrator and consumers use too.
    ///
    /// A requirement and no ability, since it is given once for all of them; ``StoreContext/system`` unless stated
    /// otherwise.
    var context: StoreContext { get }

    /// Ends it: what waits fails, later calls throw ``EventStoreError/Code/closed``.
    func close() async
}

extension EventStore {
    public var context: StoreContext { .system }
}

/// Tells one store from another. The epoch is for those who restore a backup and want every consumer to notice: they
/// count it up.
public struct StoreIdentity: Hashable, Codable, Sendable {
    public var store: UUID
    public var epoch: Int

    public init(store: UUID, epoch: Int) {
        self.store = store
        self.epoch = epoch
    }
}

/// What a store can do that not every store must. A wrapper passes the whole value on.
public struct StoreAbilities: Sendable {
    public var catalog: (any StreamCatalog)?
    public var deletion: (any StreamDeletion)?
    public var snapshots: (any SnapshotStore)?
    public var verification: (any StoreVerification)?
    public var keys: (any IdempotencyKeyStore)?
    public var counting: (any EventCounting)?

    public init(
        catalog: (any StreamCatalog)? = nil, deletion: (any StreamDeletion)? = nil,
        snapshots: (any SnapshotStore)? = nil, verification: (any StoreVerification)? = nil,
        keys: (any IdempotencyKeyStore)? = nil, counting: (any EventCounting)? = nil
    ) {
        self.catalog = catalog
        self.deletion = deletion
        self.snapshots = snapshots
        self.verification = verification
        self.keys = keys
        self.counting = counting
    }
}

/// Looks up streams and single events.
public protocol StreamCatalog: Sendable {
    /// Streams that can be read, in the order of their names' bytes, after `after`.
    func streams(category: String?, prefix: String?, after: StreamID?, limit: Int) async throws -> [StreamInfo]

    /// The event with this id, nil where there is none or it was deleted.
    func event(_ id: UUID) async throws -> RecordedEvent?
}

public struct StreamInfo: Hashable, Codable, Sendable {
    public var stream: StreamID
    /// That of its last event.
    public var version: Int

    public init(stream: StreamID, version: Int) {
        self.stream = stream
        self.version = version
    }
}
