public import Foundation

/// A statement with its values, which are bound, never pasted in.
///
/// ```swift
/// let sql: SQL = "UPDATE wallets SET balance = \(balance) WHERE id = \(id)"
/// ```
public struct SQL: ExpressibleByStringInterpolation, Sendable {
    /// With a `?` for each value.
    public private(set) var text: String
    public private(set) var values: [SQLValue]

    public init(stringLiteral value: String) {
        text = value
        values = []
    }

    public init(stringInterpolation interpolation: StringInterpolation) {
        text = interpolation.text
        values = interpolation.values
    }

    public struct StringInterpolation: StringInterpolationProtocol {
        var text = ""
        var values: [SQLValue] = []

        public init(literalCapacity: Int, interpolationCount: Int) {}
        public mutating func appendLiteral(_ literal: String) { text += literal }
        public mutating func appendInterpolation(_ value: some SQLConvertible) {
            text += "?"
            values.append(value.sqlValue)
        }
        public mutating func appendInterpolation(_ value: (some SQLConvertible)?) {
            text += "?"
            values.append(value?.sqlValue ?? .null)
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
