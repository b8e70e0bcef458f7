import DiscoCore
import Foundation

/// What one step of a consumer does with its events: which are due, and what is written down about those that are not
/// done.
///
/// A pure state machine. A held event holds its stream: whatever comes later in it waits behind it, so none is jumped
/// over.
struct Batch {
    /// The events that wait, by stream, in order of position.
    private var waiting: [StreamID: [HeldEvent]] = [:]
    private(set) var hold: [HeldEvent] = []
    private(set) var release: [Position] = []

    init(held: [HeldEvent]) {
        for event in held { waiting[event.stream, default: []].append(event) }
    }

    var isEmpty: Bool { waiting.isEmpty }

    /// When the next event that waits is due.
    var nextRetry: Date? { waiting.values.compactMap { $0.first?.retryAt ?? .distantPast }.min() }

    /// Streams whose first waiting event is due.
    func due(at now: Date) -> [[HeldEvent]] {
        waiting.values.filter { ($0.first?.retryAt ?? .distantPast) <= now }
            .sorted { ($0.first?.position ?? .start) < ($1.first?.position ?? .start) }
    }

    /// Looks at a stream again later; nothing is written down about that.
    mutating func postpone(_ stream: StreamID, until date: Date) { waiting[stream]?[0].retryAt = date }

    func holds(_ stream: StreamID) -> Bool { waiting[stream] != nil }

    /// The first waiting event of its stream is done.
    mutating func done(_ event: HeldEvent) {
        release.append(event.position)
        hold.removeAll { $0.position == event.position }
        waiting[event.stream]?.removeFirst()
        if waiting[event.stream]?.isEmpty == true { waiting[event.stream] = nil }
    }

    /// The first waiting event of its stream failed again.
    mutating func failed(_ event: HeldEvent, retryAt: Date, reason: String) {
        var event = event
        event.attempts += 1
        event.retryAt = retryAt
        event.reason = reason
        waiting[event.stream]?[0] = event
        hold.removeAll { $0.position == event.position }
        hold.append(event)
    }

    /// A new event failed.
    mutating func failed(_ event: Recorded, retryAt: Date, reason: String) {
        add(HeldEvent(position: event.position, stream: event.stream, attempts: 1, retryAt: retryAt, reason: reason))
    }

    /// A new event waits behind another of its stream.
    mutating func wait(_ event: Recorded) {
        add(
            HeldEvent(
                position: event.position, stream: event.stream, attempts: 0, retryAt: nil,
                reason: "waits behind an earlier event of its stream"))
    }

    private mutating func add(_ event: HeldEvent) {
        waiting[event.stream, default: []].append(event)
        hold.append(event)
    }
}
