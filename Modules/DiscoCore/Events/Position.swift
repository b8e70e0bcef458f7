/// A position in the store's total order: 1 for the first event, 0 before it.
///
/// A reader that has read up to a position never later finds an event at or below it.
public struct Position: RawRepresentable, Hashable, Comparable, Sendable {
    public let rawValue: Int64

    public init(rawValue: Int64) { self.rawValue = rawValue }

    /// Before every event.
    public static let start = Position(rawValue: 0)

    public static func < (one: Position, other: Position) -> Bool { one.rawValue < other.rawValue }
}

extension Position: ExpressibleByIntegerLiteral, CustomStringConvertible, Codable {
    public init(integerLiteral value: Int64) { self.init(rawValue: value) }
    public var description: String { String(rawValue) }
    public init(from decoder: any Decoder) throws { self.init(rawValue: try Int64(from: decoder)) }
    public func encode(to encoder: any Encoder) throws { try rawValue.encode(to: encoder) }
}
