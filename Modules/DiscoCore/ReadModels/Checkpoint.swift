public import Foundation

/// How far a consumer has come: everything at or below `position` is done or held.
public struct Checkpoint: Hashable, Codable, Sendable {
    public var position: Position
    /// The event at `position`: where it is another one, this is not the history the consumer has seen.
    public var eventID: UUID?
    /// The store it reads from; nil before the first event.
    public var store: StoreIdentity?

    public init(position: Position = .start, eventID: UUID? = nil, store: StoreIdentity? = nil) {
        self.position = position
        self.eventID = eventID
        self.store = store
    }

    /// Before everything: that of a consumer nobody knows.
    public static let start = Checkpoint()
}

/// An event that waits: it is tried again at `retryAt`, and later events of its stream wait behind it.
public struct HeldEvent: Hashable, Sendable {
    public var position: Position
    public var stream: StreamID
    public var attempts: Int
    /// Nil for one that waits behind another.
    public var retryAt: Date?
    /// Any text: a NUL in it becomes `␀`, and what is beyond 2000 bytes is left out.
    public var reason: String {
        didSet { reason = Self.storable(reason) }
    }

    public init(position: Position, stream: StreamID, attempts: Int, retryAt: Date?, reason: String) {
        self.position = position
        self.stream = stream
        self.attempts = attempts
        self.retryAt = retryAt
        self.reason = Self.storable(reason)
    }

    /// As every database takes it: reasons are whatever an error says.
    private static func storable(_ reason: String) -> String {
        if reason.utf8.count <= 2000, !reason.utf8.contains(0) { return reason }
        return reason.cut(to: 2000) { $0 == "\0" ? "␀" : $0 }
    }
}

/// One step of a consumer, from the checkpoint it read to the one it has reached.
public struct ConsumerStep: Hashable, Sendable {
    public var consumer: String
    /// What the consumer believes is stored; where it is not, the step is refused with
    /// ``EventStoreError/Code/checkpointMoved``.
    public var from: Checkpoint
    public var to: Checkpoint
    /// Events held from now on. One at or below `from` was held before, with an attempt less; where it is not, the step
    /// is refused like one from another checkpoint, for somebody else has tried it meanwhile.
    public var hold: [HeldEvent]
    /// Positions of events that were held and are done; where one is not held any more, the step is refused likewise.
    public var release: [Position]

    public init(
        consumer: String, from: Checkpoint, to: Checkpoint, hold: [HeldEvent] = [], release: [Position] = []
    ) {
        self.consumer = consumer
        self.from = from
        self.to = to
        self.hold = hold
        self.release = release
    }
}

extension ConsumerStep {
    /// Refuses a step backwards, and a name that no store takes.
    package func check() throws {
        try NameCheck.argument.check(consumer: consumer)
        guard to.position >= from.position else {
            throw EventStoreError(
                .checkpointMoved,
                "The checkpoint of \(consumer) only moves forward, not from \(from.position) to \(to.position). "
                    + "Reset the consumer to begin anew.")
        }
    }
}

extension EventStoreError {
    package static func checkpointMoved(_ consumer: String) -> EventStoreError {
        EventStoreError(
            .checkpointMoved, "The checkpoint of \(consumer) was moved by someone else. Read it again.")
    }
}
