package import DiscoCore
package import Foundation

/// Random values for generated cases, the same in every run.
package struct GeneratedValues {
    private var random: SplitMix

    package init(seed: UInt64 = 20_260_131) { random = SplitMix(state: seed) }

    /// SplitMix64: the standard library's generator cannot be seeded.
    private struct SplitMix: RandomNumberGenerator {
        var state: UInt64

        mutating func next() -> UInt64 {
            state &+= 0x9E37_79B9_7F4A_7C15
            var z = state
            z = (z ^ (z >> 30)) &* 0xBF58_476D_1CE4_E5B9
            z = (z ^ (z >> 27)) &* 0x94D0_49BB_1331_11EB
            return z ^ (z >> 31)
        }
    }

    package mutating func pick<Value>(_ values: [Value]) -> Value {
        values[Int.random(in: values.indices, using: &random)]
    }

    package mutating func integer() -> Int {
        pick([
            .min, .min + 1, -1, 0, 1, 255, 1 << 53, (1 << 53) + 1, .max - 1, .max,
            Int.random(in: .min ... .max, using: &random),
        ])
    }

    package mutating func number() -> Double {
        let any = Double(bitPattern: UInt64.random(in: .min ... .max, using: &random))
        return pick([
            0, -0.0, 0.1, 1e-7, .leastNonzeroMagnitude, .leastNormalMagnitude, .greatestFiniteMagnitude, 1 / 3, 1e21,
            123456789012345.678,
            any.isFinite ? any : 2,
        ])
    }

    /// Quotients have 38 or 39 digits.
    package mutating func decimal() -> Decimal {
        let quotient =
            Decimal(Int.random(in: -1_000_000...1_000_000, using: &random))
            / Decimal(Int.random(in: 1...99_999, using: &random))
        return pick([
            0, Decimal(22) / 7, Decimal(1) / 3, .greatestFiniteMagnitude, .leastFiniteMagnitude, .leastNonzeroMagnitude,
            Decimal(Int.max), Decimal(UInt64.max), quotient, quotient, quotient * 1_000_000,
        ])
    }

    package mutating func date() -> Date {
        pick([
            .distantPast, .distantFuture, Date(timeIntervalSince1970: 0), Date(timeIntervalSince1970: -1.5),
            Date(timeIntervalSinceReferenceDate: 0), Date(timeIntervalSinceReferenceDate: 1e-6),
            Date(timeIntervalSince1970: 253_402_300_799), Date(timeIntervalSince1970: 1_700_000_000.123456),
            Date(timeIntervalSinceReferenceDate: Double.random(in: 7e8...8e8, using: &random)),
            Date(timeIntervalSinceReferenceDate: Double.random(in: -6e10...2.5e11, using: &random)),
        ])
    }

    /// Text with characters that terminate, break or join text elsewhere; a NUL only if `withNUL` is true.
    package mutating func text(withNUL: Bool = true) -> String {
        let pieces = [
            "", "a", "é", "e\u{301}", "\"", "\"\u{301}", "\\", "\\\u{301}", "{", "}", ",\u{301}", "'", "\u{1}", "\r\n",
            "\n",
            "\u{7F}", "\u{2028}", "日本", "🎉", "👩‍👩‍👧", "ı", "ß", "%00", "\u{FFFD}", "\u{FEFF}", "NULL", "--",
            withNUL ? "\0" : " ",
        ]
        return (0..<Int.random(in: 0...6, using: &random)).map { _ in pick(pieces) }.joined()
    }

    /// Bytes from the whole range.
    package mutating func data() -> Data {
        Data((0..<Int.random(in: 0...20, using: &random)).map { _ in UInt8.random(in: 0...255, using: &random) })
    }

    package mutating func flag() -> Bool { Bool.random(using: &random) }
    package mutating func uuid() -> UUID { UUID(uuid: uuidBytes()) }

    private mutating func uuidBytes() -> uuid_t {
        var id = uuid_t(0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0)
        withUnsafeMutableBytes(of: &id) { bytes in
            for index in bytes.indices { bytes[index] = UInt8.random(in: 0...255, using: &random) }
        }
        return id
    }

    // MARK: Edge cases

    package static let positions: [Position] = [.min, -1, 0, 1, 2, 3, 4, .max - 1, .max].map(Position.init(rawValue:))
    package static let integers: [Int] = [.min, .min + 1, -1, 0, 1, 2, 3, 1 << 31, 1 << 53, .max - 1, .max]
    package static let dates: [Date] =
        [
            .nan, -.infinity, .infinity, -1e300, 1e300, -63_145_526_400.000_01, 252_423_993_600, 0,
        ].map(Date.init(timeIntervalSinceReferenceDate:)) + [.distantPast, .distantFuture, Date()]
    package static let names: [String] = [
        "", "\0", "a", "-", "a-", "-a", "a-1", "a-1\0x", "a-1\u{301}", "a-\u{E9}", "a-e\u{301}", "a b-1", "日本-1",
        "$a-1",
        "a-" + String(repeating: "x", count: 510), "a-" + String(repeating: "x", count: 511), "A.b_9-x-y",
        "a-\"\u{301}{,}\\",
    ]
}

/// An event with a value of every kind.
package enum EveryKind: DomainEvent, Equatable {
    package struct Nested: Codable, Equatable, Sendable {
        var text: String
        var more: [String: Decimal]
        var set: Set<String>
        var list: [Nested]
    }

    package enum Choice: Codable, Equatable, Sendable {
        case none
        case one(Int)
        case two(first: String, second: Date?)
    }

    package enum Raw: String, Codable, Equatable, Sendable {
        case first
        case second = "the \u{301}second"
    }

    case everything(
        integer: Int, unsigned: UInt64, small: Int8, number: Double, float: Float, decimal: Decimal, date: Date,
        text: String, data: Data, id: UUID, flag: Bool, missing: Int?, nested: Nested, choice: Choice, raw: Raw,
        json: JSON)
    case nothing

    package static func generated(_ values: inout GeneratedValues) -> EveryKind {
        if values.pick([false, false, false, true]) { return .nothing }
        let nested = Nested(
            text: values.text(), more: ["k": values.decimal(), "k\u{301}": 1], set: [values.text(), values.text()],
            list: [Nested(text: values.text(), more: [:], set: [], list: [])])
        return .everything(
            integer: values.integer(), unsigned: UInt64(bitPattern: Int64(values.integer())),
            small: Int8(truncatingIfNeeded: values.integer()), number: values.number(),
            float: values.pick([0, 0.1, -.greatestFiniteMagnitude, .leastNonzeroMagnitude, 1 / 3]),
            decimal: values.decimal(), date: values.date(), text: values.text(), data: values.data(), id: values.uuid(),
            flag: values.flag(), missing: values.pick([nil, 1]), nested: nested,
            choice: values.pick([.none, .one(values.integer()), .two(first: values.text(), second: values.date())]),
            raw: values.pick([.first, .second]),
            json: ["a": [1, 2.50, nil], "é": .string(values.text()), "e\u{301}": true])
    }
}
