import Foundation

extension JSON {
    /// Encodes any value: UUIDs in lower case, dates in ISO 8601 with microseconds, decimals and integers exactly, data
    /// as base 64, keys as declared, sets in the order of their elements' text, so that equal ones give equal JSON.
    ///
    /// - Throws: `EncodingError` for what JSON cannot say (NaN), and whatever the value's own `encode(to:)` throws.
    public init(encoding value: some Encodable) throws {
        self = try Encoding.node(of: value, path: []).json
    }
}

/// One encoding: a tree is built out of references, since nested containers are filled after they were handed out, and
/// turned into a value at the end.
private final class Encoding: Encoder {
    final class List {
        var elements: [Node] = []
        /// How many elements stay together where their order means nothing: 1 of a set, 2 of a dictionary whose keys
        /// are no strings.
        var group: Int?

        var json: JSON {
            let all = elements.map(\.json)
            guard let group else { return .array(all) }
            let groups = stride(from: 0, to: all.count, by: group).map { all[$0..<min($0 + group, all.count)] }
            let texts = groups.map { (text: JSONText(.array(Array($0))).bytes, group: $0) }
            return .array(texts.sorted { $0.text.lexicographicallyPrecedes($1.text) }.flatMap(\.group))
        }
    }
    final class Members {
        var members: [(String, Node)] = []
    }
    enum Node {
        case value(JSON)
        case list(List)
        case members(Members)
        case deferred(Encoding)

        var json: JSON {
            switch self {
            case .value(let value): value
            case .list(let list): list.json
            case .members(let members): .object(Object(members.members.map { ($0, $1.json) }))
            case .deferred(let encoding): encoding.result?.json ?? .object(Object())
            }
        }
        private typealias Object = JSON.Object
    }

    let codingPath: [any CodingKey]
    let userInfo: [CodingUserInfoKey: Any] = [:]
    var result: Node?

    init(path: [any CodingKey]) { codingPath = path }

    static func node(of value: some Encodable, path: @autoclosure () -> [any CodingKey]) throws -> Node {
        switch value {
        case let value as JSON: return .value(value)
        case let value as String: return .value(.string(value))
        case let value as UUID: return .value(.string(value.lowercased))
        case let value as Decimal: return try number(JSON.Number(value), value, path())
        case let value as Date: return .value(.string(Timestamp.text(of: value)))
        case let value as Data: return .value(.string(value.base64EncodedString()))
        case let value as URL: return .value(.string(value.absoluteString))
        default:
            let encoding = Encoding(path: path())
            try value.encode(to: encoding)
            if case .list(let list)? = encoding.result, let unordered = value as? any Unordered {
                list.group = unordered.group
            }
            // A value that encodes nothing at all is an empty object, as with Foundation's encoder at any depth but the
            // top.
            return encoding.result ?? .value(.object(JSON.Object()))
        }
    }

    static func number(_ number: JSON.Number?, _ value: Any, _ path: [any CodingKey]) throws -> Node {
        guard let number else {
            throw EncodingError.invalidValue(
                value, .init(codingPath: path, debugDescription: "JSON has no number for \(value)."))
        }
        return .value(.number(number))
    }

    func container<Key: CodingKey>(keyedBy type: Key.Type) -> KeyedEncodingContainer<Key> {
        if case .members(let members) = result {
            return KeyedEncodingContainer(Keyed(members: members, codingPath: codingPath))
        }
        let members = Members()
        result = .members(members)
        return KeyedEncodingContainer(Keyed(members: members, codingPath: codingPath))
    }

    func unkeyedContainer() -> any UnkeyedEncodingContainer {
        if case .list(let list) = result { return Unkeyed(list: list, codingPath: codingPath) }
        let list = List()
        result = .list(list)
        return Unkeyed(list: list, codingPath: codingPath)
    }

    func singleValueContainer() -> any SingleValueEncodingContainer { Single(encoding: self) }

    struct Keyed<Key: CodingKey>: KeyedEncodingContainerProtocol {
        let members: Members
        let codingPath: [any CodingKey]

        private func set(_ node: Node, _ key: Key) { members.members.append((key.stringValue, node)) }

        mutating func encodeNil(forKey key: Key) { set(.value(.null), key) }
        mutating func encode(_ value: Bool, forKey key: Key) { set(.value(.bool(value)), key) }
        mutating func encode(_ value: String, forKey key: Key) { set(.value(.string(value)), key) }
        mutating func encode(_ value: Int, forKey key: Key) { set(.value(.number(JSON.Number(value))), key) }
        mutating func encode<Value: Encodable>(_ value: Value, forKey key: Key) throws {
            set(try node(of: value, path: codingPath + [key]), key)
        }
        mutating func nestedContainer<Nested: CodingKey>(
            keyedBy type: Nested.Type, forKey key: Key
        ) -> KeyedEncodingContainer<Nested> {
            let nested = Members()
            set(.members(nested), key)
            return KeyedEncodingContainer(Keyed<Nested>(members: nested, codingPath: codingPath + [key]))
        }
        mutating func nestedUnkeyedContainer(forKey key: Key) -> any UnkeyedEncodingContainer {
            let nested = List()
            set(.list(nested), key)
            return Unkeyed(list: nested, codingPath: codingPath + [key])
        }
        mutating func superEncoder() -> any Encoder {
            let encoding = Encoding(path: codingPath)
            members.members.append(("super", .deferred(encoding)))
            return encoding
        }
        mutating func superEncoder(forKey key: Key) -> any Encoder {
            let encoding = Encoding(path: codingPath + [key])
            set(.deferred(encoding), key)
            return encoding
        }
    }

    struct Unkeyed: UnkeyedEncodingContainer {
        let list: List
        let codingPath: [any CodingKey]
        var count: Int { list.elements.count }

        mutating func encodeNil() { list.elements.append(.value(.null)) }
        mutating func encode<Value: Encodable>(_ value: Value) throws {
            list.elements.append(try node(of: value, path: codingPath + [JSON.Place(list.elements.count)]))
        }
        mutating func nestedContainer<Nested: CodingKey>(
            keyedBy type: Nested.Type
        ) -> KeyedEncodingContainer<Nested> {
            let nested = Members()
            list.elements.append(.members(nested))
            return KeyedEncodingContainer(
                Keyed<Nested>(members: nested, codingPath: codingPath + [JSON.Place(count - 1)]))
        }
        mutating func nestedUnkeyedContainer() -> any UnkeyedEncodingContainer {
            let nested = List()
            list.elements.append(.list(nested))
            return Unkeyed(list: nested, codingPath: codingPath + [JSON.Place(count - 1)])
        }
        mutating func superEncoder() -> any Encoder {
            let encoding = Encoding(path: codingPath + [JSON.Place(count)])
            list.elements.append(.deferred(encoding))
            return encoding
        }
    }

    struct Single: SingleValueEncodingContainer {
        let encoding: Encoding
        var codingPath: [any CodingKey] { encoding.codingPath }

        private func set(_ value: JSON) { encoding.result = .value(value) }

        mutating func encodeNil() { set(.null) }
        mutating func encode(_ value: Bool) { set(.bool(value)) }
        mutating func encode(_ value: String) { set(.string(value)) }
        mutating func encode(_ value: Double) throws {
            encoding.result = try number(JSON.Number(value), value, codingPath)
        }
        mutating func encode(_ value: Float) throws {
            // By way of its own shortest text: 0.1 as Float must not become 0.10000000149011612.
            encoding.result = try number(Double(value.description).flatMap { JSON.Number($0) }, value, codingPath)
        }
        mutating func encode(_ value: Int) { set(.number(JSON.Number(value))) }
        mutating func encode(_ value: Int8) { set(.number(JSON.Number(value))) }
        mutating func encode(_ value: Int16) { set(.number(JSON.Number(value))) }
        mutating func encode(_ value: Int32) { set(.number(JSON.Number(value))) }
        mutating func encode(_ value: Int64) { set(.number(JSON.Number(value))) }
        mutating func encode(_ value: UInt) { set(.number(JSON.Number(value))) }
        mutating func encode(_ value: UInt8) { set(.number(JSON.Number(value))) }
        mutating func encode(_ value: UInt16) { set(.number(JSON.Number(value))) }
        mutating func encode(_ value: UInt32) { set(.number(JSON.Number(value))) }
        mutating func encode(_ value: UInt64) { set(.number(JSON.Number(value))) }
        mutating func encode<Value: Encodable>(_ value: Value) throws {
            encoding.result = try node(of: value, path: codingPath)
        }
    }
}

extension JSON {
    /// A place in an array, as a coding key.
    struct Place: CodingKey {
        let intValue: Int?
        var stringValue: String { intValue.map(String.init) ?? "" }

        init(_ index: Int) { intValue = index }
        init?(intValue: Int) { self.init(intValue) }
        init?(stringValue: String) { nil }
    }
}

extension JSON: Encodable {
    public func encode(to encoder: any Encoder) throws {
        switch self {
        case .null:
            var container = encoder.singleValueContainer()
            try container.encodeNil()
        case .bool(let value): try value.encode(to: encoder)
        case .number(let number):
            var container = encoder.singleValueContainer()
            if let integer = number.integer {
                try container.encode(integer)
            } else if let decimal = number.decimal {
                try container.encode(decimal)
            } else {
                try container.encode(number.double)
            }
        case .string(let text): try text.encode(to: encoder)
        case .array(let elements): try elements.encode(to: encoder)
        case .object(let object):
            try Dictionary(uniqueKeysWithValues: object.map { ($0.name, $0.value) }).encode(to: encoder)
        }
    }
}

private protocol Unordered {
    var group: Int { get }
}

extension Set: Unordered {
    fileprivate var group: Int { 1 }
}

extension Dictionary: Unordered {
    fileprivate var group: Int { 2 }
}
