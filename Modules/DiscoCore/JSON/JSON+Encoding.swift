import Foundation

extension JSON {
    /// Encodes a value.
    ///
    /// UUIDs are written in lower case, dates in ISO 8601 with six or more fractional digits, decimals and integers
    /// exactly, data as base64, keys as declared, and sets in the order of their elements' text, so that equal sets give
    /// equal JSON.
    ///
    /// The JSON decodes to an equal value. A date has six fractional digits of the second, or as many more as that
    /// needs (at most eighteen, which only dates within a second of the start of 2001 could exceed). A URL that is
    /// relative to another comes back absolute.
    ///
    /// - Throws: `EncodingError` for values that could not be decoded again: NaN and infinity, dates outside the years
    ///   0 to 9999, values nested more than 512 levels deep; and whatever the value's own `encode(to:)` throws.
    public init(encoding value: some Encodable) throws {
        let depth = EncodingDepth()
        let node = try Encoding.node(of: value, path: [], depth: depth)
        if depth.exceeded.isExceeded { throw Encoding.tooDeep(value, []) }
        self = node.json
    }
}

/// One encoding: builds a tree of references, because nested containers are filled after they are handed out, and turns
/// it into a value at the end.
private final class Encoding: Encoder {
    final class List {
        var elements: [Node] = []
        /// How many elements stay together if their order is irrelevant: 1 for a set, 2 for a dictionary whose keys are
        /// not strings.
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
    let depth: EncodingDepth
    let userInfo: [CodingUserInfoKey: Any] = [:]
    var result: Node?

    init(path: [any CodingKey], depth: EncodingDepth) {
        codingPath = path
        self.depth = depth
    }

    static func node(
        of value: some Encodable, path: @autoclosure () -> [any CodingKey], depth outer: EncodingDepth
    ) throws -> Node {
        let depth = outer.called
        if depth.isTooDeep { throw tooDeep(value, path()) }
        switch value {
        case let value as JSON:
            guard value.isNested(atMost: depth.left) else { throw tooDeep(value, path()) }
            return .value(value)
        case let text as JSONText:
            let value = try text.value()
            guard value.isNested(atMost: depth.left) else { throw tooDeep(text, path()) }
            return .value(value)
        case let value as String: return .value(.string(value))
        case let value as UUID: return .value(.string(value.lowercased))
        case let value as Decimal: return try number(JSON.Number(value), value, path())
        case let value as Date:
            guard let text = Timestamp.text(of: value) else {
                // The seconds, because Foundation traps when it describes a date whose time is NaN.
                throw EncodingError.invalidValue(
                    value.timeIntervalSinceReferenceDate,
                    .init(codingPath: path(), debugDescription: "The date is outside the years 0 to 9999."))
            }
            return .value(.string(text))
        case let value as Data: return .value(.string(value.base64EncodedString()))
        case let value as URL: return .value(.string(value.absoluteString))
        default:
            let encoding = Encoding(path: path(), depth: depth)
            try value.encode(to: encoding)
            if case .list(let list)? = encoding.result, let unordered = value as? any Unordered {
                list.group = unordered.group
            }
            // A value that encodes nothing is an empty object, as with Foundation's encoder at every level but the top.
            if let result = encoding.result { return result }
            guard depth.inside != nil else { throw tooDeep(value, path()) }
            return .value(.object(JSON.Object()))
        }
    }

    /// Deeper values could not be decoded again, and would eventually overflow the stack.
    static func tooDeep(_ value: Any, _ path: [any CodingKey]) -> EncodingError {
        .invalidValue(
            value,
            .init(
                codingPath: Array(path.prefix(4)),
                debugDescription: "The value is nested more than \(JSONParser.deepest) levels deep."))
    }

    static func number(_ number: JSON.Number?, _ value: Any, _ path: [any CodingKey]) throws -> Node {
        guard let number else {
            throw EncodingError.invalidValue(
                value, .init(codingPath: path, debugDescription: "JSON cannot represent \(value)."))
        }
        return .value(.number(number))
    }

    func container<Key: CodingKey>(keyedBy type: Key.Type) -> KeyedEncodingContainer<Key> {
        if case .members(let members) = result { return Self.keyed(members, codingPath, depth) }
        let members = Members()
        result = .members(members)
        return Self.keyed(members, codingPath, depth)
    }

    func unkeyedContainer() -> any UnkeyedEncodingContainer {
        if case .list(let list) = result { return Self.unkeyed(list, codingPath, depth) }
        let list = List()
        result = .list(list)
        return Self.unkeyed(list, codingPath, depth)
    }

    /// If the depth limit is exceeded, returns a detached container that nobody reads.
    private static func keyed<Key: CodingKey>(
        _ members: Members, _ path: [any CodingKey], _ depth: EncodingDepth
    ) -> KeyedEncodingContainer<Key> {
        let inside = depth.inside
        return KeyedEncodingContainer(
            Keyed(members: inside == nil ? Members() : members, codingPath: path, depth: inside ?? depth))
    }

    private static func unkeyed(_ list: List, _ path: [any CodingKey], _ depth: EncodingDepth) -> Unkeyed {
        let inside = depth.inside
        return Unkeyed(list: inside == nil ? List() : list, codingPath: path, depth: inside ?? depth)
    }

    func singleValueContainer() -> any SingleValueEncodingContainer { Single(encoding: self) }

    struct Keyed<Key: CodingKey>: KeyedEncodingContainerProtocol {
        let members: Members
        let codingPath: [any CodingKey]
        /// The depth of the values in this container.
        let depth: EncodingDepth

        private func set(_ node: Node, _ key: Key) { members.members.append((key.stringValue, node)) }

        mutating func encodeNil(forKey key: Key) { set(.value(.null), key) }
        mutating func encode(_ value: Bool, forKey key: Key) { set(.value(.bool(value)), key) }
        mutating func encode(_ value: String, forKey key: Key) { set(.value(.string(value)), key) }
        mutating func encode(_ value: Int, forKey key: Key) { set(.value(.number(JSON.Number(value))), key) }
        mutating func encode<Value: Encodable>(_ value: Value, forKey key: Key) throws {
            set(try node(of: value, path: codingPath + [key], depth: depth), key)
        }
        mutating func nestedContainer<Nested: CodingKey>(
            keyedBy type: Nested.Type, forKey key: Key
        ) -> KeyedEncodingContainer<Nested> {
            let nested = Members()
            set(.members(nested), key)
            return Encoding.keyed(nested, codingPath + [key], depth)
        }
        mutating func nestedUnkeyedContainer(forKey key: Key) -> any UnkeyedEncodingContainer {
            let nested = List()
            set(.list(nested), key)
            return Encoding.unkeyed(nested, codingPath + [key], depth)
        }
        mutating func superEncoder() -> any Encoder {
            let encoding = Encoding(path: codingPath, depth: depth)
            members.members.append(("super", .deferred(encoding)))
            return encoding
        }
        mutating func superEncoder(forKey key: Key) -> any Encoder {
            let encoding = Encoding(path: codingPath + [key], depth: depth)
            set(.deferred(encoding), key)
            return encoding
        }
    }

    struct Unkeyed: UnkeyedEncodingContainer {
        let list: List
        let codingPath: [any CodingKey]
        /// The depth of the values in this container.
        let depth: EncodingDepth
        var count: Int { list.elements.count }

        mutating func encodeNil() { list.elements.append(.value(.null)) }
        mutating func encode<Value: Encodable>(_ value: Value) throws {
            list.elements.append(
                try node(of: value, path: codingPath + [JSON.Place(list.elements.count)], depth: depth))
        }
        mutating func nestedContainer<Nested: CodingKey>(
            keyedBy type: Nested.Type
        ) -> KeyedEncodingContainer<Nested> {
            let nested = Members()
            list.elements.append(.members(nested))
            return Encoding.keyed(nested, codingPath + [JSON.Place(count - 1)], depth)
        }
        mutating func nestedUnkeyedContainer() -> any UnkeyedEncodingContainer {
            let nested = List()
            list.elements.append(.list(nested))
            return Encoding.unkeyed(nested, codingPath + [JSON.Place(count - 1)], depth)
        }
        mutating func superEncoder() -> any Encoder {
            let encoding = Encoding(path: codingPath + [JSON.Place(count)], depth: depth)
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
            // From its shortest text: 0.1 as Float must not become 0.10000000149011612.
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
            encoding.result = try node(of: value, path: codingPath, depth: encoding.depth)
        }
    }
}

extension JSON {
    /// An array index, as a coding key.
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
            } else if let double = number.double {
                try container.encode(double)
            } else {
                throw EncodingError.invalidValue(
                    number.literal,
                    .init(
                        codingPath: encoder.codingPath,
                        debugDescription: "The number \(number.literal) is too large for this encoder."))
            }
        case .string(let text): try text.encode(to: encoder)
        case .array(let elements): try elements.encode(to: encoder)
        case .object(let object):
            // Not as a dictionary, which treats é and e with a combining accent as one name.
            var container = encoder.container(keyedBy: AnyName.self)
            for member in object { try container.encode(member.value, forKey: AnyName(stringValue: member.name)) }
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
