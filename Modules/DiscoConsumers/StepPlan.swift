import DiscoCore
import Foundation

/// The held events of a consumer, and what one step does about them: which are due, and what is stored about those that
/// are not done.
///
/// A pure state machine. A held event holds its stream: later events wait behind it, so none is skipped. The plan
/// outlives its step, so what was stored need not be read again.
struct StepPlan {
    /// The held events, by stream, in order of position.
    private var waiting: [StreamID: [HeldEvent]] = [:]
    /// What this step holds, and what it releases.
    private(set) var hold: [HeldEvent] = []
    private(set) var release: [Position] = []

    init(held: [HeldEvent] = []) {
        for event in held { waiting[event.stream, default: []].append(event) }
    }

    var isEmpty: Bool { waiting.isEmpty }

    /// Clears the step's changes once they are stored: the next step begins.
    mutating func stored() {
        hold = []
        release = []
    }

    /// How many events are held, except those of the given streams.
    func count(without streams: some Collection<StreamID>) -> Int {
        waiting.values.reduce(0) { $0 + $1.count } - streams.reduce(0) { $0 + (waiting[$1]?.count ?? 0) }
    }

    /// When the next held event is due; `nil` if none is retried automatically.
    var nextRetry: Date? { waiting.values.compactMap(\.first).filter { $0.parkedAt == nil }.map(\.due).min() }

    /// The held events of each stream whose first one is due, the earliest first.
    func due(at now: Date) -> [[HeldEvent]] {
        waiting.values.filter { events in events.first.map { $0.parkedAt == nil && $0.due <= now } ?? false }
            .sorted { ($0.first?.position ?? .start) < ($1.first?.position ?? .start) }
    }

    /// Postpones a stream, without storing that.
    mutating func postpone(_ stream: StreamID, until date: Date) { waiting[stream]?[0].retryAt = date }

    func holds(_ stream: StreamID) -> Bool { waiting[stream] != nil }

    /// The first held event of its stream is done.
    mutating func done(_ event: HeldEvent) {
        release.append(event.position)
        hold.removeAll { $0.position == event.position }
        waiting[event.stream]?.removeFirst()
        if waiting[event.stream]?.isEmpty == true { waiting[event.stream] = nil }
    }

    /// The first held event of its stream failed again.
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
                reason: "waiting for an earlier event of its stream"))
    }

    private mutating func add(_ event: HeldEvent) {
        waiting[event.stream, default: []].append(event)
        hold.append(event)
    }
}

extension HeldEvent {
    /// An event that waited behind another is due as soon as it is the first.
    fileprivate var due: Date { retryAt ?? .distantPast }
}
