public import Foundation

/// An event that waits: it is tried again at `retryAt`, and later events of its stream wait behind it.
public struct HeldEvent: Hashable, Sendable {
    public var position: Position
    public var stream: StreamID
    public var attempts: Int
    /// Nil for one that waits behind another, and for one that is parked.
    public var retryAt: Date?
    /// When it was set aside until somebody decides about it; nil for one that is tried again by itself.
    public var parkedAt: Date?
    /// Any text: a NUL in it becomes `␀`, and what is beyond 2000 bytes is left out.
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

    /// As every database takes it: reasons are whatever an error says.
    private static func storable(_ reason: String) -> String {
        if reason.utf8.count <= 2000, !reason.utf8.contains(0) { return reason }
        return reason.cut(to: 2000) { $0 == "\0" ? "␀" : $0 }
    }
}
