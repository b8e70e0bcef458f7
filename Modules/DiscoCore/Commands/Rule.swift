/// What must hold for one field of a command or query.
///
/// ```swift
/// static let rules: [Rule<Self>] = [
///     .field(CodingKeys.userID, \.userID, else: "must be a valid UUID string"),
///     .field(CodingKeys.balance, \.balance, .atLeast(0)),
/// ]
/// ```
public struct Rule<Root>: Sendable {
    public let field: String
    /// Said instead of the built-in words when the field is missing, null or of another type.
    let typeMessage: String?
    let failures: @Sendable (Root) -> [String]
    /// The same for a field as it came in, nil where it does not decode.
    let failuresInField: @Sendable (JSON) -> [String]?

    /// - Parameter else: what to say where the field is missing or of another type.
    public static func field<Value: Decodable & SendableMetatype>(
        _ key: some CodingKey, _ path: any KeyPath<Root, Value> & Sendable, _ checks: Check<Value>...,
        else typeMessage: String? = nil
    ) -> Rule {
        Rule(
            field: key.stringValue, typeMessage: typeMessage,
            failures: { root in checks.filter { !$0.passes(root[keyPath: path]) }.map(\.message) },
            failuresInField: { json in
                guard let value = try? json.decode(Value.self) else { return nil }
                return checks.filter { !$0.passes(value) }.map(\.message)
            })
    }
}

/// A condition on a field's value, and what to say where it does not hold.
public struct Check<Value>: Sendable {
    let message: String
    let passes: @Sendable (Value) -> Bool

    /// Any condition; the message completes a sentence that begins with the field: "must be even".
    public static func satisfies(_ message: String, _ passes: @escaping @Sendable (Value) -> Bool) -> Check {
        Check(message: message, passes: passes)
    }
}

extension Check where Value: Comparable & Sendable {
    public static func atLeast(_ limit: Value) -> Check { .satisfies("must be at least \(limit)") { $0 >= limit } }
    public static func atMost(_ limit: Value) -> Check { .satisfies("must be at most \(limit)") { $0 <= limit } }
    public static func greaterThan(_ limit: Value) -> Check {
        .satisfies("must be greater than \(limit)") { $0 > limit }
    }
    public static func lessThan(_ limit: Value) -> Check { .satisfies("must be less than \(limit)") { $0 < limit } }
}

extension Check where Value: Collection & SendableMetatype {
    public static var notEmpty: Check { .satisfies("must not be empty") { !$0.isEmpty } }
    public static func count(_ range: ClosedRange<Int>) -> Check {
        .satisfies("must have \(range.lowerBound) to \(range.upperBound) elements") { range.contains($0.count) }
    }
}

extension Check where Value: Equatable & Sendable {
    public static func oneOf(_ values: Value...) -> Check {
        .satisfies("must be one of: " + values.map { "\($0)" }.joined(separator: ", ")) { values.contains($0) }
    }
}
