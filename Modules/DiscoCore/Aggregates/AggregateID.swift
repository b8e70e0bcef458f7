public import Foundation

/// What may identify an aggregate: UUIDs, strings and integers do.
public protocol AggregateID: Hashable, Codable, Sendable {
    init?(string: String)
    /// How it stands in a stream's name.
    var string: String { get }
    /// A new one, made from a UUID that nobody else has.
    static func new(from uuid: UUID) -> Self
}

extension UUID: AggregateID {
    public init?(string: String) { self.init(uuidString: string) }
    public var string: String { lowercased }
    public static func new(from uuid: UUID) -> UUID { uuid }
}

extension String: AggregateID {
    public init?(string: String) { self = string }
    public var string: String { self }
    public static func new(from uuid: UUID) -> String { uuid.lowercased }
}

extension Int: AggregateID {
    public init?(string: String) { self.init(string) }
    public var string: String { String(self) }
    /// The 63 bits at the UUID's end, most of them random.
    public static func new(from uuid: UUID) -> Int {
        withUnsafeBytes(of: uuid.uuid) { $0.suffix(8).reduce(0) { $0 << 8 | Int($1) } & .max }
    }
}
