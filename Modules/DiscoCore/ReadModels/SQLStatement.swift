/// One SQL statement with its values, which are bound, never inserted into the text.
///
/// ```swift
/// let sql: SQLStatement = "UPDATE wallets SET balance = \(balance) WHERE id = \(id)"
/// ```
public struct SQLStatement: ExpressibleByStringInterpolation, Sendable {
    /// The text before, between and after the values: one more piece than there are values.
    let pieces: [String]
    public let values: [SQLValue]
    /// Why a value could not be bound.
    let problem: EventStoreError?

    public init(stringLiteral value: String) {
        pieces = [value]
        values = []
        problem = nil
    }

    public init(stringInterpolation interpolation: StringInterpolation) {
        pieces = interpolation.pieces
        values = interpolation.values
        problem = interpolation.problem
    }

    /// A statement with more text, which has no values, at its end.
    init(_ statement: SQLStatement, _ suffix: String) {
        pieces = statement.pieces.dropLast() + [statement.pieces[statement.pieces.count - 1] + " " + suffix]
        values = statement.values
        problem = statement.problem
    }

    /// The text with a placeholder for each value; `placeholder` gets the value's number, starting at 1.
    public func text(placeholder: (Int) -> String) -> String {
        var text = pieces[0]
        for (index, piece) in pieces.dropFirst().enumerated() { text += placeholder(index + 1) + piece }
        return text
    }

    public struct StringInterpolation: StringInterpolationProtocol {
        var pieces = [""]
        var values: [SQLValue] = []
        var problem: EventStoreError?

        public init(literalCapacity: Int, interpolationCount: Int) {}
        public mutating func appendLiteral(_ literal: String) { pieces[pieces.count - 1] += literal }

        /// A separate overload for optionals, so that the compiler does not warn about them.
        public mutating func appendInterpolation<Value: SQLConvertible>(_ value: Value?) { append(value) }
        public mutating func appendInterpolation(_ value: some SQLConvertible) { append(value) }

        private mutating func append(_ value: some SQLConvertible) {
            pieces.append("")
            do {
                values.append(try value.sqlValue)
            } catch {
                values.append(.null)
                problem =
                    problem ?? error as? EventStoreError
                    ?? EventStoreError(.invalidArgument, "A value cannot be bound: \(error)", underlying: error)
            }
        }
    }
}
