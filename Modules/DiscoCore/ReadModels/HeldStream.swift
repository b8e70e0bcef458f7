public import Foundation

/// A stream that a consumer holds, because one of its events failed: later events of the stream wait behind that one,
/// while other streams continue.
///
/// Only positions are stored, never a copy of an event: a retry reads what is recorded.
public struct HeldStream: Hashable, Sendable {
    public var stream: StreamID
    /// The event that failed, or, after it was done, the next one.
    public var first: Position
    /// The last event that waits.
    public var through: Position
    /// How often the first event has failed.
    public var attempts: Int
    /// When it is tried again; `nil` while it is parked.
    public var retryAt: Date?
    /// When it was parked, until somebody decides about it; `nil` while it is retried by itself.
    public var parkedAt: Date?
    /// `nil` if the first event has not failed yet.
    public var failure: HeldFailure?

    public init(
        _ stream: StreamID, first: Position, through: Position? = nil, attempts: Int = 0, retryAt: Date? = nil,
        parkedAt: Date? = nil, failure: HeldFailure? = nil
    ) {
        self.stream = stream
        self.first = first
        self.through = through ?? first
        self.attempts = attempts
        self.retryAt = retryAt
        self.parkedAt = parkedAt
        self.failure = failure
    }

    public var isParked: Bool { parkedAt != nil }
}

/// Why a consumer holds a stream.
public struct HeldFailure: Hashable, Sendable {
    /// The type of the event.
    public var type: String
    /// The error's code in snake case, for example `store_busy`, or the name of its Swift type.
    public var code: String {
        didSet { code = Self.storable(code, 200) }
    }
    /// What happened, as any text: NUL becomes `␀`, and text beyond 2,000 bytes is left out.
    public var reason: String {
        didSet { reason = Self.storable(reason, 2000) }
    }
    /// When the event failed for the first time.
    public var firstAt: Date
    /// When the event failed for the last time.
    public var lastAt: Date
    /// The build of the program in which it failed last.
    public var build: String

    public init(
        type: String = "", code: String = "", reason: String, firstAt: Date, lastAt: Date? = nil, build: String = ""
    ) {
        self.type = type
        self.code = Self.storable(code, 200)
        self.reason = Self.storable(reason, 2000)
        self.firstAt = firstAt
        self.lastAt = lastAt ?? firstAt
        self.build = build
    }

    /// Makes a text acceptable to every database, because it may be that of any error.
    private static func storable(_ text: String, _ most: Int) -> String {
        if text.utf8.count <= most, !text.utf8.contains(0) { return text }
        return text.cut(to: most) { $0 == "\0" ? "␀" : $0 }
    }
}

/// A decision about held streams of a consumer.
public struct HeldDecision: Hashable, Sendable {
    public enum Action: Hashable, Sendable {
        /// Tries the streams again at once, with all attempts before them.
        case retry
        /// Gives up the first event of each stream and goes on with those behind it.
        case discardFirst
        /// Gives up all events that wait; later events of the streams are processed.
        case discardAll
    }

    public var action: Action
    public var consumer: String
    /// Selects streams; all that are held by default.
    public var filter: HeldFilter
    /// Kept in the audit log. To discard something, a reason is required.
    public var reason: String
    /// Who decided, for the audit log.
    public var by: String

    public init(_ action: Action, consumer: String, _ filter: HeldFilter, reason: String = "", by: String = "") {
        self.action = action
        self.consumer = consumer
        self.filter = filter
        self.reason = reason
        self.by = by
    }
}

/// Selects held streams. A stream must match everything that is given.
public struct HeldFilter: Hashable, Sendable {
    public var stream: StreamID?
    /// The type of the event that failed.
    public var type: String?
    /// The code of its error.
    public var code: String?
    /// Only streams whose event failed for the first time before this moment.
    public var failedBefore: Date?
    /// Only parked streams, or only those that are not.
    public var isParked: Bool?

    public init(
        stream: StreamID? = nil, type: String? = nil, code: String? = nil, failedBefore: Date? = nil,
        isParked: Bool? = nil
    ) {
        self.stream = stream
        self.type = type
        self.code = code
        self.failedBefore = failedBefore
        self.isParked = isParked
    }

    public func matches(_ held: HeldStream) -> Bool {
        if let stream, stream != held.stream { return false }
        if let type, !ExactText.areEqual(type, held.failure?.type ?? "") { return false }
        if let code, !ExactText.areEqual(code, held.failure?.code ?? "") { return false }
        if let failedBefore, held.failure.map({ $0.firstAt >= failedBefore }) ?? true { return false }
        return isParked.map { $0 == held.isParked } ?? true
    }
}

/// An entry of the audit log: a decision that was carried out for one stream.
public struct HeldAudit: Hashable, Sendable {
    public var at: Date
    public var action: HeldDecision.Action
    public var consumer: String
    public var stream: StreamID
    /// The first and the last event that it concerned.
    public var positions: ClosedRange<Position>
    public var attempts: Int
    /// The failure that the decision was about.
    public var failure: String
    public var reason: String
    public var by: String

    public init(
        at: Date, action: HeldDecision.Action, consumer: String, stream: StreamID, positions: ClosedRange<Position>,
        attempts: Int, failure: String, reason: String, by: String
    ) {
        self.at = at
        self.action = action
        self.consumer = consumer
        self.stream = stream
        self.positions = positions
        self.attempts = attempts
        self.failure = failure
        self.reason = reason
        self.by = by
    }
}

extension HeldDecision.Action: LosslessStringConvertible {
    public init?(_ description: String) {
        guard let action = [Self.retry, .discardFirst, .discardAll].first(where: { $0.description == description })
        else { return nil }
        self = action
    }

    public var description: String {
        switch self {
        case .retry: "retry"
        case .discardFirst: "discard_first"
        case .discardAll: "discard_all"
        }
    }
}
