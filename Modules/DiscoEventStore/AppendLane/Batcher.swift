import DiscoCore
import Foundation

/// Decides which appends may share a transaction: those whose outcomes do not depend on each other.
///
/// A pure state machine. A batch closes before an append that touches a stream which is touched in the batch already,
/// repeats an id or key, or whose condition matches an event of the batch; only appends that expect nothing of a stream may share it.
struct Batcher {
    static let mostAppends = 512
    static let mostBytes = 4 << 20

    private(set) var batch: [Append] = []
    private var bytes = 0
    private var ids: Set<UUID> = []
    private var keys: Set<String> = []
    /// True for streams that something is expected of.
    private var streams: [StreamID: Bool] = [:]

    /// False where the append must wait for the next batch.
    mutating func admit(_ append: Append) -> Bool {
        let size = append.events.reduce(0) { $0 + $1.payload.bytes.count + 200 }
        guard
            batch.isEmpty || (batch.count < Self.mostAppends && bytes + size <= Self.mostBytes && isIndependent(append))
        else { return false }
        batch.append(append)
        bytes += size
        ids.formUnion(append.events.map(\.id))
        if let key = append.key { keys.insert(key.key) }
        for (stream, demanding) in Self.touched(append) { streams[stream] = demanding || (streams[stream] ?? false) }
        return true
    }

    private func isIndependent(_ append: Append) -> Bool {
        if let key = append.key, keys.contains(key.key) { return false }
        if append.events.contains(where: { ids.contains($0.id) }) { return false }
        for (stream, demanding) in Self.touched(append) {
            if let present = streams[stream], present || demanding { return false }
        }
        if let condition = append.condition,
            batch.contains(where: { $0.events.contains(where: condition.query.matches) })
        {
            return false
        }
        return true
    }

    private static func touched(_ append: Append) -> [StreamID: Bool] {
        var touched: [StreamID: Bool] = [:]
        for event in append.events { touched[event.stream] = false }
        for (stream, expected) in append.expect { touched[stream] = expected != .any }
        return touched
    }
}
