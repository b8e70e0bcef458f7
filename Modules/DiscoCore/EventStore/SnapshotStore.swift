/// Keeps folded states, so that a long stream need not be folded from its first event. Losing one costs time, never
/// correctness.
public protocol SnapshotStore: Sendable {
    /// Nil where there is none.
    func snapshot(_ key: SnapshotKey) async throws -> Snapshot?

    /// Keeps a snapshot; where a newer one of its key is there already, that one stays. One of an event that is not
    /// there, or was erased, is not kept: what was erased must not come back.
    func save(_ snapshot: Snapshot) async throws

    func delete(_ key: SnapshotKey) async throws
}

/// What a snapshot is found by: another shape of the state, or another `apply`, never gets to see it.
public struct SnapshotKey: Hashable, Sendable {
    public var stream: StreamID
    /// That of the state's type.
    public var name: String
    /// Stands for the state's shape, and for the version its author gave it.
    public var fingerprint: String

    public init(stream: StreamID, name: String, fingerprint: String) {
        self.stream = stream
        self.name = name
        self.fingerprint = fingerprint
    }
}

/// A state as it was after one version of its stream.
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
