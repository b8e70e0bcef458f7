import DiscoCore
import Foundation

/// Decides which appends may share a transaction: those whose outcomes do not depend on each other.
///
/// A pure state machine. A batch ends before an append that touches a stream already in the batch, repeats an id or
/// key, or has a condition that matches an event of the batch. Appends may share a stream only if none of them expects
/// anything of it.
struct Batcher {
    static let mostAppends = 512
    static let mostBytes = 4 << 20

    /// The number of events after which the batch takes no more appends.
    private let share: Int
    private(set) var count = 0
    private var events = 0
    private var bytes = 0
    private var appends: [Append] = []
    private var ids: Set<UUID> = []
    private var keys: Set<ExactText> = []
    /// For each stream of the batch, whether an append expects something of it.
    private var streams: [StreamID: Bool] = [:]

    init(events share: Int = .max) { self.share = share }

    /// Adds the append; returns false if it must wait for the next batch.
    mutating func admit(_ append: Append) -> Bool {
        let size = append.events.reduce(0) { $0 + $1.payload.bytes.count + 200 }
        guard
            count == 0
                || (count < Self.mostAppends && events < share && bytes + size <= Self.mostBytes
                    && isIndependent(append))
        else { return false }
        count += 1
        events += append.weight
        bytes += size
        appends.append(append)
        if let key = append.key { keys.insert(ExactText(key.key)) }
        for event in append.events {
            ids.insert(event.id)
            if streams[event.stream] == nil { streams[event.stream] = false }
        }
        for (stream, expected) in append.expect where expected != .any || streams[stream] == nil {
            streams[stream] = expected != .any
        }
        return true
    }

    private func isIndependent(_ append: Append) -> Bool {
        if let key = append.key, keys.contains(ExactText(key.key)) { return false }
        for event in append.events {
            if ids.contains(event.id) { return false }
            if let demanding = streams[event.stream], demanding || isDemanding(append, event.stream) { return false }
        }
        for (stream, expected) in append.expect {
            if let demanding = streams[stream], demanding || expected != .any { return false }
        }
        if let query = append.condition?.query, appends.contains(where: { $0.events.contains(where: query.matches) }) {
            return false
        }
        return true
    }

    private func isDemanding(_ append: Append, _ stream: StreamID) -> Bool {
        append.expect[stream].map { $0 != .any } ?? false
    }
}

extension Append {
    /// The append's size for dividing batches: an append without events counts as one.
    var weight: Int { max(1, events.count) }
}
