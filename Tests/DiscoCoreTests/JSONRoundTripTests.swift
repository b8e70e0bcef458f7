import DiscoCore
import DiscoTesting
import Foundation
import Testing

/// Written values read back equal, and encoded values decode equal.
@Suite(.timeLimit(.minutes(1))) struct JSONRoundTripTests {
    @Test(arguments: 1...8)
    func writtenValuesReadBackEqual(seed: UInt64) throws {
        var values = GeneratedValues(seed: seed)
        for _ in 0..<500 {
            let value = values.json()
            let text = JSONText(value)
            let read = try JSONText(unchecked: text.bytes).value()
            #expect(read == value)
            #expect(read.hashValue == value.hashValue)
            // Compared by bytes, since Swift strings treat é and e with a combining accent as equal.
            #expect(JSONText(read).bytes == text.bytes)
            #expect(JSONText(try JSONText(value.indented).value()).bytes == text.bytes)
            #expect(JSONText(try JSON(encoding: value)).bytes == text.bytes)
            #expect(JSONText(try value.decode(JSON.self)).bytes == text.bytes)
            #expect(try JSONText(encoding: [text]).bytes == Array("[".utf8) + text.bytes + Array("]".utf8))
        }
    }

    private struct Box<Value: Codable>: Codable { var value: Value }

    /// Checks that the value round trips through JSON values and text, and encodes to the same bytes again.
    private func expectBack<Value: Codable & Equatable>(
        _ value: Value, sourceLocation: SourceLocation = #_sourceLocation
    ) throws {
        let json = try JSON(encoding: Box(value: value))
        let text = try JSONText(encoding: Box(value: value))
        #expect(JSONText(json) == text, sourceLocation: sourceLocation)
        for back in [
            try json.decode(Box<Value>.self).value, try JSONText(text.string).decode(Box<Value>.self).value,
            // On its own and as an element.
            try JSONText(JSONText(encoding: value).string).decode(Value.self),
            try #require(try JSONText(encoding: [value, value]).decode([Value].self).last),
        ] {
            #expect(back == value, sourceLocation: sourceLocation)
            let again = JSONText(sorted(try JSON(encoding: Box(value: back))))
            #expect(again == JSONText(sorted(json)), sourceLocation: sourceLocation)
        }
    }

    /// Equal dictionaries may list their members in different orders.
    private func sorted(_ value: JSON) -> JSON {
        switch value {
        case .array(let elements): .array(elements.map(sorted))
        case .object(let object):
            .object(
                JSON.Object(
                    object.map { ($0.name, sorted($0.value)) }
                        .sorted { $0.0.utf8.lexicographicallyPrecedes($1.0.utf8) }))
        default: value
        }
    }

    private func expectBack<Value: Codable & Equatable>(
        eachOf values: [Value], sourceLocation: SourceLocation = #_sourceLocation
    ) throws {
        for value in values { try expectBack(value, sourceLocation: sourceLocation) }
    }

    @Test func numbersOfEveryWidthRoundTrip() throws {
        try expectBack(eachOf: [true, false])
        try expectBack(eachOf: [Int.min, -1, 0, 1, .max])
        try expectBack(eachOf: [Int8.min, 0, .max])
        try expectBack(eachOf: [Int16.min, 0, .max])
        try expectBack(eachOf: [Int32.min, 0, .max])
        try expectBack(eachOf: [Int64.min, 0, .max])
        try expectBack(eachOf: [UInt.min, 1, .max])
        try expectBack(eachOf: [UInt8.min, .max])
        try expectBack(eachOf: [UInt16.min, .max])
        try expectBack(eachOf: [UInt32.min, .max])
        try expectBack(eachOf: [UInt64.min, 1 << 53 + 1, .max])
        try expectBack(
            eachOf: [0, -0.0, 0.1, 1 / 3, 1e16, -1e21, .pi, .leastNonzeroMagnitude, .greatestFiniteMagnitude]
                as [Double])
        try expectBack(
            eachOf: [0, -0.0, 0.1, 1 / 3, 16_777_216, .pi, .leastNonzeroMagnitude, .greatestFiniteMagnitude] as [Float])
        // A `Float` is written as its own shortest text, not that of the `Double` it converts to.
        #expect(
            try JSONText(encoding: [0.1, 16_777_216, .greatestFiniteMagnitude] as [Float]).string
                == "[0.1,16777216,3.4028235e+38]")
        #expect(try JSONText(encoding: -0.0).decode(Double.self).sign == .minus)
        #expect(try JSONText(encoding: -0.0 as Float).decode(Float.self).sign == .minus)
        try expectBack(eachOf: [0, 1, Decimal(22) / 7, -Decimal(UInt64.max), .greatestFiniteMagnitude])
    }

    @Test func aNumberThatDoesNotFitIsRefused() throws {
        func refuses<Value: Decodable>(_ type: Value.Type, _ texts: String...) {
            for text in texts {
                #expect(throws: DecodingError.self, "\(text) as \(type)") {
                    try JSONText(unchecked: Array(text.utf8)).decode(type)
                }
            }
        }
        refuses(Int8.self, "128", "-129", "1.5", "1e3", "\"1\"", "true", "null", "[1]")
        refuses(UInt8.self, "256", "-1", "0.5")
        refuses(Int16.self, "32768", "-32769")
        refuses(UInt16.self, "65536", "-1")
        refuses(Int32.self, "2147483648", "-2147483649")
        refuses(UInt32.self, "4294967296", "-1")
        refuses(Int.self, "9223372036854775808", "-9223372036854775809", "1e19", "0.1")
        refuses(UInt64.self, "18446744073709551616", "-1", "1e20")
        refuses(Double.self, "1e400", "-1e309", "\"NaN\"", "null")
        refuses(Float.self, "1e39", "3.5e38", "-1e400")
        refuses(Decimal.self, "1e400", "\"1\"", "null")
        refuses(Bool.self, "0", "1", "\"true\"", "null")
        refuses(String.self, "1", "null", "[\"a\"]", "{}")
        for value in [Double.nan, .infinity, -.infinity] {
            #expect(throws: EncodingError.self) { try JSON(encoding: [value]) }
            #expect(throws: EncodingError.self) { try JSON(encoding: ["a": Float(value)]) }
        }
        // The edge values fit.
        #expect(try JSONText("[-128, 127, 1e2, 12.0]").decode([Int8].self) == [-128, 127, 100, 12])
        #expect(try JSONText("[18446744073709551615, 0]").decode([UInt64].self) == [.max, 0])
    }

    @Test func foundationTypesRoundTrip() throws {
        try expectBack(eachOf: [UUID(), UUID(uuid: (0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0))])
        try expectBack(eachOf: [Date(), .distantPast, .distantFuture, Date(timeIntervalSince1970: -0.25)])
        try expectBack(eachOf: [Data(), Data([0]), Data(0...255)])
        try expectBack(
            eachOf: ["https://example.org/a%20b?c=d&e=%C3%A9#f", "file:///tmp/", "mailto:a@b.c"].compactMap(URL.init))
    }

    private enum Raw: String, Codable, CaseIterable {
        case first
        case second = "the \u{301}second \""
    }
    private enum Numbered: Int, Codable, CaseIterable {
        case one = 1
        case minusOne = -1
    }
    private enum Choice: Codable, Equatable {
        case none
        case one(Int)
        case two(first: String, second: Date?)
        indirect case more(Choice, [Choice])
    }
    private struct Empty: Codable, Equatable {}

    @Test func collectionsOptionalsAndEnumsRoundTrip() throws {
        try expectBack(eachOf: ["", "a", "\0\u{1F}\"\\/\r\n\t", "\u{301}", "👩‍👩‍👧", "\u{FEFF}"])
        try expectBack(eachOf: [nil, 1, .min] as [Int?])
        try expectBack(eachOf: [nil, "", "null"] as [String?])
        try expectBack(eachOf: [[], [1, nil, 3], [nil]] as [[Int?]])
        try expectBack(eachOf: [[], [[]], [[1], [], [2, 3]]] as [[[Int]]])
        try expectBack(eachOf: [[], ["b", "a", "\u{301}"]] as [Set<String>])
        try expectBack(eachOf: [[:], ["b": 1, "a": 2, "": 3, "\"\u{301}": 4]] as [[String: Int]])
        try expectBack(eachOf: [["a": nil, "b": 1]] as [[String: Int?]])
        try expectBack(eachOf: [[:], [1: "a", -2: "b"]] as [[Int: String]])
        try expectBack(eachOf: [[:], [UUID(): [1], UUID(): []]] as [[UUID: [Int]]])
        try expectBack(eachOf: [["a": ["b": ["c": [nil, true]]]]] as [[String: [String: [String: [Bool?]]]]])
        try expectBack(eachOf: Raw.allCases)
        try expectBack(eachOf: Numbered.allCases)
        try expectBack(eachOf: [Choice.none, .one(1), .two(first: "a", second: nil), .more(.none, [.one(2), .none])])
        try expectBack(eachOf: [1...3, -5...(-5)])
        try expectBack(Empty())
        try expectBack(eachOf: [nil, true, 1.50, "a", [], [:], ["a": [1, nil, ["b": 2]]]] as [JSON])
        try expectBack(eachOf: ["[1, 2]", "{\"a\":1.50}", "null"].map { try JSONText(JSONText($0 as String).value()) })
    }

    private struct Everything: Codable, Equatable {
        struct Nested: Codable, Equatable {
            var number: Double
            var list: [Nested]
            enum CodingKeys: String, CodingKey {
                case number = "the number"
                case list = "\u{E9}"
            }
        }

        var flag: Bool
        var integer: Int
        var small: Int8
        var unsigned: UInt64
        var number: Double
        var float: Float
        var decimal: Decimal
        var text: String
        var date: Date
        var data: Data
        var id: UUID
        var optionals: [String?]
        var missing: Decimal?
        var byName: [String: Date]
        var byID: [UUID: Int]
        var set: Set<Int>
        var choice: Choice
        var raw: Raw?
        var nested: Nested?
        var json: JSON

        init(_ values: inout GeneratedValues) {
            flag = values.flag()
            integer = values.integer()
            small = Int8(truncatingIfNeeded: values.integer())
            unsigned = UInt64(bitPattern: Int64(values.integer()))
            number = values.number()
            let narrow = Float(number)
            float = narrow.isFinite ? narrow : 0.1
            decimal = values.decimal()
            text = values.text()
            date = values.date()
            data = values.data()
            id = values.uuid()
            optionals = [values.text(), nil]
            missing = values.pick([nil, values.decimal()])
            byName = [values.text(): values.date(), "k": values.date()]
            byID = [values.uuid(): values.integer(), values.uuid(): values.integer()]
            set = [values.integer(), values.integer()]
            choice = values.pick([
                .none, .one(values.integer()), .more(.one(1), [.two(first: values.text(), second: nil)]),
            ])
            raw = values.pick([nil, .first, .second])
            nested = values.pick([
                nil, Nested(number: values.number(), list: [Nested(number: values.number(), list: [])]),
            ])
            json = values.json()
        }
    }

    @Test(arguments: 1...8)
    func structsOfEverySupportedTypeRoundTrip(seed: UInt64) throws {
        var values = GeneratedValues(seed: seed)
        for _ in 0..<150 { try expectBack(Everything(&values)) }
    }

    // MARK: Custom coding

    private class Base: Codable {
        var a: Int
        init(a: Int) { self.a = a }
    }

    /// A subclass with custom coding: its superclass is encoded in a separate member.
    private final class Derived: Base {
        let b: Int

        init(a: Int, b: Int) {
            self.b = b
            super.init(a: a)
        }

        private enum Keys: String, CodingKey { case b }

        required init(from decoder: any Decoder) throws {
            let container = try decoder.container(keyedBy: Keys.self)
            b = try container.decode(Int.self, forKey: .b)
            try super.init(from: container.superDecoder())
        }

        override func encode(to encoder: any Encoder) throws {
            var container = encoder.container(keyedBy: Keys.self)
            try container.encode(b, forKey: .b)
            try super.encode(to: container.superEncoder())
        }
    }

    @Test func aClassRoundTripsWithInheritedProperties() throws {
        let json = try JSON(encoding: Derived(a: 1, b: 2))
        // The same as Foundation's encoder writes.
        #expect(json == ["b": 2, "super": ["a": 1]])
        let back = try json.decode(Derived.self)
        #expect(back.a == 1)
        #expect(back.b == 2)
    }

    /// Containers in containers, made by custom coding.
    private struct Nesting: Codable, Equatable {
        var x: Int
        var list: [Int]
        var flag: Bool?

        enum Keys: String, CodingKey { case outer, inner, list, flag }

        init(x: Int, list: [Int], flag: Bool?) { (self.x, self.list, self.flag) = (x, list, flag) }

        init(from decoder: any Decoder) throws {
            let outer = try decoder.container(keyedBy: Keys.self)
            let inner = try outer.nestedContainer(keyedBy: Keys.self, forKey: .outer)
            x = try inner.decode(Int.self, forKey: .inner)
            var elements = try outer.nestedUnkeyedContainer(forKey: .list)
            let count = elements.count
            list = []
            while !elements.isAtEnd {
                if try elements.decodeNil() { continue }
                var pair = try elements.nestedUnkeyedContainer()
                list.append(try pair.decode(Int.self))
            }
            #expect(elements.currentIndex == count)
            #expect(throws: DecodingError.self) { try elements.decode(Int.self) }
            flag = try outer.decodeNil(forKey: .flag) ? nil : outer.decode(Bool.self, forKey: .flag)
            #expect(outer.allKeys.map(\.rawValue) == ["outer", "list", "flag"])
            #expect(outer.contains(.list) && !outer.contains(.inner))
        }

        func encode(to encoder: any Encoder) throws {
            var outer = encoder.container(keyedBy: Keys.self)
            var inner = outer.nestedContainer(keyedBy: Keys.self, forKey: .outer)
            var elements = outer.nestedUnkeyedContainer(forKey: .list)
            // The containers are filled after they were handed out.
            for element in list {
                try elements.encodeNil()
                var pair = elements.nestedUnkeyedContainer()
                try pair.encode(element)
            }
            if let flag { try outer.encode(flag, forKey: .flag) } else { try outer.encodeNil(forKey: .flag) }
            try inner.encode(x, forKey: .inner)
        }
    }

    @Test func nestedContainersRoundTrip() throws {
        try expectBack(eachOf: [Nesting(x: 1, list: [], flag: nil), Nesting(x: -1, list: [1, 2], flag: true)])
        let json = try JSON(encoding: Nesting(x: 1, list: [7], flag: nil))
        #expect(json.description == #"{"outer":{"inner":1},"list":[null,[7]],"flag":null}"#)
    }
}
