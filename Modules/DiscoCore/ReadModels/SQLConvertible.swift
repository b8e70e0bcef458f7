public import Foundation

/// A type whose values can be interpolated into an ``SQLStatement`` and read from a column.
///
/// Decimals, UUIDs and dates are written as text and come back exactly from a `TEXT` column, on every database. A value
/// that does not fit the requested type is refused; only floating-point types round.
public protocol SQLConvertible {
    /// - Throws: ``EventStoreError`` with code ``EventStoreError/Code/invalidArgument`` if no database could return the
    ///   value.
    var sqlValue: SQLValue { get throws }
    /// `nil` if the value is of another kind or does not fit.
    init?(sqlValue: SQLValue)
}

extension SQLValue: SQLConvertible {
    public var sqlValue: SQLValue { self }
    public init?(sqlValue: SQLValue) { self = sqlValue }
}

extension Optional: SQLConvertible where Wrapped: SQLConvertible {
    public var sqlValue: SQLValue {
        get throws { try self?.sqlValue ?? .null }
    }
    public init?(sqlValue: SQLValue) {
        if sqlValue == .null {
            self = nil
        } else if let value = Wrapped(sqlValue: sqlValue) {
            self = .some(value)
        } else {
            return nil
        }
    }
}

extension String: SQLConvertible {
    public var sqlValue: SQLValue { .text(self) }
    public init?(sqlValue: SQLValue) {
        guard case .text(let text) = sqlValue else { return nil }
        self = text
    }
}

extension SQLConvertible where Self: FixedWidthInteger {
    public var sqlValue: SQLValue {
        get throws {
            guard let value = Int64(exactly: self) else {
                throw EventStoreError(.invalidArgument, "\(self) does not fit a 64-bit integer.")
            }
            return .integer(value)
        }
    }
    public init?(sqlValue: SQLValue) {
        guard case .integer(let value) = sqlValue else { return nil }
        self.init(exactly: value)
    }
}

extension Int: SQLConvertible {}
extension Int8: SQLConvertible {}
extension Int16: SQLConvertible {}
extension Int32: SQLConvertible {}
extension Int64: SQLConvertible {}
extension UInt: SQLConvertible {}
extension UInt8: SQLConvertible {}
extension UInt16: SQLConvertible {}
extension UInt32: SQLConvertible {}
extension UInt64: SQLConvertible {}

extension Bool: SQLConvertible {
    public var sqlValue: SQLValue { .integer(self ? 1 : 0) }
    public init?(sqlValue: SQLValue) {
        switch sqlValue {
        case .integer(0): self = false
        case .integer(1): self = true
        default: return nil
        }
    }
}

extension Double: SQLConvertible {
    public var sqlValue: SQLValue {
        get throws {
            // SQLite would store it as NULL.
            if isNaN {
                throw EventStoreError(.invalidArgument, "NaN is not supported: not every database can return it.")
            }
            return .real(self)
        }
    }
    /// Also reads a whole number that it holds exactly, and, rounded, a decimal in text form.
    public init?(sqlValue: SQLValue) {
        switch sqlValue {
        case .real(let value): self = value
        case .integer(let value): self.init(exactly: value)
        case .text(let text):
            guard Decimal(exactly: text) != nil else { return nil }
            self.init(text)
        default: return nil
        }
    }
}

extension Float: SQLConvertible {
    public var sqlValue: SQLValue {
        get throws { try Double(self).sqlValue }
    }
    public init?(sqlValue: SQLValue) {
        guard let value = Double(sqlValue: sqlValue), Float(value).isFinite || value.isInfinite else { return nil }
        self = Float(value)
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
    public var sqlValue: SQLValue {
        get throws {
            guard let text = exactText else {
                throw EventStoreError(.invalidArgument, "\(self) cannot be stored: it could not be read back.")
            }
            return .text(text)
        }
    }
    /// Reads text, a whole number, or a floating-point number of at most 15 digits, which it keeps exactly.
    public init?(sqlValue: SQLValue) {
        switch sqlValue {
        case .text(let text): self.init(exactly: text)
        case .integer(let value): self.init(value)
        case .real(let value):
            let text = value.description
            let digits = text.utf8.prefix { $0 | 0x20 != UInt8(ascii: "e") }
                .filter { (UInt8(ascii: "0")...UInt8(ascii: "9")).contains($0) }.drop { $0 == UInt8(ascii: "0") }
            let zeros = digits.reversed().prefix { $0 == UInt8(ascii: "0") }.count
            guard digits.count - zeros <= 15 else { return nil }
            self.init(exactly: text)
        default: return nil
        }
    }
}

extension Date: SQLConvertible {
    public var sqlValue: SQLValue {
        get throws {
            guard let text = Timestamp.text(of: self) else {
                throw EventStoreError(.invalidArgument, "The date is outside the years 0 to 9999.")
            }
            return .text(text)
        }
    }
    public init?(sqlValue: SQLValue) {
        guard case .text(let text) = sqlValue, let date = Timestamp.date(from: text) else { return nil }
        self = date
    }
}

extension Data: SQLConvertible {
    public var sqlValue: SQLValue { .blob([UInt8](self)) }
    public init?(sqlValue: SQLValue) {
        guard case .blob(let bytes) = sqlValue else { return nil }
        self.init(bytes)
    }
}

extension Position: SQLConvertible {
    public var sqlValue: SQLValue { .integer(rawValue) }
    public init?(sqlValue: SQLValue) {
        guard case .integer(let value) = sqlValue else { return nil }
        self.init(rawValue: value)
    }
}

extension StreamID: SQLConvertible {
    public var sqlValue: SQLValue { .text(name) }
    public init?(sqlValue: SQLValue) {
        guard case .text(let name) = sqlValue else { return nil }
        self.init(name)
    }
}

extension JSONText: SQLConvertible {
    public var sqlValue: SQLValue { .text(string) }
    public init?(sqlValue: SQLValue) {
        guard case .text(let text) = sqlValue, let json = try? JSONText(text) else { return nil }
        self = json
    }
}
