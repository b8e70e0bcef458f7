/// A label on an event by which queries and append conditions find it, for example `course:algebra`.
///
/// At most 255 bytes; tags beginning with `$` are reserved.
public struct EventTag: Hashable, Sendable {
    public let name: String

    public init(_ name: String) { self.name = name }

    /// `EventTag("course", "algebra")` is `course:algebra`.
    public init(_ key: String, _ value: some CustomStringConvertible) { name = key + ":" + value.description }
}

extension EventTag: ExpressibleByStringLiteral, CustomStringConvertible, Codable {
    public init(stringLiteral value: String) { self.init(value) }
    public var description: String { name }
    public init(from decoder: any Decoder) throws { self.init(try String(from: decoder)) }
    public func encode(to encoder: any Encoder) throws { try name.encode(to: encoder) }
}

// Compared by bytes, as databases do.
extension EventTag {
    public static func == (one: EventTag, other: EventTag) -> Bool { ExactText.areEqual(one.name, other.name) }
    public func hash(into hasher: inout Hasher) { ExactText.hash(name, into: &hasher) }
}
