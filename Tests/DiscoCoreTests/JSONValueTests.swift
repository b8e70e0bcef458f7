import DiscoCore
import Foundation
import Testing

/// JSON values in Swift: equality, lookup and creation.
@Suite struct JSONValueTests {
    private static func parsed(_ text: String) throws -> JSON { try JSONText(unchecked: Array(text.utf8)).value() }

    // MARK: Numbers

    @Test(arguments: [
        "0", "-0", "0.0", "1.0", "12.50", "1e3", "1E+2", "1e-2", "-1.5E-10", "0.000", "0e0", "18446744073709551615",
        "-9223372036854775809", "1e400", "-1E400", "1e-400", "123456789012345678901234567890.1234567890",
    ])
    func aNumberKeepsItsWrittenDigits(text: String) throws {
        guard case .number(let number) = try Self.parsed(" \(text) ") else {
            Issue.record("\(text) is not read as a number")
            return
        }
        #expect(number.literal == text)
        #expect(JSONText(.array([.number(number)])).string == "[\(text)]")
        #expect(try JSON(encoding: ["a": JSON.number(number)]).description == "{\"a\":\(text)}")
    }

    private static let amounts: [(String, integer: Int?, double: Double?, decimal: String?)] = [
        ("0", 0, 0, "0"), ("-0", 0, -0.0, "0"), ("1.0", 1, 1, "1"), ("1e3", 1000, 1000, "1000"),
        ("1E+2", 100, 100, "100"),
        ("0.5e1", 5, 5, "5"), ("50e-1", 5, 5, "5"), ("12.50", nil, 12.5, "12.5"), ("5e-1", nil, 0.5, "0.5"),
        ("1e18", 1_000_000_000_000_000_000, 1e18, "1000000000000000000"), ("1e19", nil, 1e19, "10000000000000000000"),
        ("9223372036854775807", .max, 9.223372036854775807e18, "9223372036854775807"),
        ("9223372036854775808", nil, 9.223372036854775807e18, "9223372036854775808"),
        ("-9223372036854775808", .min, -9.223372036854775808e18, "-9223372036854775808"),
        ("-9223372036854775809", nil, -9.223372036854775808e18, "-9223372036854775809"),
        ("18446744073709551615", nil, 1.8446744073709551615e19, "18446744073709551615"),
        ("1.00000000000000000000000000000000000000000001", nil, 1, nil), ("1e400", nil, nil, nil),
        ("-1e400", nil, nil, nil),
        ("1e-400", nil, 0, nil), ("1.7976931348623157e308", nil, .greatestFiniteMagnitude, nil),
        ("1.7976931348623159e308", nil, nil, nil), ("5e-324", nil, .leastNonzeroMagnitude, nil),
    ]

    @Test(arguments: amounts)
    func aNumberIsAnIntegerDoubleOrDecimalIfThatTypeHoldsIt(
        text: String, integer: Int?, double: Double?, decimal: String?
    ) throws {
        let value = try Self.parsed(text)
        guard case .number(let number) = value else {
            Issue.record("\(text) is not read as a number")
            return
        }
        #expect(value.integer == integer)
        #expect(number.integer == integer)
        // Compared by bits, since -0 is equal to 0.
        #expect(number.double?.bitPattern == double?.bitPattern)
        #expect(number.decimal == decimal.flatMap { Decimal(string: $0) })
        #expect((try? value.decode(Int.self)) == integer)
        #expect((try? value.decode(Double.self))?.bitPattern == double?.bitPattern)
    }

    @Test(arguments: [
        ("1", "1.0"), ("1", "1e0"), ("100", "1E+2"), ("1000", "1e3"), ("12.5", "12.50"), ("0", "-0"), ("0", "0.000"),
        ("0", "0e99999999999999999999"), ("0.1", "1e-1"), ("1e127", "10e126"), ("1e400", "1e400"),
        ("18446744073709551615", "1844674407370955161.5e1"),
    ])
    func numbersWithTheSameAmountAreEqualAndHashEqually(one: String, other: String) throws {
        let (one, other) = (try Self.parsed(one), try Self.parsed(other))
        #expect(one == other)
        #expect(other == one)
        #expect(one.hashValue == other.hashValue)
        #expect(Set([one, other, [one], [other], ["a": one], ["a": other]]).count == 3)
    }

    @Test(arguments: [
        ("1", "2"), ("1", "-1"), ("1e3", "1e4"), ("0.1", "0.10000000000000000000000001"), ("1e400", "1e401"),
        ("1e400", "-1e400"), ("1e-400", "0"),
        // Both convert to the same `Double`.
        ("9007199254740993", "9007199254740992"), ("18446744073709551615", "18446744073709551616"),
    ])
    func numbersWithDifferentAmountsAreNotEqual(one: String, other: String) throws {
        let (one, other) = (try Self.parsed(one), try Self.parsed(other))
        #expect(one != other)
        #expect(["a": one] as JSON != ["a": other])
        #expect(Set([one, other]).count == 2)
    }

    // MARK: Equality

    @Test func valuesOfDifferentKindsAreNotEqual() {
        let values: [JSON] = [
            nil, false, true, 0, 1, "", "0", "1", "null", "true", [], [nil], [[]], [:], ["": nil], ["a": nil], ["a": 1],
            [1], [1, nil], ["1"], [["a": 1]],
        ]
        for (place, value) in values.enumerated() {
            for (otherPlace, other) in values.enumerated() {
                #expect((value == other) == (place == otherPlace), "\(value) and \(other)")
            }
        }
        #expect(Set(values).count == values.count)
    }

    @Test func theOrderOfElementsMattersAndThatOfMembersDoesNot() {
        #expect([1, 2] as JSON != [2, 1])
        let one: JSON = ["a": 1, "b": ["c": nil, "d": [1, 2]]]
        let other: JSON = ["b": ["d": [1, 2], "c": nil], "a": 1]
        #expect(one == other)
        #expect(one.hashValue == other.hashValue)
        #expect(one.description != other.description)
        // The same names and values, paired differently.
        #expect(["a": 1, "b": 2] as JSON != ["a": 2, "b": 1])
        #expect(["a": 1] as JSON != ["a": 1, "b": 2])
        #expect(["a": 1, "b": 2] as JSON != ["a": 1])
        #expect(["a": 1, "b": 2] as JSON != ["a": 1, "c": 2])
    }

    // MARK: Looking up

    @Test func missingElementsAndMembersAreNil() {
        let list: JSON = [1, nil]
        #expect(list[0] == 1)
        // A null element is present.
        #expect(list[1] == .some(.null))
        for index in [2, 3, -1, .min, .max] { #expect(list[index] == nil) }
        #expect(([] as JSON)[0] == nil)
        let object: JSON = ["a": 1, "": 2, "n": nil]
        #expect(object["a"] == 1)
        #expect(object[""] == 2)
        #expect(object["n"] == .some(.null))
        for name in ["A", "aa", "b", "0"] { #expect(object[name] == nil) }
        #expect(object["a"]?["a"] == nil)
    }

    private static let kinds: [(JSON, kind: String)] = [
        (nil, "null"), (true, "bool"), (1, "number"), (1.5, "fraction"), ("1", "string"), ([1], "array"),
        (["0": 1], "object"),
    ]

    @Test(arguments: kinds)
    func aValueConvertsOnlyToItsOwnKind(value: JSON, kind: String) {
        #expect((value.string != nil) == (kind == "string"))
        #expect((value.integer != nil) == (kind == "number"))
        #expect((value.array != nil) == (kind == "array"))
        #expect((value.object != nil) == (kind == "object"))
        #expect((value[0] != nil) == (kind == "array"))
        #expect((value["0"] != nil) == (kind == "object"))
    }

    // MARK: Making

    @Test func literalsMakeTheValuesTheySpell() {
        let value: JSON = [
            "null": nil, "true": true, "integer": -5, "fraction": 12.5, "text": "é", "list": [1, "a", [], [:]],
            "object": ["a": ["b": nil]],
        ]
        #expect(
            value.description
                == #"{"null":null,"true":true,"integer":-5,"fraction":12.5,"text":"é","list":[1,"a",[],{}],"#
                + #""object":{"a":{"b":null}}}"#)
        #expect(([:] as JSON) == .object(JSON.Object()))
        #expect(([] as JSON) == .array([]))
        // A dictionary literal would trap here.
        let twice: JSON = ["a": 1, "b": 2, "a": 3]
        #expect(twice.description == #"{"a":3,"b":2}"#)
        let object: JSON.Object = ["b": 1, "a": nil, "b": 2]
        #expect(object.names == ["b", "a"])
        #expect(JSON.object(object).description == #"{"b":2,"a":null}"#)
        #expect((1_000_000_000_000_000_000 as JSON).description == "1000000000000000000")
    }

    @Test func integersOfEveryWidthKeepTheirDigits() {
        #expect(JSON(Int8.min).description == "-128")
        #expect(JSON(UInt8.max).description == "255")
        #expect(JSON(Int16.min).description == "-32768")
        #expect(JSON(UInt32.max).description == "4294967295")
        #expect(JSON(Int.min).description == "-9223372036854775808")
        #expect(JSON(Int.max).description == "9223372036854775807")
        #expect(JSON(UInt64.max).description == "18446744073709551615")
        #expect(JSON(UInt128.max).description == "340282366920938463463374607431768211455")
        #expect(JSON(Int.min).integer == .min)
        #expect(JSON(Int.max).integer == .max)
    }

    @Test(arguments: [
        (0.0, "0"), (-0.0, "-0"), (1, "1"), (-100, "-100"), (0.1, "0.1"), (12.5, "12.5"), (1e16, "1e+16"),
        (.leastNonzeroMagnitude, "5e-324"), (.greatestFiniteMagnitude, "1.7976931348623157e+308"),
        (9_007_199_254_740_992, "9007199254740992"),
        (.nan, "null"), (.signalingNaN, "null"), (.infinity, "null"), (-.infinity, "null"),
    ])
    func aDoubleIsANumberOrNull(double: Double, text: String) throws {
        #expect(JSON(double).description == text)
        #expect((JSON.Number(double) == nil) == (text == "null"))
        if double.isFinite { #expect(try JSON(double).decode(Double.self).bitPattern == double.bitPattern) }
    }

    @Test func aDecimalIsANumberWithAllDigitsOrNull() throws {
        let values: [Decimal] = [
            0, 1, Decimal(string: "12.50")!, Decimal(string: "-0.1")!, Decimal(22) / 7, .greatestFiniteMagnitude,
            .leastFiniteMagnitude, .leastNonzeroMagnitude, Decimal(UInt64.max),
        ]
        for value in values {
            guard case .number(let number) = JSON(value) else {
                Issue.record("\(value) is no number")
                continue
            }
            #expect(number.decimal == value)
            #expect(try Self.parsed(JSON(value).description).decode(Decimal.self) == value)
        }
        #expect(JSON(Decimal(string: "12.50")!).description == "12.5")
        #expect(JSON(Decimal(string: "-0.1")!).description == "-0.1")
        #expect(JSON(Decimal.nan) == .null)
        #expect(JSON.Number(Decimal.nan) == nil)
    }

    @Test func textIsNotChanged() {
        let text = "a\"\u{301}\\\n\0"
        #expect(JSON(text).string?.unicodeScalars.elementsEqual(text.unicodeScalars) == true)
        #expect(JSON(text.dropFirst()) == .string(String(text.dropFirst())))
        #expect(JSON(text) != JSON(text.dropFirst()))
    }

    // MARK: Indented

    @Test func indentedTextHasALineForEachElementAndMember() throws {
        let value: JSON = [
            "b": [1, "a\n", [], [:], [[nil]]], "a": ["c": ["d": true]], "e": [], "f": [:], "": 12.5,
        ]
        let text = """
            {
              "b": [
                1,
                "a\\n",
                [],
                {},
                [
                  [
                    null
                  ]
                ]
              ],
              "a": {
                "c": {
                  "d": true
                }
              },
              "e": [],
              "f": {},
              "": 12.5
            }
            """
        #expect(value.indented == text)
        #expect(try Self.parsed(value.indented).description == value.description)
    }

    @Test(
        arguments: [(nil, "null"), (1, "1"), ("a", "\"a\""), ([], "[]"), ([:], "{}"), ([1], "[\n  1\n]")]
            as [(JSON, String)])
    func emptyListsAndObjectsStayOnOneLine(value: JSON, text: String) { #expect(value.indented == text) }
}
