import DiscoCore
import Foundation
import Testing

/// The message for a field that is missing, null or of another type, by a rule with and without its own words.
@Suite struct FieldWordsTests {
    private func faults<Request: NamedRequest>(of type: Request.Type, _ json: JSON) -> [String: [String]] {
        do {
            _ = try Request(validating: json)
            return [:]
        } catch let error as ValidationError {
            return error.fields
        } catch {
            return ["other error": ["\(error)"]]
        }
    }

    /// Fields with words only, with words and checks, with checks only, and without a rule; each also as an optional.
    private struct Spoken: NamedRequest {
        var other: Int
        var words: Int
        var wordsOrNone: Int?
        var checked: Int
        var checkedOrNone: Int?
        var silent: Int
        var silentOrNone: Int?
        var plain: String
        var plainOrNone: String?

        enum CodingKeys: String, CodingKey {
            case other, words, checked, silent, plain
            case wordsOrNone = "words_or_none"
            case checkedOrNone = "checked_or_none"
            case silentOrNone = "silent_or_none"
            case plainOrNone = "plain_or_none"
        }

        static let rules: [FieldRule<Self>] = [
            .field(CodingKeys.words, else: "words"),
            .field(CodingKeys.wordsOrNone, else: "words or none"),
            .field(CodingKeys.checked, \.checked, .atLeast(1), else: "checked"),
            .field(
                CodingKeys.checkedOrNone, \.checkedOrNone, .satisfies("must be at least 1 or none") { ($0 ?? 1) >= 1 },
                else: "checked or none"),
            .field(CodingKeys.silent, \.silent, .atLeast(1)),
            .field(
                CodingKeys.silentOrNone, \.silentOrNone, .satisfies("must be at least 1 or none") { ($0 ?? 1) >= 1 }),
        ]
    }

    private static let names = ["words", "checked", "silent", "plain"]
    private static let optionals = ["words_or_none", "checked_or_none", "silent_or_none", "plain_or_none"]

    private static let valid: JSON.Object = [
        "other": 1, "words": 1, "words_or_none": 1, "checked": 1, "checked_or_none": 1, "silent": 1,
        "silent_or_none": 1,
        "plain": "a", "plain_or_none": "a",
    ]

    /// The values of `other` in turn: valid, null, of another type, and missing.
    private static let others: [(JSON?, faults: [String: [String]])] = [
        (1, [:]), (.some(.null), ["other": ["must not be null"]]), ("1", ["other": ["must be an integer"]]),
        (nil, ["other": ["is required"]]),
    ]

    private func expect(
        _ json: JSON.Object, _ expected: [String: [String]], sourceLocation: SourceLocation = #_sourceLocation
    ) {
        for (other, faults) in Self.others {
            var object = json
            object["other"] = other
            let all = faults.merging(expected) { one, _ in one }
            #expect(
                self.faults(of: Spoken.self, .object(object)) == all, "\(JSON.object(object))",
                sourceLocation: sourceLocation)
        }
    }

    @Test func validFieldsAreNotReported() {
        expect(Self.valid, [:])
    }

    @Test func aMissingOptionalFieldIsNotReported() {
        for name in Self.optionals {
            var json = Self.valid
            json[name] = nil
            expect(json, [:])
            json[name] = JSON.null
            expect(json, [:])
        }
        var json = Self.valid
        for name in Self.optionals { json[name] = nil }
        expect(json, [:])
    }

    private static let words = [
        "words": "words", "words_or_none": "words or none", "checked": "checked", "checked_or_none": "checked or none",
    ]

    @Test func aMissingFieldIsReportedInTheWordsOfItsRule() {
        for name in Self.names {
            var json = Self.valid
            json[name] = nil
            expect(json, [name: [Self.words[name] ?? "is required"]])
        }
    }

    @Test func aNullFieldIsReportedInTheWordsOfItsRule() {
        for name in Self.names {
            var json = Self.valid
            json[name] = JSON.null
            expect(json, [name: [Self.words[name] ?? "must not be null"]])
        }
    }

    @Test(arguments: [true, [], [1], [:], ["a": 1]] as [JSON])
    func aFieldOfAnotherTypeIsReportedInTheWordsOfItsRule(value: JSON) {
        for name in Self.names + Self.optionals {
            var json = Self.valid
            json[name] = value
            let otherwise = name.hasPrefix("plain") ? "must be a string" : "must be an integer"
            expect(json, [name: [Self.words[name] ?? otherwise]])
        }
    }

    @Test func anIntegerThatDoesNotFitIsAWrongType() {
        for value: JSON in [1.5, "1", JSON(UInt64.max)] {
            for name in (Self.names + Self.optionals) where !name.hasPrefix("plain") {
                var json = Self.valid
                json[name] = value
                expect(json, [name: [Self.words[name] ?? "must be an integer"]])
            }
        }
    }

    @Test func aFieldThatFailsACheckIsReportedInTheWordsOfTheCheck() {
        var json = Self.valid
        for name in ["checked", "checked_or_none", "silent", "silent_or_none", "words", "words_or_none"] {
            json[name] = 0
        }
        let (least, leastOrNone) = (["must be at least 1"], ["must be at least 1 or none"])
        expect(
            json,
            ["checked": least, "checked_or_none": leastOrNone, "silent": least, "silent_or_none": leastOrNone])
    }

    @Test func allFieldsAreReportedAtOnce() {
        let empty = faults(of: Spoken.self, [:])
        #expect(
            empty
                == [
                    "other": ["is required"], "words": ["words"], "checked": ["checked"], "silent": ["is required"],
                    "plain": ["is required"],
                ])
        var all = Self.valid
        for name in all.names { all[name] = [] }
        #expect(faults(of: Spoken.self, .object(all)).count == 9)
    }

    @Test(arguments: [nil, 1, "a", [], [[:]]] as [JSON])
    func aRequestThatIsNotAnObjectIsRefused(value: JSON) {
        #expect(faults(of: Spoken.self, value) == ["": ["must be an object with the fields of spoken"]])
    }

    // MARK: A field that stops decoding

    /// Checks what it decodes, so a wrong value stops the decoding.
    private struct Code: Codable, Sendable {
        let text: String

        init(from decoder: any Decoder) throws {
            text = try decoder.singleValueContainer().decode(String.self)
            guard text.utf8.first == UInt8(ascii: "C") else {
                throw DecodingError.dataCorrupted(
                    .init(codingPath: decoder.codingPath, debugDescription: "must begin with C"))
            }
        }

        func encode(to encoder: any Encoder) throws {
            var container = encoder.singleValueContainer()
            try container.encode(text)
        }
    }

    private struct Coded: NamedRequest {
        var code: Code
        var words: Int?
        var checked: Int?
        var amount: Int
        var count: Int

        static let rules: [FieldRule<Self>] = [
            .field(CodingKeys.words, else: "words"),
            .field(
                CodingKeys.checked, \.checked, .satisfies("must be at least 1 or none") { ($0 ?? 1) >= 1 },
                else: "checked"),
            .field(CodingKeys.amount, \.amount, .atLeast(1), else: "amount"),
            .field(CodingKeys.count, \.count, .atLeast(1)),
        ]
    }

    @Test func theFieldsAfterOneThatStopsDecodingAreCheckedByTheirRules() {
        let code = ["must begin with C"]
        #expect(faults(of: Coded.self, ["code": "C1", "words": 1, "checked": 1, "amount": 1, "count": 1]) == [:])
        #expect(
            faults(of: Coded.self, ["code": "x", "words": 1, "checked": 1, "amount": 1, "count": 1]) == ["code": code])
        #expect(
            faults(of: Coded.self, ["code": "x", "words": 1, "checked": 0, "amount": 0, "count": 0])
                == [
                    "code": code, "checked": ["must be at least 1 or none"], "amount": ["must be at least 1"],
                    "count": ["must be at least 1"],
                ])
        let wrong = faults(of: Coded.self, ["code": "x", "words": 1, "checked": "1", "amount": "1", "count": "1"])
        #expect(wrong.keys.sorted() == ["amount", "checked", "code", "count"])
        #expect(wrong["checked"] == ["checked"])
        #expect(wrong["amount"] == ["amount"])
        let missing = faults(of: Coded.self, ["code": "x", "words": 1])
        #expect(missing == ["code": code, "amount": ["amount"], "count": ["is required"]])
    }

    /// A rule with words only does not know whether its field is optional.
    @Test func anOptionalFieldAfterOneThatStopsDecodingIsNotReported() {
        for checked in [nil, 1] as [JSON?] {
            var json: JSON.Object = ["code": "x", "amount": 1, "count": 1]
            json["checked"] = checked
            #expect(faults(of: Coded.self, .object(json)) == ["code": ["must begin with C"]])
        }
    }
}
