/// When the folded state of an aggregate is kept, so that opening it need not fold its stream from the first event.
///
/// ```swift
/// extension Wallet { static let snapshotPolicy = SnapshotPolicy.every(events: 200).or(.whenFoldingTakes(.milliseconds(20))) }
/// ```
///
/// Most streams are short, and reading fifty events costs about as much as reading a snapshot: keep none until
/// measured.
public struct SnapshotPolicy: Hashable, Sendable {
    private var events: Int?
    private var bytes: Int?
    private var time: Duration?

    /// Keeps none.
    public static let never = SnapshotPolicy()

    /// After so many events, at least 1, since the last one.
    public static func every(events: Int) -> SnapshotPolicy {
        var policy = SnapshotPolicy()
        policy.events = max(1, events)
        return policy
    }

    /// After events whose payloads have so many bytes together, at least 1, since the last one.
    public static func every(bytes: Int) -> SnapshotPolicy {
        var policy = SnapshotPolicy()
        policy.bytes = max(1, bytes)
        return policy
    }

    /// After the aggregate took so long to read and fold.
    public static func whenFoldingTakes(_ time: Duration) -> SnapshotPolicy {
        var policy = SnapshotPolicy()
        policy.time = time
        return policy
    }

    /// Whichever comes first. Where both speak of the same, the smaller counts.
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

/// What folding an aggregate anew would cost beyond its last snapshot.
struct FoldCost: Hashable, Sendable {
    var events = 0
    var bytes = 0
    /// The longest that reading it has taken.
    var time = Duration.zero
}
