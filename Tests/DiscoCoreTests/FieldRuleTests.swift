import DiscoCore
import Foundation
import Testing

/// A type with a limit that values are compared with.
private protocol Bound: Codable, Comparable, Sendable {
    static var limit: Self { get }
}

/// The messages of the rules, for requests made in Swift and for requests that came in by name.
@Suite struct FieldRuleTests {
    /// The messages by field, empty if all are valid; any other error has the key "other error".
    private func faults(_ body: () throws -> Void) -> [String: [String]] {
        do {
            try body()
            return [:]
        } catch let error as ValidationError {
            return error.fields
        } catch {
            return ["other error": ["\(error)"]]
        }
    }

    private func faults<Request: NamedRequest>(of type: Request.Type, _ json: JSON) -> [String: [String]] {
        faults { _ = try Request(validating: json) }
    }

    /// Checks that the messages are the same by type and by name, alone and beside another wrong field.
    private func faultsEitherWay<Request: NamedRequest>(_ request: Request) throws -> [String: [String]] {
        let typed = faults { try request.validated() }
        var json = try JSON(encoding: request)
        #expect(faults(of: Request.self, json) == typed)
        if case .object(var object) = json {
            object["unknown"] = "red"
            json = .object(object)
        }
        var withAnother = typed
        withAnother["unknown"] = ["is not a known field"]
        #expect(faults(of: Request.self, json) == withAnother)
        return typed
    }

    // MARK: Bounds

    private struct Bounds<Value: Bound>: NamedRequest {
        var atLeast: Value
        var atMost: Value
        var greaterThan: Value
        var lessThan: Value

        init(_ value: Value) { (atLeast, atMost, greaterThan, lessThan) = (value, value, value, value) }

        static var rules: [FieldRule<Self>] {
            [
                .field(CodingKeys.atLeast, \.atLeast, .atLeast(Value.limit)),
                .field(CodingKeys.atMost, \.atMost, .atMost(Value.limit)),
                .field(CodingKeys.greaterThan, \.greaterThan, .greaterThan(Value.limit)),
                .field(CodingKeys.lessThan, \.lessThan, .lessThan(Value.limit)),
            ]
        }
    }

    private enum Place { case below, at, above, nowhere }

    /// The messages that the four checks must give for a value.
    private func expected<Value: Bound>(_ place: Place, _ limit: Value) -> [String: [String]] {
        var faults: [String: [String]] = [:]
        if place == .below || place == .nowhere { faults["atLeast"] = ["must be at least \(limit)"] }
        if place == .above || place == .nowhere { faults["atMost"] = ["must be at most \(limit)"] }
        if place != .above { faults["greaterThan"] = ["must be greater than \(limit)"] }
        if place != .below { faults["lessThan"] = ["must be less than \(limit)"] }
        return faults
    }

    @Test(arguments: [(Int.min, .below), (9, .below), (10, .at), (11, .above), (.max, .above)] as [(Int, Place)])
    private func integersAreComparedWithTheirBounds(value: Int, place: Place) throws {
        #expect(try faultsEitherWay(Bounds(value)) == expected(place, 10))
    }

    @Test(
        arguments: [
            (-.greatestFiniteMagnitude, .below), (-10.5, .below), (0, .below), (-0.0, .below), (10.5.nextDown, .below),
            (10.5, .at), (10.5.nextUp, .above), (.greatestFiniteMagnitude, .above),
        ] as [(Double, Place)])
    private func doublesAreComparedWithTheirBounds(value: Double, place: Place) throws {
        #expect(try faultsEitherWay(Bounds(value)) == expected(place, 10.5))
    }

    /// JSON has no such numbers.
    @Test(
        arguments: [
            (.nan, .nowhere), (.signalingNaN, .nowhere), (-.infinity, .below), (.infinity, .above),
        ] as [(Double, Place)])
    private func aDoubleThatIsNaNFailsEveryBound(value: Double, place: Place) {
        #expect(faults { try Bounds(value).validated() } == expected(place, 10.5))
    }

    @Test(
        arguments: [
            ("-10.1", .below), ("0", .below), ("10.099999999999999999999999999999999999", .below), ("10.1", .at),
            ("10.10", .at), ("101e-1", .at), ("10.100000000000000000000000000000000001", .above), ("1e127", .above),
        ] as [(String, Place)])
    private func decimalsAreComparedDigitByDigit(text: String, place: Place) throws {
        let value = try JSONText(text).decode(Decimal.self)
        #expect(try faultsEitherWay(Bounds(value)) == expected(place, Decimal(string: "10.1")!))
        let json = try JSONText(text).value()
        let fields: JSON = ["atLeast": json, "atMost": json, "greaterThan": json, "lessThan": json]
        #expect(faults(of: Bounds<Decimal>.self, fields) == expected(place, Decimal(string: "10.1")!))
    }

    @Test func aDecimalThatIsNaNFailsEveryBound() {
        let faults = faults { try Bounds(Decimal.nan).validated() }
        #expect(faults["atLeast"] == ["must be at least 10.1"])
        #expect(faults["greaterThan"] == ["must be greater than 10.1"])
    }

    @Test(
        arguments: [
            ("", .below), ("M", .below), ("l", .below), ("lz", .below), ("m", .at), ("m\0", .above),
            ("m\u{301}", .above),
            ("ma", .above), ("n", .above), ("日本", .above),
        ] as [(String, Place)])
    private func textIsComparedWithItsBounds(value: String, place: Place) throws {
        #expect(try faultsEitherWay(Bounds(value)) == expected(place, "m"))
    }

    private struct Extremes: NamedRequest {
        var lowest: Int
        var highest: Int
        var below: Int
        var above: Int

        static let rules: [FieldRule<Self>] = [
            .field(CodingKeys.lowest, \.lowest, .atLeast(.min), .atMost(.min)),
            .field(CodingKeys.highest, \.highest, .atLeast(.max), .atMost(.max)),
            .field(CodingKeys.below, \.below, .lessThan(.min)),
            .field(CodingKeys.above, \.above, .greaterThan(.max)),
        ]
    }

    @Test func theSmallestAndLargestIntegersAreValidBounds() throws {
        let never = ["below": ["must be less than \(Int.min)"], "above": ["must be greater than \(Int.max)"]]
        #expect(try faultsEitherWay(Extremes(lowest: .min, highest: .max, below: .min, above: .max)) == never)
        let other = try faultsEitherWay(Extremes(lowest: .min + 1, highest: .max - 1, below: .max, above: .min))
        #expect(other["lowest"] == ["must be at most \(Int.min)"])
        #expect(other["highest"] == ["must be at least \(Int.max)"])
        #expect(other.count == 4)
    }

    // MARK: Collections

    private struct Sizes: NamedRequest {
        var text: String
        var list: [Int?]
        var names: [String: Int]
        var data: Data
        var short: String
        var few: [Int]
        var none: [Int]
        var pair: Set<Int>

        static let rules: [FieldRule<Self>] = [
            .field(CodingKeys.text, \.text, .notEmpty),
            .field(CodingKeys.list, \.list, .notEmpty),
            .field(CodingKeys.names, \.names, .notEmpty),
            .field(CodingKeys.data, \.data, .notEmpty),
            .field(CodingKeys.short, \.short, .count(2...3)),
            .field(CodingKeys.few, \.few, .count(2...3)),
            .field(CodingKeys.none, \.none, .count(0...0)),
            .field(CodingKeys.pair, \.pair, .count(2...2)),
        ]

        static let valid = Sizes(
            text: "a", list: [nil], names: ["": 0], data: Data([0]), short: "ab", few: [1, 1], none: [], pair: [1, 2])
    }

    @Test func emptyValuesAreReported() throws {
        #expect(try faultsEitherWay(Sizes.valid) == [:])
        var sizes = Sizes.valid
        (sizes.text, sizes.list, sizes.names, sizes.data) = ("", [], [:], Data())
        let empty = ["must not be empty"]
        #expect(try faultsEitherWay(sizes) == ["text": empty, "list": empty, "names": empty, "data": empty])
        // None of these is empty.
        for text in [" ", "\0", "\u{301}", "\u{FEFF}", "\u{200B}", "\n"] {
            sizes = .valid
            sizes.text = text
            #expect(try faultsEitherWay(sizes) == [:])
        }
    }

    /// Unicode scalars are counted: one letter may have any number of accents.
    @Test(
        arguments: [
            ("", false), ("a", false), ("ab", true), ("abc", true), ("abcd", false), ("e\u{301}", true),
            ("e\u{301}e", true), ("e\u{301}e\u{301}", false), ("\u{E9}\u{E9}\u{E9}\u{E9}", false),
            ("🎉🎉", true), ("👩‍👩‍👧", false), ("\u{301}", false),
        ])
    func theLengthOfATextIsBoundedOnBothSides(text: String, isValid: Bool) throws {
        var sizes = Sizes.valid
        sizes.short = text
        #expect(try faultsEitherWay(sizes) == (isValid ? [:] : ["short": ["must have 2 to 3 characters"]]))
    }

    @Test(arguments: 0...5)
    func theLengthOfAListIsBoundedOnBothSides(count: Int) throws {
        var sizes = Sizes.valid
        sizes.few = Array(repeating: 7, count: count)
        sizes.none = sizes.few
        sizes.pair = Set(0..<count)
        var expected: [String: [String]] = [:]
        if count < 2 || count > 3 { expected["few"] = ["must have 2 to 3 elements"] }
        if count != 0 { expected["none"] = ["must have 0 to 0 elements"] }
        if count != 2 { expected["pair"] = ["must have 2 to 2 elements"] }
        #expect(try faultsEitherWay(sizes) == expected)
    }

    // MARK: One of several

    private struct Choices: NamedRequest {
        var colour: String = "red"
        var count: Int = 1
        var price: Decimal = 1.5
        var ratio: Double = 0.5

        static let rules: [FieldRule<Self>] = [
            .field(CodingKeys.colour, \.colour, .oneOf("red", "", "gr\u{FC}n")),
            .field(CodingKeys.count, \.count, .oneOf(1, .min)),
            .field(CodingKeys.price, \.price, .oneOf(1.5, 2)),
            .field(CodingKeys.ratio, \.ratio, .oneOf(0.5, .nan)),
        ]
    }

    @Test func aValueOutsideTheListIsReported() throws {
        for colour in ["red", "", "gr\u{FC}n"] { #expect(try faultsEitherWay(Choices(colour: colour)) == [:]) }
        for colour in ["Red", "re", "redd", " ", "red ", "red\u{301}", "grun", "red, "] {
            #expect(try faultsEitherWay(Choices(colour: colour)) == ["colour": ["must be one of: red, , gr\u{FC}n"]])
        }
        for count in [1, .min] { #expect(try faultsEitherWay(Choices(count: count)) == [:]) }
        for count in [0, 2, -1, .min + 1, .max] {
            #expect(try faultsEitherWay(Choices(count: count)) == ["count": ["must be one of: 1, \(Int.min)"]])
        }
        #expect(try faultsEitherWay(Choices(price: 2)) == [:])
        #expect(try faultsEitherWay(Choices(price: Decimal(string: "1.50")!)) == [:])
        #expect(
            try faultsEitherWay(Choices(price: Decimal(string: "1.50000000000000000000000000000000001")!))
                == ["price": ["must be one of: 1.5, 2"]])
        #expect(try faultsEitherWay(Choices(ratio: 0.5.nextUp)) == ["ratio": ["must be one of: 0.5, nan"]])
        // NaN is equal to nothing, not even itself.
        #expect(faults { try Choices(ratio: .nan).validated() } == ["ratio": ["must be one of: 0.5, nan"]])
    }

    // MARK: Several rules

    private struct Several: NamedRequest {
        var number: Int
        var text: String

        static let rules: [FieldRule<Self>] = [
            .field(
                CodingKeys.number, \.number, .atLeast(10), .satisfies("must be even") { $0.isMultiple(of: 2) },
                .oneOf(10, 12)),
            .field(CodingKeys.text, \.text, .notEmpty),
            // A second rule for the same field; one message repeats.
            .field(CodingKeys.number, \.number, .satisfies("must be round") { $0 % 10 == 0 }, .atLeast(10)),
        ]

        func validate() throws {
            if text == "ten", number != 10 { throw ValidationError(["number": ["must be 10", "must be even"]]) }
        }
    }

    @Test func allFaultsOfAFieldAreReportedOnceInTheOrderOfItsRules() throws {
        #expect(try faultsEitherWay(Several(number: 10, text: "ten")) == [:])
        let all = ["must be at least 10", "must be even", "must be one of: 10, 12", "must be round"]
        #expect(try faultsEitherWay(Several(number: 3, text: "")) == ["number": all, "text": ["must not be empty"]])
        #expect(try faultsEitherWay(Several(number: .min, text: "a"))["number"] == [all[0], all[2], all[3]])
        #expect(try faultsEitherWay(Several(number: 20, text: "a")) == ["number": ["must be one of: 10, 12"]])
        #expect(try faultsEitherWay(Several(number: 12, text: "a")) == ["number": ["must be round"]])
    }

    @Test func theFaultsThatTheRequestFindsAreReportedBesideThoseOfItsRules() {
        let all = ["must be at least 10", "must be even", "must be one of: 10, 12", "must be round", "must be 10"]
        #expect(faults { try Several(number: 3, text: "ten").validated() } == ["number": all])
        #expect(faults(of: Several.self, ["number": 3, "text": "ten"]) == ["number": all])
        // If a field is missing, there is no request to validate.
        #expect(
            faults(of: Several.self, ["number": 3, "text": nil])
                == ["number": all.dropLast(), "text": ["must not be null"]])
    }

    @Test func theRulesOfAFieldAreCheckedEvenIfAnotherFieldIsWrong() {
        #expect(
            faults(of: Several.self, ["number": "three", "text": ""])
                == ["number": ["must be an integer"], "text": ["must not be empty"]])
        #expect(
            faults(of: Several.self, ["text": ""]) == ["number": ["is required"], "text": ["must not be empty"]])
        #expect(
            faults(of: Several.self, ["number": 11])
                == ["number": ["must be even", "must be one of: 10, 12", "must be round"], "text": ["is required"]])
        #expect(faults(of: Several.self, ["number": 10]) == ["text": ["is required"]])
        #expect(
            faults(of: Several.self, ["number": 10, "text": "a", "txet": ""]) == ["txet": ["is not a known field"]])
    }
}

extension Int: Bound {
    fileprivate static var limit: Int { 10 }
}
extension Double: Bound {
    fileprivate static var limit: Double { 10.5 }
}
extension Decimal: Bound {
    fileprivate static var limit: Decimal { Decimal(string: "10.1")! }
}
extension String: Bound {
    fileprivate static var limit: String { "m" }
}
