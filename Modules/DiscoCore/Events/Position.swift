/// A place in a store's one total order: 1 for the first event, 0 for the place before it.
///
/// Whoever has read up to a position will never later find an event at or below it.
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
