import Foundation

/// A validation rule for one field of a command or query.
///
/// ```swift
/// static let rules: [FieldRule<Self>] = [
///     .field(CodingKeys.userID, else: "must be a valid UUID string"),
///     .field(CodingKeys.balance, \.balance, .atLeast(0)),
/// ]
/// ```
public struct FieldRule<Root>: Sendable {
    public let field: String
    /// Replaces the built-in message if the field is missing, null or of another type.
    let typeMessage: String?
    let failures: @Sendable (Root) -> [String]
    /// Checks the field's JSON, which is `nil` if the field is missing; returns `nil` if it cannot be decoded.
    let failuresInField: @Sendable (JSON?) -> [String]?

    /// Sets the message for a field that is missing, null or of another type.
    public static func field(_ key: some CodingKey, else typeMessage: String) -> FieldRule {
        FieldRule(
            field: key.stringValue, typeMessage: typeMessage, failures: { _ in [] },
            failuresInField: { _ in [] })
    }

    /// Checks the value of a field.
    ///
    /// - Parameters:
    ///   - key: the field's name in JSON, which messages use.
    ///   - path: the property that holds the value.
    ///   - checks: the conditions on the value.
    ///   - typeMessage: the message if the field is missing, null or of another type.
    public static func field<Value: Decodable & SendableMetatype>(
        _ key: some CodingKey, _ path: any KeyPath<Root, Value> & Sendable, _ checks: FieldCheck<Value>...,
        else typeMessage: String? = nil
    ) -> FieldRule {
        FieldRule(
            field: key.stringValue, typeMessage: typeMessage,
            failures: { root in checks.filter { !$0.passes(root[keyPath: path]) }.map(\.message) },
            failuresInField: { json in
                guard let value = try? (json ?? .null).decode(Value.self) else { return nil }
                return checks.filter { !$0.passes(value) }.map(\.message)
            })
    }
}

/// A condition on a field's value, and the message if it does not hold.
public struct FieldCheck<Value>: Sendable {
    let message: String
    let passes: @Sendable (Value) -> Bool

    /// A custom condition; the message completes a sentence that begins with the field: "must be even".
    public static func satisfies(_ message: String, _ passes: @escaping @Sendable (Value) -> Bool) -> FieldCheck {
        FieldCheck(message: message, passes: passes)
    }
}

extension FieldCheck where Value: Comparable & Sendable {
    public static func atLeast(_ limit: Value) -> FieldCheck { compared("must be at least \(limit)") { $0 >= limit } }
    public static func atMost(_ limit: Value) -> FieldCheck { compared("must be at most \(limit)") { $0 <= limit } }
    public static func greaterThan(_ limit: Value) -> FieldCheck {
        compared("must be greater than \(limit)") { $0 > limit }
    }
    public static func lessThan(_ limit: Value) -> FieldCheck { compared("must be less than \(limit)") { $0 < limit } }

    /// Foundation orders a NaN `Decimal` before every other; here it fails every comparison.
    private static func compared(_ message: String, _ passes: @escaping @Sendable (Value) -> Bool) -> FieldCheck {
        .satisfies(message) { ($0 as? Decimal)?.isNaN != true && passes($0) }
    }
}

extension FieldCheck where Value: Collection & SendableMetatype {
    public static var notEmpty: FieldCheck { .satisfies("must not be empty") { !$0.isEmpty } }
    public static func count(_ range: ClosedRange<Int>) -> FieldCheck {
        .satisfies("must have \(range.lowerBound) to \(range.upperBound) elements") { range.contains($0.count) }
    }
}

extension FieldCheck where Value == String {
    /// Limits the length of a text in Unicode scalars: one letter may have any number of accents.
    public static func count(_ range: ClosedRange<Int>) -> FieldCheck {
        .satisfies("must have \(range.lowerBound) to \(range.upperBound) characters") {
            range.contains($0.unicodeScalars.count)
        }
    }
}

extension FieldCheck where Value: Equatable & Sendable {
    public static func oneOf(_ values: Value...) -> FieldCheck {
        .satisfies("must be one of: " + values.map(shown).joined(separator: ", ")) { values.contains($0) }
    }

    /// The value as a caller writes it in JSON.
    private static func shown(_ value: Any) -> String {
        let mirror = Mirror(reflecting: value)
        if mirror.displayStyle == .optional { return mirror.children.first.map { shown($0.value) } ?? "null" }
        if let raw = value as? any RawRepresentable { return "\(raw.rawValue)" }
        return "\(value)"
    }
}
