/// When to save a snapshot of an aggregate, so that loading it need not fold its stream from the first event.
///
/// ```swift
/// extension Wallet { static let snapshotPolicy = SnapshotPolicy.every(events: 200).or(.whenFoldingTakes(.milliseconds(20))) }
/// ```
///
/// Most streams are short, and reading fifty events costs about as much as reading a snapshot: measure before you add
/// snapshots.
public struct SnapshotPolicy: Hashable, Sendable {
    private var events: Int?
    private var bytes: Int?
    private var time: Duration?

    /// Saves no snapshots.
    public static let never = SnapshotPolicy()

    /// Saves after this many events, at least 1, since the last snapshot.
    public static func every(events: Int) -> SnapshotPolicy {
        var policy = SnapshotPolicy()
        policy.events = max(1, events)
        return policy
    }

    /// Saves after events whose payloads total this many bytes, at least 1, since the last snapshot.
    public static func every(bytes: Int) -> SnapshotPolicy {
        var policy = SnapshotPolicy()
        policy.bytes = max(1, bytes)
        return policy
    }

    /// Saves after reading and folding the aggregate took this long.
    public static func whenFoldingTakes(_ time: Duration) -> SnapshotPolicy {
        var policy = SnapshotPolicy()
        policy.time = time
        return policy
    }

    /// Saves when either policy is due. If both limit the same thing, the smaller limit applies.
    public func or(_ other: SnapshotPolicy) -> SnapshotPolicy {
        func least<Value: Comparable>(_ one: Value?, _ other: Value?) -> Value? {
            guard let one, let other else { return one ?? other }
            return min(one, other)
        }
        var policy = SnapshotPolicy()
        policy.events = least(events, other.events)
        policy.bytes = least(bytes, other.bytes)
        policy.time = least(time, other.time)
        return policy
    }

    var isNever: Bool { self == .never }

    func isDue(_ unsaved: FoldCost) -> Bool {
        unsaved.events > 0
            && ((events.map { unsaved.events >= $0 } ?? false) || (bytes.map { unsaved.bytes >= $0 } ?? false)
                || (time.map { unsaved.time >= $0 } ?? false))
    }
}

/// The cost of folding an aggregate beyond its last snapshot.
struct FoldCost: Hashable, Sendable {
    var events = 0
    var bytes = 0
    /// The longest time that reading it took.
    var time = Duration.zero
}
