package import Foundation

extension Decimal {
    /// The exact value of a decimal number such as `-12.50` or `1e3`.
    ///
    /// `nil` if the whole text is not such a number, or if `Decimal` has no room for its digits: it holds an integer
    /// below 2¹²⁸ times a power of ten from -128 to 127. `Decimal(string:)` rounds, drops the thirty-ninth digit, and
    /// takes `12abc` for 12.
    package init?(exactly text: String) {
        var digits = Digits()
        var rest = text.utf8[...]
        let isNegative = rest.first == UInt8(ascii: "-")
        if isNegative { rest.removeFirst() }
        var count = 0
        while let digit = rest.popDigit() {
            guard digits.append(digit) else { return nil }
            count += 1
        }
        if count > 0, rest.first == UInt8(ascii: ".") {
            rest.removeFirst()
            let whole = count
            while let digit = rest.popDigit() {
                guard digits.append(digit) else { return nil }
                digits.exponent -= 1
                count += 1
            }
            if count == whole { return nil }
        }
        guard count > 0 else { return nil }
        if let letter = rest.first, letter | 0x20 == UInt8(ascii: "e") {
            rest.removeFirst()
            guard let exponent = Self.exponent(&rest) else { return nil }
            digits.exponent += exponent
        }
        guard rest.isEmpty, let (mantissa, exponent) = digits.fitted, let significand = Decimal(exactly: mantissa)
        else {
            return nil
        }
        self = Decimal(sign: isNegative ? .minus : .plus, exponent: exponent, significand: significand)
        // A number that only fits with zeros at the end of its mantissa: Foundation strips them, then has no room for
        // the exponent.
        if isNaN { return nil }
    }

    /// The text that ``init(exactly:)`` reads as an equal value; `nil` for NaN and for values that only arithmetic can
    /// make.
    package var exactText: String? {
        if isNaN { return nil }
        let text = description
        // Only such values have so many digits.
        guard text.utf8.count < 128 || Decimal(exactly: text) == self else { return nil }
        return text
    }

    /// Saturates far beyond the exponents that a decimal can have.
    private static func exponent(_ rest: inout Substring.UTF8View) -> Int? {
        let isNegative = rest.first == UInt8(ascii: "-")
        if isNegative || rest.first == UInt8(ascii: "+") { rest.removeFirst() }
        var value = 0
        var count = 0
        while let digit = rest.popDigit() {
            value = min(1_000_000, value * 10 + Int(digit))
            count += 1
        }
        if count == 0 { return nil }
        return isNegative ? -value : value
    }

    /// A mantissa without trailing zeros, which are added to the exponent.
    private struct Digits {
        private var mantissa: UInt128 = 0
        private var zeros = 0
        var exponent = 0

        /// Returns `false` if there is no room for the digit.
        mutating func append(_ digit: UInt8) -> Bool {
            if digit == 0 {
                if mantissa > 0 { zeros += 1 }
                return true
            }
            for _ in 0...zeros {
                let (product, overflow) = mantissa.multipliedReportingOverflow(by: 10)
                if overflow { return false }
                mantissa = product
            }
            zeros = 0
            let (sum, overflow) = mantissa.addingReportingOverflow(UInt128(digit))
            mantissa = sum
            return !overflow
        }

        var fitted: (UInt128, Int)? {
            if mantissa == 0 { return (0, 0) }
            var (mantissa, exponent) = (mantissa, exponent + zeros)
            guard exponent >= -128 else { return nil }
            while exponent > 127 {
                let (product, overflow) = mantissa.multipliedReportingOverflow(by: 10)
                if overflow { return nil }
                (mantissa, exponent) = (product, exponent - 1)
            }
            return (mantissa, exponent)
        }
    }
}

extension Substring.UTF8View {
    fileprivate mutating func popDigit() -> UInt8? {
        guard let byte = first, (UInt8(ascii: "0")...UInt8(ascii: "9")).contains(byte) else { return nil }
        removeFirst()
        return byte - UInt8(ascii: "0")
    }
}
