/// Stores snapshots of folded states, so that a long stream need not be folded from its first event. Losing a snapshot
/// costs time, never correctness.
public protocol SnapshotStore: Sendable {
    /// Returns the snapshot, or `nil` if there is none.
    func snapshot(_ key: SnapshotKey) async throws -> Snapshot?

    /// Saves a snapshot, unless there is a newer one with the same key. A snapshot at an event that does not exist or
    /// was erased is not saved: erased data must not come back.
    func save(_ snapshot: Snapshot) async throws

    func delete(_ key: SnapshotKey) async throws
}

/// The key of a snapshot. A state with another shape or another `apply` never sees the snapshot.
public struct SnapshotKey: Hashable, Sendable {
    public var stream: StreamID
    /// The name of the state's type.
    public var name: String
    /// Identifies the shape of the state and the version its author gave it.
    public var fingerprint: String

    public init(stream: StreamID, name: String, fingerprint: String) {
        self.stream = stream
        self.name = name
        self.fingerprint = fingerprint
    }
}

/// A folded state at one version of its stream.
public struct Snapshot: Hashable, Sendable {
    public var key: SnapshotKey
    public var version: Int
    public var state: JSONText

    public init(key: SnapshotKey, version: Int, state: JSONText) {
        self.key = key
        self.version = version
        self.state = state
    }
}
