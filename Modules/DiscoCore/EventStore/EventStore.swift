public import Foundation

/// The requirements of an event store. Adapters implement this protocol; applications use ``EventStoreClient``.
///
/// Every store gives the guarantees that the conformance suite of DiscoTesting checks: one total order, atomic appends,
/// exactly-once recording by event id, and reads that never miss an event at or below a position they have passed.
public protocol EventStore: Sendable {
    /// Records all of `append` or nothing.
    ///
    /// - Throws: ``VersionConflict``, ``ConditionFailed``, ``DuplicateEvent``, ``IdempotencyConflict``,
    ///   ``StreamDeleted``, ``OutcomeUnknown``, or ``EventStoreError``. After any of them but ``OutcomeUnknown``,
    ///   nothing was recorded.
    func append(_ append: Append) async throws -> Appended

    /// Reads one page in one short transaction.
    func page(_ read: Read) async throws -> Page

    /// Returns when there may be events beyond `position`: immediately if there are, otherwise when woken.
    func wait(beyond position: Position) async throws

    /// The identity of this store.
    func identity() async throws -> StoreIdentity

    /// The optional features of this store.
    var abilities: StoreAbilities { get }

    /// What the store was opened with: time, ids, randomness and logger, which its client, orchestrator and consumers
    /// use too.
    ///
    /// A requirement rather than an ability, because it is set once for all of them. Defaults to
    /// ``StoreContext/system``.
    var context: StoreContext { get }

    /// Closes the store: pending waits fail, and later calls throw ``EventStoreError/Code/closed``.
    func close() async
}

extension EventStore {
    public var context: StoreContext { .system }
}

/// Identifies a store. After restoring a backup, increment the epoch to make every consumer notice.
public struct StoreIdentity: Hashable, Codable, Sendable {
    public var store: UUID
    public var epoch: Int

    public init(store: UUID, epoch: Int) {
        self.store = store
        self.epoch = epoch
    }
}

/// The optional features of a store. A wrapper passes the whole value on.
public struct StoreAbilities: Sendable {
    public var catalog: (any StreamCatalog)?
    public var deletion: (any StreamDeletion)?
    public var snapshots: (any SnapshotStore)?
    public var verification: (any StoreVerification)?
    public var keys: (any IdempotencyKeyStore)?
    public var counting: (any EventCounting)?
    public var load: (any LoadReporting)?

    public init(
        catalog: (any StreamCatalog)? = nil, deletion: (any StreamDeletion)? = nil,
        snapshots: (any SnapshotStore)? = nil, verification: (any StoreVerification)? = nil,
        keys: (any IdempotencyKeyStore)? = nil, counting: (any EventCounting)? = nil,
        load: (any LoadReporting)? = nil
    ) {
        self.catalog = catalog
        self.deletion = deletion
        self.snapshots = snapshots
        self.verification = verification
        self.keys = keys
        self.counting = counting
        self.load = load
    }
}

/// Looks up streams and single events.
public protocol StreamCatalog: Sendable {
    /// Lists readable streams, sorted by the bytes of their names, starting after `after`.
    func streams(category: String?, prefix: String?, after: StreamID?, limit: Int) async throws -> [StreamInfo]

    /// The event with this id, or `nil` if there is none or it was deleted.
    func event(_ id: UUID) async throws -> RecordedEvent?
}

public struct StreamInfo: Hashable, Codable, Sendable {
    public var stream: StreamID
    /// The version of the stream's last event.
    public var version: Int

    public init(stream: StreamID, version: Int) {
        self.stream = stream
        self.version = version
    }
}
