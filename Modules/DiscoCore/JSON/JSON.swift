/// A JSON value: the input and output of commands, queries and events that are addressed by name.
///
/// Numbers keep the digits they were written with, so 64-bit integers and decimals pass through unchanged. Objects keep
/// the order of their members, which equality ignores.
///
/// ```swift
/// let deposit: JSON = ["id": "0198a6…", "amount": 12.5]
/// deposit["amount"]  // 12.5
/// ```
public enum JSON: Sendable {
    case null
    case bool(Bool)
    case number(Number)
    case string(String)
    case array([JSON])
    case object(Object)

    /// The object's member with this name; `nil` if there is none or this is not an object.
    public subscript(name: String) -> JSON? {
        guard case .object(let object) = self else { return nil }
        return object[name]
    }

    /// The array's element at this index; `nil` if it is out of bounds or this is not an array.
    public subscript(index: Int) -> JSON? {
        guard case .array(let elements) = self, elements.indices.contains(index) else { return nil }
        return elements[index]
    }

    /// The text, if this is a string.
    public var string: String? {
        guard case .string(let text) = self else { return nil }
        return text
    }

    /// The value as a 64-bit integer, if it is one.
    public var integer: Int? {
        guard case .number(let number) = self else { return nil }
        return number.integer
    }

    /// The elements, if this is an array.
    public var array: [JSON]? {
        guard case .array(let elements) = self else { return nil }
        return elements
    }

    /// Whether lists and objects are nested at most `depth` levels deep, this value included. Does not recurse, because
    /// a deep value would overflow the stack.
    package func isNested(atMost depth: Int) -> Bool {
        var level = isContainer ? [self] : []
        var left = depth
        while !level.isEmpty {
            if left <= 0 { return false }
            left -= 1
            level = level.flatMap { value -> [JSON] in
                switch value {
                case .array(let elements): elements.filter(\.isContainer)
                case .object(let object): object.map(\.value).filter(\.isContainer)
                default: []
                }
            }
        }
        return true
    }

    private var isContainer: Bool {
        switch self {
        case .array, .object: true
        default: false
        }
    }

    /// The object, if this is one.
    public var object: Object? {
        guard case .object(let object) = self else { return nil }
        return object
    }
}

extension JSON: Hashable {
    /// Texts and member names are equal if their bytes are: Swift strings treat é and e with a combining accent as
    /// equal.
    public static func == (one: JSON, other: JSON) -> Bool {
        switch (one, other) {
        case (.null, .null): true
        case (.bool(let one), .bool(let other)): one == other
        case (.number(let one), .number(let other)): one == other
        case (.string(let one), .string(let other)): ExactText.areEqual(one, other)
        case (.array(let one), .array(let other)): one == other
        case (.object(let one), .object(let other)): one == other
        default: false
        }
    }

    public func hash(into hasher: inout Hasher) {
        switch self {
        case .null: hasher.combine(0)
        case .bool(let value): hasher.combine(value)
        case .number(let number): hasher.combine(number)
        case .string(let text): ExactText.hash(text, into: &hasher)
        case .array(let elements): hasher.combine(elements)
        case .object(let object): hasher.combine(object)
        }
    }
}

extension JSON {
    public init(_ value: some BinaryInteger) { self = .number(Number(value)) }

    /// `null` for infinity and NaN, which JSON cannot represent.
    public init(_ value: Double) { self = Number(value).map(JSON.number) ?? .null }

    public init(_ text: some StringProtocol) { self = .string(String(text)) }
}

extension JSON: ExpressibleByNilLiteral, ExpressibleByBooleanLiteral, ExpressibleByIntegerLiteral,
    ExpressibleByFloatLiteral, ExpressibleByStringLiteral, ExpressibleByArrayLiteral, ExpressibleByDictionaryLiteral
{
    public init(nilLiteral: ()) { self = .null }
    public init(booleanLiteral value: Bool) { self = .bool(value) }
    public init(integerLiteral value: Int) { self.init(value) }
    public init(floatLiteral value: Double) { self.init(value) }
    public init(stringLiteral value: String) { self = .string(value) }
    public init(arrayLiteral elements: JSON...) { self = .array(elements) }
    public init(dictionaryLiteral elements: (String, JSON)...) {
        self = .object(Object(elements.map { ($0, $1) }))
    }
}

extension JSON: CustomStringConvertible {
    /// Compact JSON text.
    public var description: String { JSONText(self).string }
}
