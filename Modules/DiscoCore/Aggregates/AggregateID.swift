public import Foundation

/// The id of an aggregate. `UUID`, `String` and `Int` conform.
public protocol AggregateID: Hashable, Codable, Sendable {
    init?(string: String)
    /// The id as it appears in a stream name.
    var string: String { get }
    /// Makes a new id from a unique UUID.
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
    /// Uses the last 63 bits of the UUID, most of which are random.
    public static func new(from uuid: UUID) -> Int {
        withUnsafeBytes(of: uuid.uuid) { $0.suffix(8).reduce(0) { $0 << 8 | Int($1) } & .max }
    }
}
