public import DiscoCore
public import Foundation

/// Makes recorded events without a store, for testing projections and policies.
///
/// It assigns positions, versions and times as a store does; the times are one second apart.
///
/// ```swift
/// var events = EventBuilder()
/// let created = try events.record(Wallet.Event.walletCreated(userID: user, balance: 5), in: "wallet-1")
/// let deposited = events.record("MoneyDeposited", #"{"amount":5}"#, in: "wallet-1")  // position 2, version 2
/// ```
public struct EventBuilder: Sendable {
    /// All events made so far.
    public private(set) var events: [RecordedEvent] = []
    private var versions: [StreamID: Int] = [:]
    private let start: Date

    public init(start: Date = Date(timeIntervalSince1970: 1_700_000_000)) { self.start = start }

    /// Records an event of an aggregate.
    @discardableResult
    public mutating func record(
        _ event: some DomainEvent, in stream: StreamID, metadata: Metadata = .none
    ) throws -> RecordedEvent {
        record(try event.recorded(in: stream, metadata: metadata))
    }

    /// Records an event by its type and payload.
    @discardableResult
    public mutating func record(
        _ type: String, _ payload: JSONText = "{}", in stream: StreamID, metadata: Metadata = .none,
        tags: [EventTag] = []
    ) -> RecordedEvent {
        record(NewEvent(stream: stream, type: type, payload: payload, metadata: metadata, tags: tags))
    }

    @discardableResult
    public mutating func record(_ event: NewEvent) -> RecordedEvent {
        versions[event.stream, default: 0] += 1
        let recorded = RecordedEvent(
            position: Position(rawValue: Int64(events.count) + 1), stream: event.stream,
            version: versions[event.stream] ?? 1, id: event.id, type: event.type, typeVersion: event.typeVersion,
            payload: event.payload, metadata: event.metadata, tags: event.tags,
            recordedAt: start.addingTimeInterval(Double(events.count)))
        events.append(recorded)
        return recorded
    }
}
