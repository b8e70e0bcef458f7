import DiscoCore
import Foundation

/// The held streams of a partition, and what one step changes about them.
///
/// A pure state machine. An event that failed holds its stream: later events wait behind it, so none is skipped. The
/// plan outlives its step, so what was stored need not be read again.
struct StepPlan {
    private var held: [StreamID: HeldStream] = [:]
    /// The streams that the store has as held.
    private var inStore: Set<StreamID> = []
    /// Streams that the step holds anew or differently.
    private var changed: Set<StreamID> = []
    /// Held streams that the step releases.
    private var released: Set<StreamID> = []
    /// Streams that are not tried before this time, which is not stored.
    private var postponed: [StreamID: Date] = [:]

    init(held: [HeldStream] = []) {
        for stream in held { self.held[stream.stream] = stream }
        inStore = Set(self.held.keys)
    }

    /// What the step stores.
    var hold: [HeldStream] { changed.compactMap { held[$0] }.sorted { $0.first < $1.first } }
    var release: [StreamID] { released.intersection(inStore).sorted { $0.name < $1.name } }
    var isUnchanged: Bool { changed.isEmpty && released.isEmpty }
    var streams: some Collection<HeldStream> { held.values }

    /// Clears the step's changes once they are stored: the next step begins.
    mutating func stored() {
        inStore.subtract(released)
        inStore.formUnion(changed)
        changed = []
        released = []
    }

    /// How many streams are held, except the given ones.
    func count(without streams: some Collection<StreamID>) -> Int {
        held.count - streams.count { held[$0] != nil }
    }

    func holds(_ stream: StreamID) -> Bool { held[stream] != nil }

    func stream(_ stream: StreamID) -> HeldStream? { held[stream] }

    func attempts(at position: Position, of stream: StreamID) -> Int {
        held[stream].flatMap { $0.first == position ? $0.attempts : nil } ?? 0
    }

    /// When the next held stream is due; `nil` if none is retried by itself.
    var nextRetry: Date? { held.values.compactMap(due).min() }

    /// The streams that are due, the earliest event first.
    func due(at now: Date) -> [HeldStream] {
        held.values.filter { due($0).map { $0 <= now } ?? false }.sorted { $0.first < $1.first }
    }

    /// The stream to try while the consumer is paused: the one whose retry comes next.
    var probe: HeldStream? {
        held.values.filter { due($0) != nil }
            .min { (due($0) ?? .distantFuture, $0.first) < (due($1) ?? .distantFuture, $1.first) }
    }

    private func due(_ stream: HeldStream) -> Date? {
        if stream.isParked { return nil }
        return max(stream.retryAt ?? .distantPast, postponed[stream.stream] ?? .distantPast)
    }

    /// Tries a parked stream once more; if that fails, it is parked again.
    mutating func unpark(_ stream: HeldStream, at now: Date) {
        var stream = stream
        stream.parkedAt = nil
        stream.retryAt = now
        set(stream)
    }

    /// Postpones a stream, without storing that.
    mutating func postpone(_ stream: StreamID, until date: Date) { postponed[stream] = date }

    /// A new event waits behind another of its stream.
    mutating func wait(_ event: Recorded) {
        held[event.stream]?.through = event.position
        changed.insert(event.stream)
    }

    /// The held events of a stream are done up to `rest`, the position from which more of them wait, or altogether.
    mutating func done(_ stream: HeldStream, rest: Position?, at now: Date) {
        if let rest {
            set(HeldStream(stream.stream, first: rest, through: max(rest, stream.through), retryAt: now))
        } else {
            held[stream.stream] = nil
            changed.remove(stream.stream)
            released.insert(stream.stream)
        }
        postponed[stream.stream] = nil
    }

    /// Holds an event's stream, or goes on holding it; the events before this one are done.
    mutating func hold(_ event: Recorded, _ change: (inout HeldStream) -> Void) {
        var stream = held[event.stream] ?? HeldStream(event.stream, first: event.position)
        if stream.first != event.position {
            stream = HeldStream(event.stream, first: event.position, through: max(event.position, stream.through))
        }
        change(&stream)
        set(stream)
    }

    private mutating func set(_ stream: HeldStream) {
        held[stream.stream] = stream
        changed.insert(stream.stream)
        released.remove(stream.stream)
    }
}
