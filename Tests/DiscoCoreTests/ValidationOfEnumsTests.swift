import DiscoCore
import Testing

/// A value that does not fit its enum hides as few other faults as possible.
@Suite struct ValidationOfEnumsTests {
    private enum Size: String, Codable, CaseIterable { case small, large }
    private enum Rank: Int, Codable, CaseIterable {
        case first = 1
        case last = 9
    }
    private enum Season: Codable, CaseIterable { case spring, autumn }
    /// The other enums do not list their cases.
    private enum Colour: String, Codable { case red, green }
    private enum Payment: Codable {
        case cash
        case card(number: String)
    }
    private enum Unit: Codable, ExampleProviding {
        case metres(Int)
        case none
        static var example: Unit { .none }
    }
    private struct Code: RawRepresentable, Codable {
        let rawValue: String
        init?(rawValue: String) {
            if rawValue.utf8.count != 3 { return nil }
            self.rawValue = rawValue
        }
    }
    private struct Email: RawRepresentable, Codable {
        let rawValue: String
        init?(rawValue: String) { self.rawValue = rawValue }
        init(from decoder: any Decoder) throws {
            rawValue = try String(from: decoder)
            if !rawValue.contains("@") {
                throw DecodingError.dataCorrupted(
                    .init(codingPath: decoder.codingPath, debugDescription: "must be an address"))
            }
        }
    }

    private func faults<Request: NamedRequest>(_ type: Request.Type, _ json: JSON) -> [String: [String]] {
        do {
            _ = try Request(validating: json)
            return [:]
        } catch let error as ValidationError {
            return error.fields
        } catch {
            return ["other error": ["\(error)"]]
        }
    }

    // MARK: Listed

    private struct Order: NamedRequest {
        var size: Size
        var rank: Rank
        var season: Season
        var unit: Unit
        var count: Int
    }

    @Test func anEnumThatListsItsCasesNamesThemAndHidesNothing() {
        let wrong: JSON = ["size": "huge", "rank": 5, "season": ["winter": [:]], "unit": 7, "count": "many", "x": 1]
        #expect(
            faults(Order.self, wrong) == [
                "size": ["must be one of: small, large"], "rank": ["must be one of: 1, 9"],
                "season": ["is not an allowed value"], "unit": ["must be an object"],
                "count": ["must be an integer"], "x": ["is not a known field"],
            ])
        #expect(
            faults(Order.self, [:]) == [
                "size": ["is required"], "rank": ["is required"], "season": ["is required"], "unit": ["is required"],
                "count": ["is required"],
            ])
        let others: JSON = ["size": 1, "rank": "first", "season": .null, "unit": ["feet": 1], "count": 1]
        #expect(
            faults(Order.self, others) == [
                "size": ["must be a string"], "rank": ["must be an integer"], "season": ["must not be null"],
                "unit": ["is not an allowed value"],
            ])
    }

    // MARK: Not listed

    private struct Painted: NamedRequest {
        var first: Int
        var colour: Colour
        var count: Int
        var label: String
        var untold: Int

        static let rules: [FieldRule<Self>] = [
            .field(CodingKeys.count, \.count, .atLeast(1)),
            .field(CodingKeys.label, \.label, .notEmpty, else: "must be a label"),
        ]
    }

    @Test(arguments: [
        (JSON?("blue"), "is not an allowed value"), (7, "must be a string"),
        (JSON.null, "must not be null"), (JSON?.none, "is required"),
    ])
    func fieldsAfterAnEnumThatDoesNotListItsCasesAreCheckedByTheirRules(colour: JSON?, message: String) {
        var object: JSON.Object = ["first": "one", "count": 0, "untold": "x", "y": 1]
        object["colour"] = colour
        #expect(
            faults(Painted.self, .object(object)) == [
                "first": ["must be an integer"], "colour": [message], "count": ["must be at least 1"],
                "label": ["must be a label"],
            ])
        object["count"] = "many"
        object["label"] = "a"
        #expect(
            faults(Painted.self, .object(object)) == [
                "first": ["must be an integer"], "colour": [message], "count": ["is of the wrong type"],
            ])
    }

    @Test func anEnumWithAssociatedValuesIsReportedWithoutSwiftTerms() {
        struct Paid: NamedRequest {
            var first: Int
            var payment: Payment
        }
        for (payment, message) in [
            (["cheque": [:]], "is not an allowed value"),
            (["cash": [:], "card": [:]], "is not an allowed value"), ("cash", "must be an object"),
            (.null, "must not be null"),
        ] as [(JSON, String)] {
            #expect(
                faults(Paid.self, ["first": "1", "payment": payment])
                    == ["first": ["must be an integer"], "payment": [message]])
        }
        #expect(
            faults(Paid.self, ["first": "1", "payment": ["card": [:]]])
                == ["first": ["must be an integer"], "payment.card.number": ["is required"]])
    }

    @Test func aRefusedRawValueIsReportedInPlainWordsOrThoseOfItsType() {
        struct Priced: NamedRequest {
            var first: Int
            var code: Code
        }
        #expect(
            faults(Priced.self, ["first": "1", "code": "EURO"])
                == ["first": ["must be an integer"], "code": ["is not an allowed value"]])
        struct Written: NamedRequest {
            var first: Int
            var email: Email
        }
        #expect(
            faults(Written.self, ["first": "1", "email": "ada"])
                == ["first": ["must be an integer"], "email": ["must be an address"]])
    }

    private struct Line: Codable {
        var colour: Colour
        var count: Int
    }

    private struct Lines: NamedRequest {
        var first: Int
        var lines: [Line]
        var perhaps: Line?
        var byName: [String: Line]
        var colours: [Colour]
        var colour: Colour?
        var last: Int
    }

    /// An optional around it reads as nil, and a list or an object as empty.
    @Test func aCollectionOrOptionalOfSuchAnEnumHidesNoLaterField() {
        let line: JSON = ["colour": "blue", "count": "many", "z": 1]
        let message = ["is not an allowed value"]
        #expect(
            faults(
                Lines.self,
                [
                    "first": 1, "lines": [line, line], "perhaps": line, "byName": ["a": line], "colours": ["blue"],
                    "colour": "blue", "last": "x", "y": 1,
                ]) == [
                    "lines.0.colour": message, "perhaps.colour": message, "byName.a.colour": message,
                    "colours.0": message, "colour": message, "last": ["must be an integer"],
                    "y": ["is not a known field"],
                ])
    }

    @Test func aStructAroundSuchAnEnumIsReportedOnceByItsPath() {
        struct Boxed: NamedRequest {
            var first: Int
            var line: Line
            var last: Int
        }
        #expect(
            faults(Boxed.self, ["first": "1", "line": ["colour": "blue", "count": 1], "last": "x"])
                == ["first": ["must be an integer"], "line.colour": ["is not an allowed value"]])
        #expect(
            faults(Boxed.self, ["first": "1", "last": "x"])
                == ["first": ["must be an integer"], "line": ["is required"]])
    }
}
