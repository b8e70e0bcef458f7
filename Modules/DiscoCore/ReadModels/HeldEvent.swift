public import Foundation

/// An event that a consumer holds: it is retried at `retryAt`, and later events of its stream wait behind it.
public struct HeldEvent: Hashable, Sendable {
    public var position: Position
    public var stream: StreamID
    public var attempts: Int
    /// `nil` for an event that waits behind another, and for one that is parked.
    public var retryAt: Date?
    /// When it was parked until someone decides about it; `nil` for an event that is retried automatically.
    public var parkedAt: Date?
    /// Why it is held, as any text: NUL becomes `␀`, and text beyond 2000 bytes is left out.
    public var reason: String {
        didSet { reason = Self.storable(reason) }
    }

    public init(
        position: Position, stream: StreamID, attempts: Int, retryAt: Date?, parkedAt: Date? = nil, reason: String
    ) {
        self.position = position
        self.stream = stream
        self.attempts = attempts
        self.retryAt = retryAt
        self.parkedAt = parkedAt
        self.reason = Self.storable(reason)
    }

    /// Makes a reason acceptable to every database, because it may be the text of any error.
    private static func storable(_ reason: String) -> String {
        if reason.utf8.count <= 2000, !reason.utf8.contains(0) { return reason }
        return reason.cut(to: 2000) { $0 == "\0" ? "␀" : $0 }
    }
}
