import DiscoCore
import Foundation
import Testing

/// A schema holds every case, or it is not made.
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

    @Test func everyCaseIsInIt() throws {
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

    @Test func anEnumThatDoesNotListItsCasesIsToldWhatToWrite() async {
        let result = await #expect(processExitsWith: .failure, observing: [\.standardErrorContent]) {
            _ = EventSchema([Unlisted.self])
        }
        expect(
            "Unlisted does not list its cases, and a schema needs all of them. Write "
                + "`enum CodingKeys: String, CodingKey, CaseIterable { case a, b }` in it, with its cases for a and b.",
            of: result)
    }

    @Test func anEnumWithinAnEventListsItsCasesToo() async {
        let result = await #expect(processExitsWith: .failure, observing: [\.standardErrorContent]) {
            _ = EventSchema([Within.self])
        }
        let sentence =
            "behind Currency. Conform it (or its CodingKeys) to CaseIterable, or to ExampleProviding."
        expect("The shapes of Within cannot be told \(sentence)", of: result)
        let lists = await #expect(processExitsWith: .failure, observing: [\.standardErrorContent]) {
            _ = EventSchema([OnlyInLists.self])
        }
        expect("The shapes of OnlyInLists cannot be told \(sentence)", of: lists)
    }

    @Test func codingByHandIsLeftOut() async {
        let result = await #expect(processExitsWith: .failure, observing: [\.standardErrorContent]) {
            _ = EventSchema([ByHand.self])
        }
        expect("ByHand is not an enum with synthesised decoding", of: result)
    }
}
