public import Foundation

/// A batch of events recorded atomically: all of them, contiguously and in this order, or none.
public struct Append: Hashable, Sendable {
    /// The events in the order in which they are recorded; they may belong to different streams.
    public var events: [NewEvent]
    /// The expected versions of streams before the append, including streams that it does not write to.
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

/// What a stream must be like for an append to be recorded, as readers see it: an erased stream does not exist.
public enum ExpectedVersion: Hashable, Sendable {
    case any
    case noStream
    case streamExists
    case exactly(Int)

    /// Whether a stream whose last version is `version` (0 if it does not exist) is as expected.
    public func allows(_ version: Int) -> Bool {
        switch self {
        case .any: true
        case .noStream: version == 0
        case .streamExists: version > 0
        case .exactly(let expected): version == expected
        }
    }
}

/// Refuses an append if an event that matches `query` was recorded after `after`: the consistency boundary of a
/// decision that spans streams. `after` is the `through` of the page that the decision was based on.
public struct AppendCondition: Hashable, Sendable {
    public var query: EventQuery
    public var after: Position

    public init(noneMatch query: EventQuery, after: Position = .start) {
        self.query = query
        self.after = after
    }
}

/// Makes an append or a command take effect once, however often it is sent.
public struct IdempotencyKey: Hashable, Sendable {
    /// Chosen by the caller; at most 255 bytes.
    public var key: String
    /// Identifies the content: the same key with another fingerprint is refused.
    public var fingerprint: String

    /// What the keys of a policy's commands begin with: `$policy/consumer/event id/command name/number`.
    package static let policyPrefix = "$policy/"

    public init(_ key: String, fingerprint: String) {
        self.key = key
        self.fingerprint = fingerprint
    }
}

/// What an append recorded.
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

    /// One entry for each event of the append, in the same order.
    public let events: [Event]
    /// Whether this append, or one with its key, was already recorded, so that nothing was stored now.
    public let repeated: Bool

    public init(events: [Event], repeated: Bool = false) {
        self.events = events
        self.repeated = repeated
    }

    public var first: Position? { events.first?.position }
    public var last: Position? { events.last?.position }

    /// The version of the stream after this append, or `nil` if the append did not write to it.
    public func version(of stream: StreamID) -> Int? { events.last { $0.stream == stream }?.version }
}
