public import Foundation

extension JSON {
    /// A JSON number that keeps its original text.
    public struct Number: Sendable {
        /// As written, for example `12.50` or `1e3`.
        public let literal: String

        /// Takes text that is known to be a JSON number.
        package init(checked literal: String) { self.literal = literal }

        public init(_ value: some BinaryInteger) { literal = String(value) }

        /// `nil` for infinity and NaN, which JSON cannot represent.
        public init?(_ value: Double) {
            guard value.isFinite else { return nil }
            let text = value.description
            literal = text.hasSuffix(".0") ? String(text.dropLast(2)) : text
        }

        /// `nil` for values that could not be read back: NaN, and a few multiples of 1e128 that only arithmetic can
        /// produce.
        public init?(_ value: Decimal) {
            guard let text = value.exactText else { return nil }
            literal = text
        }

        /// The value if it is a 64-bit integer, even if it was written as `1.0` or `1e3`.
        public var integer: Int? { exactly(Int.self) }

        package func exactly<Integer: FixedWidthInteger>(_ type: Integer.Type) -> Integer? {
            if let value = Integer(literal) { return value }
            guard let decimal, decimal.isWhole else { return nil }
            return Integer(decimal.description)
        }

        /// The nearest double; `nil` if that would be infinite.
        public var double: Double? { Double(literal).flatMap { $0.isFinite ? $0 : nil } }

        /// The exact value; `nil` if `Decimal` cannot hold it. It holds 38 digits, or 39 if they form a number below
        /// 2¹²⁸, times a power of ten from -128 to 127.
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
    /// `null` for values that could not be read back; see ``Number/init(_:)-(Decimal)``.
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
