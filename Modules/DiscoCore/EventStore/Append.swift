public import Foundation

/// What is recorded atomically: all of it, contiguous and in this order, or nothing.
public struct Append: Hashable, Sendable {
    /// In the order in which they are recorded; streams may mix.
    public var events: [NewEvent]
    /// Checked against the state before the append, also for streams that it does not write.
    public var expect: [StreamID: ExpectedVersion]
    public var condition: AppendCondition?
    public var key: IdempotencyKey?

    public init(
        _ events: [NewEvent], expect: [StreamID: ExpectedVersion] = [:], condition: AppendCondition? = nil,
        key: IdempotencyKey? = nil
    ) {
        self.events = events
        self.expect = expect
        self.condition = condition
        self.key = key
    }
}

/// What a stream must be like for an append to be recorded, as readers see it: one that was erased does not exist.
public enum ExpectedVersion: Hashable, Sendable {
    case any
    case noStream
    case streamExists
    case exactly(Int)

    /// Whether a stream whose last version is `version` (0: there is none) is as expected.
    public func allows(_ version: Int) -> Bool {
        switch self {
        case .any: true
        case .noStream: version == 0
        case .streamExists: version > 0
        case .exactly(let expected): version == expected
        }
    }
}

/// Refuses an append where an event that matches `query` was recorded after `after`: the boundary of a decision that
/// spans streams. `after` is the `through` of the page that the decision was made on.
public struct AppendCondition: Hashable, Sendable {
    public var query: EventQuery
    public var after: Position

    public init(noneMatch query: EventQuery, after: Position = .start) {
        self.query = query
        self.after = after
    }
}

/// Makes an append, or a command, take effect once however often it is sent.
public struct IdempotencyKey: Hashable, Sendable {
    /// Chosen by the caller; at most 255 bytes.
    public var key: String
    /// Stands for the content: the same key with another fingerprint is refused.
    public var fingerprint: String

    public init(_ key: String, fingerprint: String) {
        self.key = key
        self.fingerprint = fingerprint
    }
}

/// What was recorded.
public struct Appended: Hashable, Sendable {
    public struct Event: Hashable, Sendable {
        public let id: UUID
        public let stream: StreamID
        public let version: Int
        public let position: Position

        public init(id: UUID, stream: StreamID, version: Int, position: Position) {
            self.id = id
            self.stream = stream
            self.version = version
            self.position = position
        }
    }

    /// One for each event of the append, in its order.
    public let events: [Event]
    /// True where this append, or one with its key, had been recorded before, and nothing was stored now.
    public let repeated: Bool

    public init(events: [Event], repeated: Bool = false) {
        self.events = events
        self.repeated = repeated
    }

    public var first: Position? { events.first?.position }
    public var last: Position? { events.last?.position }

    /// The version of the stream after this append, nil where it was not written.
    public func version(of stream: StreamID) -> Int? { events.last { $0.stream == stream }?.version }
}
