import Foundation

/// The problems found while decoding one value, by field.
final class DecodingIssues {
    private(set) var messages: [String: [String]] = [:]
    private var silent = 0
    private var known: [String: (object: JSON.Object, names: Set<ExactText>)] = [:]

    func record(_ message: String, at path: [any CodingKey]) {
        guard silent == 0 else { return }
        let field = Self.field(path)
        if messages[field]?.contains(message) != true { messages[field, default: []].append(message) }
    }

    /// Runs `body`, which only builds a placeholder, without recording anything.
    func silently<Result>(_ body: () throws -> Result) rethrows -> Result {
        silent += 1
        defer { silent -= 1 }
        return try body()
    }

    /// Notes that the value being decoded asked for these members.
    func knows(_ names: [String], of object: JSON.Object, at path: [any CodingKey]) {
        guard silent == 0 else { return }
        known[Self.field(path), default: (object, [])].names.formUnion(names.map(ExactText.init))
    }

    /// Notes that decoding of a value ended early: members that it did not ask for may still be its fields.
    func endedEarly(at path: [any CodingKey]) {
        guard silent == 0 else { return }
        let field = Self.field(path)
        guard let seen = known.removeValue(forKey: field) else { return }
        // The associated values of an enum's case are read by the same decoding.
        for name in seen.object.names { known[field + "." + name] = nil }
    }

    /// Records the members that nothing asked for: usually a misspelled name, which must not be dropped silently.
    func recordUnknown() {
        for (path, seen) in known {
            for name in seen.object.names where !seen.names.contains(ExactText(name)) {
                messages[path.isEmpty ? name : path + "." + name, default: []].append("is not a known field")
            }
        }
    }

    static func field(_ path: [any CodingKey]) -> String {
        path.map(\.stringValue).joined(separator: ".")
    }
}

/// A type with a neutral value for decoding to continue with, and a description of what was expected.
protocol Placeholding {
    static var placeholder: Self { get }
    static var expectation: String { get }
}

extension Bool: Placeholding {
    static var placeholder: Bool { false }
    static var expectation: String { "must be true or false" }
}

extension String: Placeholding {
    static var placeholder: String { "" }
    static var expectation: String { "must be a string" }
}

extension FixedWidthInteger {
    static var placeholder: Self { 0 }
    static var expectation: String {
        bitWidth == 64 ? "must be an integer" : "must be an integer from \(Self.min) to \(Self.max)"
    }
}
extension Int: Placeholding {}
extension Int8: Placeholding {}
extension Int16: Placeholding {}
extension Int32: Placeholding {}
extension Int64: Placeholding {}
extension UInt: Placeholding {}
extension UInt8: Placeholding {}
extension UInt16: Placeholding {}
extension UInt32: Placeholding {}
extension UInt64: Placeholding {}

extension Double: Placeholding {
    static var placeholder: Double { 0 }
    static var expectation: String { "must be a number" }
}

extension Float: Placeholding {
    static var placeholder: Float { 0 }
    static var expectation: String { "must be a number" }
}

extension Decimal: Placeholding {
    static var placeholder: Decimal { 0 }
    static var expectation: String { "must be a number" }
}

extension UUID: Placeholding {
    static var placeholder: UUID { UUID(uuid: (0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0)) }
    static var expectation: String { "must be a valid UUID string" }
}

extension Date: Placeholding {
    static var placeholder: Date { Date(timeIntervalSince1970: 0) }
    static var expectation: String { "must be a date like 2026-01-31T12:00:00Z" }
}

extension Data: Placeholding {
    static var placeholder: Data { Data() }
    static var expectation: String { "must be base64-encoded data" }
}

extension URL: Placeholding {
    static var placeholder: URL { URL(filePath: "/") }
    static var expectation: String { "must be a URL" }
}

extension JSON: Placeholding {
    static var placeholder: JSON { .null }
    static var expectation: String { "must be a JSON value" }
}

extension Optional: Placeholding {
    static var placeholder: Wrapped? { nil }
    static var expectation: String {
        (Wrapped.self as? any Placeholding.Type)?.expectation ?? "must be null or a value"
    }
}

extension Array: Placeholding {
    static var placeholder: [Element] { [] }
    static var expectation: String { "must be a list" }
}

extension Set: Placeholding {
    static var placeholder: Set<Element> { [] }
    static var expectation: String { "must be a list" }
}

extension Dictionary: Placeholding {
    static var placeholder: [Key: Value] { [:] }
    static var expectation: String { "must be an object" }
}
