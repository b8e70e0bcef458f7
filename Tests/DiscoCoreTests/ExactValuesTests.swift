import DiscoCore
import Foundation
import Testing

/// Encoded values decode to equal values; values that could not are refused.
@Suite struct ExactValuesTests {
    private struct Box<Value: Codable & Equatable>: Codable, Equatable { var value: Value }

    private func back<Value: Codable & Equatable>(_ value: Value) throws -> Value {
        try JSONText(JSONText(encoding: Box(value: value)).string).decode(Box<Value>.self).value
    }

    @Test func quotientsOfDecimalsKeepAllTheirDigits() throws {
        var values: [Decimal] = [Decimal(22) / 7, Decimal(1) / 3, .greatestFiniteMagnitude, .leastNonzeroMagnitude]
        for numerator in 1...100 {
            for denominator in 1...100 {
                values.append(Decimal(numerator * 7919) / Decimal(denominator))
                values.append(-Decimal(numerator) / Decimal(denominator * 104_729) * 1_000_000_000_000)
            }
        }
        for value in values {
            #expect(try back(value) == value)
            #expect(Decimal(sqlValue: try value.sqlValue) == value)
        }
    }

    @Test(arguments: [
        ("340282366920938463463374607431768211455", true), ("340282366920938463463374607431768211456", false),
        ("3.40282366920938463463374607431768211455", true), ("1e127", true), ("1e128", false), ("1e165", false),
        ("12e126", true),
        ("1e-128", true), ("1e-129", false), ("10e-129", true), ("0e99999999999999999999", true), ("-0", true),
        ("0.1234567890123456789012345678901234567890123456789", false),
        ("100000000000000000000000000000000000000000000000000", true),
    ])
    func aNumberIsADecimalOnlyIfItKeepsAllItsDigits(text: String, fits: Bool) throws {
        let decimals = [try JSONText(text).value().decimal, Decimal(sqlValue: .text(text))]
        for decimal in decimals {
            #expect((decimal != nil) == fits)
            #expect(decimal?.isNaN != true)
            if let decimal { #expect(try back(decimal) == decimal) }
        }
        if !fits { #expect(throws: DecodingError.self) { try JSONText(text).decode(Decimal.self) } }
    }

    @Test(arguments: ["12abc", "", " 1", "1 ", "+1", ".5", "1.", "1e", "0x1", "١", "1_000", "NaN", "1,5", "--1"])
    func aTextThatIsNotEntirelyANumberIsNotADecimal(text: String) {
        #expect(Decimal(sqlValue: .text(text)) == nil)
        #expect(Double(sqlValue: .text(text)) == nil)
    }

    @Test func datesAreWrittenLikeTheSystemCalendarsDates() throws {
        let known: [(Double, String)] = [
            (0, "1970-01-01T00:00:00.000000Z"), (-1, "1969-12-31T23:59:59.000000Z"),
            (951_782_399.5, "2000-02-28T23:59:59.500000Z"), (951_782_400, "2000-02-29T00:00:00.000000Z"),
            (4_107_542_400, "2100-03-01T00:00:00.000000Z"), (-62_135_596_800, "0001-01-01T00:00:00.000000Z"),
            (-62_167_219_200, "0000-01-01T00:00:00.000000Z"), (-62_162_035_201, "0000-02-29T23:59:59.000000Z"),
            (253_402_300_799, "9999-12-31T23:59:59.000000Z"), (-11_644_473_600, "1601-01-01T00:00:00.000000Z"),
        ]
        for (seconds, text) in known {
            let date = Date(timeIntervalSince1970: seconds)
            #expect(try JSONText(encoding: date).string == "\"\(text)\"")
            #expect(try JSONText("\"\(text)\"").decode(Date.self) == date)
        }
        // The same dates as the system calendar's, every 7th day over four centuries.
        let style = Date.ISO8601FormatStyle()
        for day in stride(from: -50_000.0, to: 100_000, by: 7) {
            let date = Date(timeIntervalSince1970: day * 86_400 + 12_345)
            let expected = date.formatted(style).dropLast() + ".000000Z"
            #expect(try JSONText(encoding: date).string == "\"\(expected)\"")
        }
    }

    @Test func datesRoundTrip() throws {
        var dates: [Date] = [.distantPast, .distantFuture, Date(timeIntervalSinceReferenceDate: 1e-6), Date()]
        for _ in 0..<5000 {
            dates.append(Date(timeIntervalSinceReferenceDate: .random(in: -6.3e10...2.5e11)))
            dates.append(Date(timeIntervalSinceReferenceDate: .random(in: 7e8...9e8)))
            dates.append(Date(timeIntervalSince1970: .random(in: 1.6e9...1.9e9)))
            dates.append(Date(timeIntervalSinceReferenceDate: .random(in: 1...1000)))
        }
        for date in dates {
            #expect(try back(date) == date)
            #expect(Date(sqlValue: try date.sqlValue) == date)
        }
        // Recorded times have no more digits than the store's clock.
        for microseconds: Int64 in [1_700_000_000_123_456, 1, -1, 253_402_300_799_000_000, 4_102_444_800_000_001] {
            let text = try JSONText(encoding: Timestamp.date(microseconds: microseconds)).string
            #expect(text.utf8.count == "\"2026-01-31T12:00:00.123456Z\"".utf8.count)
            #expect(Timestamp.microseconds(of: Timestamp.date(microseconds: microseconds)) == microseconds)
        }
    }

    @Test(arguments: [Double.nan, .infinity, -.infinity, 1e300, -1e300, 252_423_993_600, -63_145_526_401])
    func aDateThatCouldNotBeReadBackIsRefused(seconds: Double) {
        let date = Date(timeIntervalSinceReferenceDate: seconds)
        #expect(throws: EncodingError.self) { try JSONText(encoding: date) }
        #expect(throws: EventStoreError.self) { try date.sqlValue }
    }

    @Test(arguments: [
        "2026-02-30T12:00:00Z", "2026-02-29T12:00:00Z", "2100-02-29T12:00:00Z", "2026-04-31T00:00:00Z",
        "2026-13-01T00:00:00Z", "2026-00-01T00:00:00Z", "2026-01-00T00:00:00Z", "2026-01-01T24:30:00Z",
        "2026-01-01T24:00:00Z", "2026-01-01T12:60:00Z", "2026-01-01T12:00:60Z", "2026-01-01T12:00:00Zx",
        "2026-01-01T12:00:00Z ", " 2026-01-01T12:00:00Z", "2026-01-01T12:00:00", "2026-01-01 12:00:00Z", "2026-01-01",
        "2026-01-01T12:00:00.Z", "2026-01-01T12:00Z", "2026-01-01T12:00:00+24:00", "2026-01-01T12:00:00+01:60",
        "2026-01-01T12:00:00+1", "2026-1-01T12:00:00Z", "+2026-01-01T12:00:00Z", "12026-01-01T12:00:00Z",
        "9999-12-31T23:59:59-01:00", "0000-01-01T00:00:00+01:00", "٢026-01-01T12:00:00Z", "",
    ])
    func aTextThatIsNotADateIsRefused(text: String) throws {
        #expect(throws: DecodingError.self) { try JSONText(.string(text)).decode(Date.self) }
        #expect(Date(sqlValue: .text(text)) == nil)
    }

    @Test(arguments: [
        ("2026-01-31T12:00:00Z", 1_769_860_800), ("2026-01-31T13:00:00+01:00", 1_769_860_800),
        ("2026-01-31T06:30:00-0530", 1_769_860_800), ("2026-01-31T12:00:00.500000000000000000000Z", 1_769_860_800.5),
        ("2026-01-31T12:00:00.25+00", 1_769_860_800.25),
    ])
    func aDateMayHaveAnotherZoneAndMoreOrFewerDigits(text: String, seconds: Double) throws {
        #expect(try JSONText(.string(text)).decode(Date.self) == Date(timeIntervalSince1970: seconds))
    }

    @Test func aComputedDecimalThatCouldNotBeReadBackIsRefused() throws {
        let most = Decimal.greatestFiniteMagnitude
        let finite = most - Decimal(sign: .plus, exponent: 127, significand: Decimal(exactly: UInt128.max - 10)!)
        let values = [finite, finite * 2, most, -most, .nan]
        for value in values {
            do {
                #expect(try back(value) == value)
            } catch is EncodingError {
                #expect(throws: EventStoreError.self) { try value.sqlValue }
            }
        }
    }

    @Test func membersThatAreEqualOnlyToUnicodeAreDistinct() throws {
        let object: JSON = .object(JSON.Object([("é", 1), ("e\u{301}", 2)]))
        #expect(try JSONText(JSONText(object).string).value() == object)
        #expect(try JSON(encoding: object) == object)
        // Foundation's encoder keeps one of them; it must not trap.
        #expect(try !JSONEncoder().encode(object).isEmpty)
        #expect(throws: ValidationError(["e\u{301}": ["is not a known field"]])) {
            try Accented(validating: ["e\u{301}": 2, "é": 1])
        }
    }

    private struct Accented: DiscoCore.Query {
        var value: Int
        enum CodingKeys: String, CodingKey { case value = "é" }
        func run(in context: QueryContext) async throws -> Int { value }
    }

    /// A chain of any length.
    private final class Chain: Codable, Sendable {
        let next: Chain?
        init(_ next: Chain?) { self.next = next }
    }

    /// Nests lists `count` deep.
    private struct Lists: Encodable {
        let count: Int
        func encode(to encoder: any Encoder) throws {
            var container = encoder.unkeyedContainer()
            for _ in 0..<count {
                var nested = container.nestedUnkeyedContainer()
                try nested.encode(1)
                container = nested
            }
        }
    }

    private struct Box512: Codable { let json: JSONText }

    private struct Wrapped: Codable {
        let depth: Int
        func encode(to encoder: any Encoder) throws {
            var container = encoder.singleValueContainer()
            try container.encode(Wrapped(depth: depth - 1))
        }
    }

    @Test func nestingTooDeepIsRefusedAndDoesNotOverflowTheStack() throws {
        var deep = JSON.null
        for _ in 0..<20_000 { deep = ["a": deep] }
        #expect(throws: EncodingError.self) { try JSON(encoding: ["x": deep]) }
        #expect(throws: DecodingError.self) { try deep.decode([String: JSON].self) }
        #expect(throws: JSONError.self) { try JSONText(deep).value() }
        #expect(!deep.description.isEmpty)
        #expect(!deep.indented.isEmpty)
        #expect(throws: ValidationError.self) { try Accented(validating: deep) }
        var chain: Chain?
        for _ in 0..<5000 { chain = Chain(chain) }
        #expect(throws: EncodingError.self) { try JSON(encoding: chain) }
        #expect(throws: EncodingError.self) { try JSON(encoding: Wrapped(depth: 100_000)) }
        // The deepest nesting that is allowed.
        var allowed = JSON.null
        for _ in 0..<512 { allowed = [allowed] }
        #expect(try JSONText(JSONText(allowed).string).value() == allowed)
        #expect(try JSON(encoding: allowed) == allowed)
        #expect(throws: EncodingError.self) { try JSON(encoding: [allowed]) }
        #expect(throws: EncodingError.self) { try JSON(encoding: Box512(json: JSONText(allowed))) }
        #expect(throws: EncodingError.self) { try JSON(encoding: Lists(count: 30_000)) }
        for count in [511, 512] {
            let lists = try? JSONText(encoding: Lists(count: count))
            #expect((lists != nil) == (count < 512))
            if let lists { #expect(throws: Never.self) { try lists.value() } }
        }
    }
}

extension JSON {
    fileprivate var decimal: Decimal? {
        guard case .number(let number) = self else { return nil }
        return number.decimal
    }
}
