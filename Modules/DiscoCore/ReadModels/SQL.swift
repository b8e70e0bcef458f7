public import Foundation

/// A statement with its values, which are bound, never pasted in.
///
/// ```swift
/// let sql: SQL = "UPDATE wallets SET balance = \(balance) WHERE id = \(id)"
/// ```
public struct SQL: ExpressibleByStringInterpolation, Sendable {
    /// What stands before, between and after the values: one more than there are values.
    private let pieces: [String]
    public let values: [SQLValue]

    public init(stringLiteral value: String) {
        pieces = [value]
        values = []
    }

    public init(stringInterpolation interpolation: StringInterpolation) {
        pieces = interpolation.pieces
        values = interpolation.values
    }

    /// The text with a placeholder for each value, which gets the value's number, from 1.
    public func text(placeholder: (Int) -> String) -> String {
        var text = pieces[0]
        for (index, piece) in pieces.dropFirst().enumerated() { text += placeholder(index + 1) + piece }
        return text
    }

    public struct StringInterpolation: StringInterpolationProtocol {
        var pieces = [""]
        var values: [SQLValue] = []

        public init(literalCapacity: Int, interpolationCount: Int) {}
        public mutating func appendLiteral(_ literal: String) { pieces[pieces.count - 1] += literal }
        public mutating func appendInterpolation(_ value: some SQLConvertible) { append(value.sqlValue) }
        public mutating func appendInterpolation(_ value: (some SQLConvertible)?) { append(value?.sqlValue ?? .null) }

        private mutating func append(_ value: SQLValue) {
            values.append(value)
            pieces.append("")
        }
    }
}

/// A value as databases know it.
public enum SQLValue: Hashable, Sendable {
    case null
    case integer(Int64)
    case real(Double)
    case text(String)
    case blob([UInt8])
}

/// What may stand in ``SQL`` between `\(` and `)`: decimals, UUIDs and dates go as text, and come back exactly.
public protocol SQLConvertible {
    var sqlValue: SQLValue { get }
    /// Nil where the value is of another kind.
    init?(sqlValue: SQLValue)
}

extension String: SQLConvertible {
    public var sqlValue: SQLValue { .text(self) }
    public init?(sqlValue: SQLValue) {
        guard case .text(let text) = sqlValue else { return nil }
        self = text
    }
}

extension Int: SQLConvertible {
    public var sqlValue: SQLValue { .integer(Int64(self)) }
    public init?(sqlValue: SQLValue) {
        guard case .integer(let value) = sqlValue else { return nil }
        self = Int(value)
    }
}

extension Bool: SQLConvertible {
    public var sqlValue: SQLValue { .integer(self ? 1 : 0) }
    public init?(sqlValue: SQLValue) {
        guard case .integer(let value) = sqlValue else { return nil }
        self = value != 0
    }
}

extension Double: SQLConvertible {
    public var sqlValue: SQLValue { .real(self) }
    public init?(sqlValue: SQLValue) {
        switch sqlValue {
        case .real(let value): self = value
        case .integer(let value): self = Double(value)
        default: return nil
        }
    }
}

extension UUID: SQLConvertible {
    public var sqlValue: SQLValue { .text(lowercased) }
    public init?(sqlValue: SQLValue) {
        guard case .text(let text) = sqlValue else { return nil }
        self.init(uuidString: text)
    }
}

extension Decimal: SQLConvertible {
    public var sqlValue: SQLValue { .text(description) }
    public init?(sqlValue: SQLValue) {
        switch sqlValue {
        case .text(let text): self.init(string: text, locale: nil)
        case .integer(let value): self.init(value)
        default: return nil
        }
    }
}

extension Date: SQLConvertible {
    public var sqlValue: SQLValue { .text(Timestamp.text(of: self)) }
    public init?(sqlValue: SQLValue) {
        guard case .text(let text) = sqlValue, let date = Timestamp.date(from: text) else { return nil }
        self = date
    }
}
