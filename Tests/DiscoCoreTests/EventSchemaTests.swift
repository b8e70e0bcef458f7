import Foundation
import Testing

@testable import DiscoCore

/// A schema has every case of its enums, or cannot be made.
@Suite struct EventSchemaTests {
    private enum Currency: String, Codable { case euro, dollar }
    private enum Listed: String, Codable, CaseIterable { case euro, dollar }

    private enum Unlisted: DomainEvent {
        case opened(by: String)
        case shut
    }

    private enum Within: DomainEvent {
        case opened(memo: String, currency: Currency, limit: Int)
        case renamed(currencies: [Currency])
        enum CodingKeys: String, CodingKey, CaseIterable { case opened, renamed }
    }

    private enum OnlyInLists: DomainEvent {
        case opened(currencies: [Currency], perhaps: Currency?)
        enum CodingKeys: String, CodingKey, CaseIterable { case opened }
    }

    private enum Whole: DomainEvent {
        case opened(currency: Listed, perhaps: Listed?)
        case shut
        enum CodingKeys: String, CodingKey, CaseIterable { case opened, shut }
        static let typesOfCases = ["shut": "Locked"]
        static let typeVersions = ["Opened": 2]
    }

    private enum Plain: DomainEvent, CaseIterable { case opened, shut }

    private enum ByHand: DomainEvent {
        case opened
        init(from decoder: any Decoder) throws { self = .opened }
        func encode(to encoder: any Encoder) throws { try ["opened": [String: Int]()].encode(to: encoder) }
    }

    /// Fields with names that mean something else in the file.
    private enum Reserved: DomainEvent {
        struct Choice: Codable { var optional: [Int] }
        struct Nested: Codable { var fields: Choice }

        case chosen(choice: Choice, nested: Nested, perhaps: [Int]?)
        enum CodingKeys: String, CodingKey, CaseIterable { case chosen }
    }

    @Test func aFieldWhoseNameIsAWordOfTheFileIsAField() throws {
        let text = try EventSchema([Reserved.self]).text()
        #expect(text.contains(#""choice":{"fields":{"optional":["integer"]}}"#))
        #expect(text.contains(#""nested":{"fields":{"fields":{"fields":{"optional":["integer"]}}}}"#))
        #expect(text.contains(#""perhaps":{"optional":["integer"]}"#))
        // A field is lost, where an optional list would only have become a list.
        let choice: JSON = ["fields": ["optional": ["integer"]]]
        #expect(Compatibility.problems(from: choice, to: ["integer"], "x") != [])
        #expect(Compatibility.problems(from: choice, to: ["optional": ["integer"]], "x") != [])
        #expect(Compatibility.problems(from: choice, to: ["optional": ["optional": ["integer"]]], "x") != [])
        #expect(
            Compatibility.problems(from: choice, to: ["optional": ["fields": ["optional": ["integer"]]]], "x") == [])
    }

    @Test func aSchemaHasEveryCase() throws {
        #expect(
            try EventSchema([Whole.self, Plain.self]).text() == """
                {
                  "EventSchemaTests.Plain": {
                    "Opened": {
                      "1": {}
                    },
                    "Shut": {
                      "1": {}
                    }
                  },
                  "EventSchemaTests.Whole": {
                    "Locked": {
                      "1": {}
                    },
                    "Opened": {
                      "2": {"currency":{"any of":["dollar","euro"]},"perhaps":{"optional":{"any of":["dollar","euro"]}}}
                    }
                  }
                }

                """)
    }

    private func expect(_ sentence: String, of result: ExitTest.Result?) {
        let errors = String(decoding: result?.standardErrorContent ?? [], as: UTF8.self)
        #expect(errors.contains(sentence), "\(errors)")
    }

    @Test func anEnumThatDoesNotListItsCasesTrapsWithAFix() async {
        let result = await #expect(processExitsWith: .failure, observing: [\.standardErrorContent]) {
            _ = EventSchema([Unlisted.self])
        }
        expect(
            "Unlisted does not list its cases, and a schema needs all of them. Write "
                + "`enum CodingKeys: String, CodingKey, CaseIterable { case a, b }` in it, with its cases for a and b.",
            of: result)
    }

    @Test func anEnumInsideAnEventMustListItsCasesToo() async {
        let result = await #expect(processExitsWith: .failure, observing: [\.standardErrorContent]) {
            _ = EventSchema([Within.self])
        }
        let sentence =
            "because of Currency. Conform it (or its CodingKeys) to CaseIterable, or to ExampleProviding."
        expect("The shapes of Within cannot be determined \(sentence)", of: result)
        let lists = await #expect(processExitsWith: .failure, observing: [\.standardErrorContent]) {
            _ = EventSchema([OnlyInLists.self])
        }
        expect("The shapes of OnlyInLists cannot be determined \(sentence)", of: lists)
    }

    @Test func customCodingTraps() async {
        let result = await #expect(processExitsWith: .failure, observing: [\.standardErrorContent]) {
            _ = EventSchema([ByHand.self])
        }
        expect("ByHand is not an enum with synthesised decoding", of: result)
    }
}
