import Foundation

extension JSON {
    /// Decodes a value; the counterpart of ``init(encoding:)``.
    ///
    /// - Throws: `DecodingError` for the first value that does not fit.
    public func decode<Value: Decodable>(_ type: Value.Type = Value.self) throws -> Value {
        guard isNested(atMost: JSONParser.deepest) else {
            throw DecodingError.dataCorrupted(
                .init(
                    codingPath: [], debugDescription: "The value is nested more than \(JSONParser.deepest) levels deep."
                ))
        }
        return try decodeShallow(type)
    }

    /// Skips the depth check, because the parser limits the depth.
    func decodeShallow<Value: Decodable>(_ type: Value.Type = Value.self) throws -> Value {
        try JSONDecoding(self, path: [], issues: nil).decode(type)
    }
}

/// One decoding. With `issues` it does not stop at a value that does not fit: it records the problem and continues with
/// a placeholder, and the result is discarded. That is how validation reports every field at once.
struct JSONDecoding: Decoder {
    let value: JSON?
    let codingPath: [any CodingKey]
    let issues: DecodingIssues?
    var userInfo: [CodingUserInfoKey: Any] { [:] }

    init(_ value: JSON?, path: [any CodingKey], issues: DecodingIssues?) {
        self.value = value
        codingPath = path
        self.issues = issues
    }

    func at(_ value: JSON?, _ key: any CodingKey) -> JSONDecoding {
        JSONDecoding(value, path: codingPath + [key], issues: issues)
    }

    func decode<Value: Decodable>(_ type: Value.Type) throws -> Value {
        guard let issues else { return try decodeOrThrow(type) }
        do {
            return try decodeOrThrow(type)
        } catch let error as DecodingError {
            if !error.isReported { issues.record(message(for: error, as: type), at: error.path ?? codingPath) }
            issues.endedEarly(at: codingPath)
            return try placeholder(type, issues)
        }
    }

    /// A value of that type to continue with: a neutral value, or one built from placeholders for all its fields.
    ///
    /// If there is none, as for an enum that does not list its cases, decoding ends at the nearest enclosing value that
    /// has one: an optional, a list, or else the request, whose rules alone then check the fields that follow.
    private func placeholder<Value: Decodable>(_ type: Value.Type, _ issues: DecodingIssues) throws -> Value {
        if let neutral = (type as? any Placeholding.Type)?.placeholder as? Value { return neutral }
        if let first = ListedCases.of(type)?.first { return first }
        if let example = (type as? any ExampleProviding.Type)?.example as? Value { return example }
        do {
            return try issues.silently {
                try Value(from: JSONDecoding(.object(JSON.Object()), path: codingPath, issues: issues))
            }
        } catch {
            throw DecodingError.reported(at: codingPath)
        }
    }

    private func message(for error: DecodingError, as type: Any.Type) -> String {
        switch error {
        case .keyNotFound: "is required"
        case .valueNotFound: "must not be null"
        case .dataCorrupted(let context) where !context.debugDescription.isEmpty: context.debugDescription
        case .typeMismatch(let expected, _): describe(expected)
        default: describe(type)
        }
    }

    private func describe(_ type: Any.Type) -> String {
        if let named = type as? any Placeholding.Type { return named.expectation }
        if let values = rawValues(type) { return "must be one of: " + values.joined(separator: ", ") }
        return "is not an allowed value"
    }

    /// The raw values of an enum's cases; `nil` if the type is not an enum with raw values or does not list its cases.
    private func rawValues(_ type: Any.Type) -> [String]? {
        guard type is any RawRepresentable.Type else { return nil }
        func values<Value>(_ type: Value.Type) -> [String]? {
            ListedCases.of(type)?.compactMap { value in
                (value as? any RawRepresentable).map { String(describing: $0.rawValue) }
            }
        }
        return values(type)
    }

    /// Whether a raw value was refused without a message from the type itself: the standard library's message names the
    /// Swift type, which the caller does not know.
    private func isRefusal(by type: Any.Type, _ context: DecodingError.Context) -> Bool {
        guard type is any RawRepresentable.Type, context.codingPath.count <= codingPath.count else { return false }
        return rawValues(type) != nil
            || context.debugDescription.utf8.starts(with: "Cannot initialize \(type) from invalid ".utf8)
    }

    private func decodeOrThrow<Value: Decodable>(_ type: Value.Type) throws -> Value {
        let result: Any?
        switch type {
        case is JSON.Type: result = value ?? .null
        case is UUID.Type: result = try present(type).string.flatMap { UUID(uuidString: $0) }
        case is Decimal.Type:
            let number = try present(type).number
            if let number, number.decimal == nil {
                throw DecodingError.dataCorrupted(context("must be a decimal of at most 38 digits"))
            }
            result = number?.decimal
        case is Date.Type: result = try present(type).string.flatMap { Timestamp.date(from: $0) }
        case is Data.Type: result = try present(type).string.flatMap { Data(base64Encoded: $0) }
        case is URL.Type: result = try present(type).string.flatMap { URL(string: $0) }
        default:
            if value == nil, !(type is any ExpressibleByNilLiteral.Type) { _ = try present(type) }
            do {
                return try Value(from: self)
            } catch DecodingError.dataCorrupted(let context)
                where isRefusal(by: type, context)
            {
                throw DecodingError.typeMismatch(type, context)
            }
        }
        guard let result = result as? Value else { throw mismatch(type) }
        return result
    }

    func present(_ type: Any.Type) throws -> JSON {
        guard let value else {
            let key = codingPath.last ?? JSON.Place(0)
            throw DecodingError.keyNotFound(key, context("The key \(key.stringValue) is missing."))
        }
        guard value != .null else { throw DecodingError.valueNotFound(type, context("The value is null.")) }
        return value
    }

    func mismatch(_ type: Any.Type) -> DecodingError {
        .typeMismatch(type, context("The value is not of type \(type)."))
    }

    private func context(_ description: String) -> DecodingError.Context {
        .init(codingPath: codingPath, debugDescription: description)
    }

    func container<Key: CodingKey>(keyedBy type: Key.Type) throws -> KeyedDecodingContainer<Key> {
        guard case .object(let object) = try present([String: JSON].self) else { throw mismatch([String: JSON].self) }
        return KeyedDecodingContainer(JSONKeyedDecoding(object: object, decoding: self))
    }

    func unkeyedContainer() throws -> any UnkeyedDecodingContainer {
        guard case .array(let elements) = try present([JSON].self) else { throw mismatch([JSON].self) }
        return JSONUnkeyedDecoding(elements: elements, decoding: self)
    }

    func singleValueContainer() -> any SingleValueDecodingContainer { self }
}

extension JSONDecoding: SingleValueDecodingContainer {
    func decodeNil() -> Bool { value == nil || value == .null }

    func decode(_ type: Bool.Type) throws -> Bool {
        guard case .bool(let value) = try present(type) else { throw mismatch(type) }
        return value
    }

    func decode(_ type: String.Type) throws -> String {
        guard case .string(let text) = try present(type) else { throw mismatch(type) }
        return text
    }

    func decode(_ type: Double.Type) throws -> Double {
        guard let value = try present(type).number?.double else { throw mismatch(type) }
        return value
    }

    func decode(_ type: Float.Type) throws -> Float {
        guard let value = try present(type).number.flatMap({ Float($0.literal) }), value.isFinite else {
            throw mismatch(type)
        }
        return value
    }

    func decode(_ type: Int.Type) throws -> Int { try integer(type) }
    func decode(_ type: Int8.Type) throws -> Int8 { try integer(type) }
    func decode(_ type: Int16.Type) throws -> Int16 { try integer(type) }
    func decode(_ type: Int32.Type) throws -> Int32 { try integer(type) }
    func decode(_ type: Int64.Type) throws -> Int64 { try integer(type) }
    func decode(_ type: UInt.Type) throws -> UInt { try integer(type) }
    func decode(_ type: UInt8.Type) throws -> UInt8 { try integer(type) }
    func decode(_ type: UInt16.Type) throws -> UInt16 { try integer(type) }
    func decode(_ type: UInt32.Type) throws -> UInt32 { try integer(type) }
    func decode(_ type: UInt64.Type) throws -> UInt64 { try integer(type) }

    private func integer<Integer: FixedWidthInteger>(_ type: Integer.Type) throws -> Integer {
        guard let value = try present(type).number?.exactly(type) else { throw mismatch(type) }
        return value
    }
}

extension JSON {
    fileprivate var number: Number? {
        guard case .number(let number) = self else { return nil }
        return number
    }
}

extension DecodingError {
    fileprivate var path: [any CodingKey]? { context?.codingPath }

    private var context: Context? {
        switch self {
        case .keyNotFound(_, let context), .valueNotFound(_, let context), .typeMismatch(_, let context),
            .dataCorrupted(let context):
            context
        @unknown default: nil
        }
    }

    /// Ends a decoding that cannot continue; the problem is already recorded.
    fileprivate static func reported(at path: [any CodingKey]) -> DecodingError {
        .dataCorrupted(
            .init(codingPath: path, debugDescription: "The type has no placeholder.", underlyingError: Reported()))
    }

    var isReported: Bool { context?.underlyingError is Reported }

    private struct Reported: Error {}
}

extension JSON: Decodable {
    public init(from decoder: any Decoder) throws {
        if let decoding = decoder as? JSONDecoding {
            self = decoding.value ?? .null
        } else if let container = try? decoder.container(keyedBy: AnyName.self) {
            self = .object(
                Object(try container.allKeys.map { ($0.stringValue, try container.decode(JSON.self, forKey: $0)) }))
        } else if var container = try? decoder.unkeyedContainer() {
            var elements: [JSON] = []
            while !container.isAtEnd { elements.append(try container.decode(JSON.self)) }
            self = .array(elements)
        } else {
            let container = try decoder.singleValueContainer()
            if container.decodeNil() {
                self = .null
            } else if let value = try? container.decode(Bool.self) {
                self = .bool(value)
            } else if let value = try? container.decode(Int.self) {
                self = .number(Number(value))
            } else if let value = try? container.decode(Decimal.self), let number = Number(value) {
                self = .number(number)
            } else {
                self = .string(try container.decode(String.self))
            }
        }
    }

    struct AnyName: CodingKey {
        let stringValue: String
        var intValue: Int? { nil }
        init(stringValue: String) { self.stringValue = stringValue }
        init?(intValue: Int) { nil }
    }
}
