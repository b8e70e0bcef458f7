/// The name of a stream: a category, a hyphen and an id, as in `wallet-6f0c2a…`.
///
/// The category matches `[A-Za-z0-9_.]+`, the id is not empty, and the whole has at most 512 bytes; a store refuses
/// other names with ``EventStoreError/Code/invalidAppend``. Names beginning with `$` are reserved.
public struct StreamID: Hashable, Sendable {
    public let name: String

    public init(_ name: String) { self.name = name }

    public init(category: String, id: String) { name = category + "-" + id }

    /// The part before the first hyphen.
    public var category: String { String(Substring(name.utf8.prefix { $0 != UInt8(ascii: "-") })) }

    /// The part after the first hyphen.
    public var id: String { String(Substring(name.utf8.drop { $0 != UInt8(ascii: "-") }.dropFirst())) }

    /// The number of slices that the streams of a store are divided into.
    public static let slices = 1024

    /// The slice of the stream, from 0 to ``slices`` - 1. Readers that each take a range of slices share the events of
    /// a store without splitting a stream.
    ///
    /// The 64-bit FNV-1a hash of the name's bytes, modulo 1,024: the same in every store, forever.
    public var slice: Int { Int(FNV1a.hash(name) % UInt64(Self.slices)) }
}

extension StreamID: ExpressibleByStringLiteral, CustomStringConvertible {
    public init(stringLiteral value: String) { self.init(value) }
    public var description: String { name }
}

extension StreamID: Codable, CodingKeyRepresentable {
    public init(from decoder: any Decoder) throws { self.init(try String(from: decoder)) }
    public func encode(to encoder: any Encoder) throws { try name.encode(to: encoder) }
    public var codingKey: any CodingKey { name.codingKey }
    public init?<Key: CodingKey>(codingKey: Key) { self.init(codingKey.stringValue) }
}

// Compared by bytes, as databases do.
extension StreamID {
    public static func == (one: StreamID, other: StreamID) -> Bool { ExactText.areEqual(one.name, other.name) }
    public func hash(into hasher: inout Hasher) { ExactText.hash(name, into: &hasher) }
}
