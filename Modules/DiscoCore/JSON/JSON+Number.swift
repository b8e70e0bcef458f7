public import Foundation

extension JSON {
    /// A JSON number, kept as the text it was written as.
    public struct Number: Sendable {
        /// As written, for example `12.50` or `1e3`.
        public let literal: String

        /// A text that already is a JSON number.
        package init(checked literal: String) { self.literal = literal }

        public init(_ value: some BinaryInteger) { literal = String(value) }

        /// Nil for what JSON has no number for: infinity and NaN.
        public init?(_ value: Double) {
            guard value.isFinite else { return nil }
            let text = value.description
            literal = text.hasSuffix(".0") ? String(text.dropLast(2)) : text
        }

        /// Nil for what could not be read again: NaN, and a few multiples of 1e128 that only arithmetic can make.
        public init?(_ value: Decimal) {
            guard let text = value.exactText else { return nil }
            literal = text
        }

        /// The value where it is a 64-bit integer, also when it was written as `1.0` or `1e3`.
        public var integer: Int? { exactly(Int.self) }

        package func exactly<Integer: FixedWidthInteger>(_ type: Integer.Type) -> Integer? {
            if let value = Integer(literal) { return value }
            guard let decimal, decimal.isWhole else { return nil }
            return Integer(decimal.description)
        }

        /// The nearest double, nil where that would be infinite.
        public var double: Double? { Double(literal).flatMap { $0.isFinite ? $0 : nil } }

        /// The exact value, nil where `Decimal` cannot hold all its digits: 38 of them always, 39 where they make a number
        /// below 2¹²⁸, times a power of ten from -128 to 127.
        public var decimal: Decimal? { Decimal(exactly: literal) }
    }
}

extension JSON.Number: Hashable {
    public static func == (one: Self, other: Self) -> Bool {
        if one.literal == other.literal { return true }
        if let first = one.decimal, let second = other.decimal { return first == second }
        return false
    }

    public func hash(into hasher: inout Hasher) { hasher.combine(double) }
}

extension JSON {
    /// Null for what could not be read again; see ``Number/init(_:)-(Decimal)``.
    public init(_ value: Decimal) { self = Number(value).map(JSON.number) ?? .null }
}

extension Decimal {
    fileprivate var isWhole: Bool {
        var value = self
        var rounded = Decimal()
        NSDecimalRound(&rounded, &value, 0, .plain)
        return rounded == self
    }
}
