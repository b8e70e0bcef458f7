/// JSON as text, byte for byte as it was recorded: a payload.
///
/// It is decoded only on request, so payloads that nobody inspects cost nothing to decode.
public struct JSONText: Hashable, Sendable {
    /// UTF-8.
    public let bytes: [UInt8]
    /// Whether the text is known to be one well-formed value, so that a store need not parse what was just encoded.
    private let isChecked: Bool

    /// Text that came from a store, or that the caller knows to be JSON. A store checks it again before recording it.
    public init(unchecked bytes: [UInt8]) { self.init(unchecked: bytes, isChecked: false) }

    private init(unchecked bytes: [UInt8], isChecked: Bool) {
        self.bytes = bytes
        self.isChecked = isChecked
    }

    /// Checks that `text` is one JSON value.
    ///
    /// - Throws: ``JSONError``, which says what is wrong and at which byte.
    public init(_ text: String) throws(JSONError) {
        self.init(unchecked: Array(text.utf8), isChecked: true)
        var parser = JSONParser()
        try parser.check(bytes)
    }

    /// The compact text of a value.
    ///
    /// If the value is nested more than 512 levels deep, the deeper levels are left out, and every store refuses the
    /// text.
    public init(_ value: JSON) {
        var writer = JSONWriter()
        writer.write(value)
        bytes = writer.bytes
        isChecked = writer.deepest <= JSONParser.deepest
    }

    /// The text of a value as Disco encodes it: UUIDs in lower case, dates in ISO 8601 with six or more fractional
    /// digits, decimals without loss, keys as declared.
    public init(encoding value: some Encodable) throws {
        self.init(try JSON(encoding: value))
    }

    public var string: String { String(decoding: bytes, as: UTF8.self) }

    /// The whole value, parsed.
    public func value() throws(JSONError) -> JSON {
        var parser = JSONParser()
        return try parser.parse(bytes)
    }

    public func decode<Value: Decodable>(_ type: Value.Type = Value.self) throws -> Value {
        try value().decodeShallow(type)
    }

    /// Throws if this is not one well-formed JSON value.
    package func check() throws(JSONError) {
        if isChecked { return }
        var parser = JSONParser()
        try parser.check(bytes)
    }

    public static func == (one: JSONText, other: JSONText) -> Bool { one.bytes == other.bytes }
    public func hash(into hasher: inout Hasher) { hasher.combine(bytes) }
}

extension JSONText: CustomStringConvertible {
    public var description: String { string }
}

extension JSONText: ExpressibleByStringLiteral {
    /// A literal that is not JSON is a programmer error and traps.
    public init(stringLiteral value: String) {
        do {
            try self.init(value)
        } catch {
            preconditionFailure(
                "The literal \(value) is not JSON: \(error.message). Write JSON, or use JSONText(_:), which throws.")
        }
    }
}

/// The error thrown for text that is not JSON.
public struct JSONError: Error, Hashable, Sendable, CustomStringConvertible {
    /// What is wrong.
    public let message: String
    /// Where it is wrong, in bytes from the start of the text.
    public let offset: Int

    package init(_ message: String, at offset: Int) {
        self.message = message
        self.offset = offset
    }

    public var description: String { "not JSON: \(message) at byte \(offset)" }
}
