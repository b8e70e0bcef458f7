import DiscoCore
import DiscoEventStore
import Foundation
import Testing

/// A program that would lose events does not start.
@Suite struct EventTypesAtStartupTests {
    private struct NoEnum: DomainEvent { var a = 1 }
    private enum Single: String, DomainEvent { case opened }
    // swift-format-ignore: AlwaysUseLowerCamelCase
    private enum Siblings: DomainEvent {
        case opened, Opened
        enum CodingKeys: String, CodingKey, CaseIterable { case opened, Opened }
    }
    private enum Twice: DomainEvent {
        case opened, unlocked
        static let typesOfCases = ["unlocked": "Opened"]
    }
    private enum Misspelt: DomainEvent {
        case opened
        static let typeVersions = ["Openend": 2]
    }
    private enum Unknown: DomainEvent {
        case opened
        static let typesOfCases = ["opend": "DoorOpened"]
    }
    private enum Letters: DomainEvent { case a, b, c }

    private struct Door<Event: DomainEvent>: Aggregate {
        let id: String
        static var category: String { "door" }
        static var commands: [any AggregateCommand<Door>.Type] { [] }
        mutating func apply(_ event: Event) {}
    }

    private struct Hyphen: Aggregate {
        enum Event: DomainEvent { case opened }
        let id: String
        static let category = "bank-account"
        static let commands: [any AggregateCommand<Hyphen>.Type] = []
        mutating func apply(_ event: Event) {}
    }

    private enum Fine: DomainEvent { case opened }

    private static func start(_ aggregates: any Aggregate.Type...) {
        _ = Orchestrator(client: EventStoreClient(InMemoryEventStore()), aggregates: aggregates)
    }

    private func expect(_ sentence: String, of result: ExitTest.Result?) {
        let errors = String(decoding: result?.standardErrorContent ?? [], as: UTF8.self)
        #expect(errors.contains(sentence), "\(errors)")
    }

    @Test func anEventThatIsAStructTrapsAtStartup() async {
        let result = await #expect(processExitsWith: .failure, observing: [\.standardErrorContent]) {
            Self.start(Door<NoEnum>.self)
        }
        expect("NoEnum is a struct", of: result)
    }

    @Test func anEventWithARawTypeTrapsAtStartup() async {
        let result = await #expect(processExitsWith: .failure, observing: [\.standardErrorContent]) {
            Self.start(Door<Single>.self)
        }
        expect("Single is encoded as a single value", of: result)
    }

    @Test func twoCasesWithTheSameTypeTrapAtStartup() async {
        let result = await #expect(processExitsWith: .failure, observing: [\.standardErrorContent]) {
            Self.start(Door<Siblings>.self)
        }
        expect("opened and Opened", of: result)
    }

    @Test func aMisspelledTypeTrapsAtStartup() async {
        let result = await #expect(processExitsWith: .failure, observing: [\.standardErrorContent]) {
            Self.start(Door<Misspelt>.self)
        }
        expect("Openend", of: result)
    }

    @Test func twoCasesWithTheSameStatedTypeTrapAtStartup() async {
        let result = await #expect(processExitsWith: .failure, observing: [\.standardErrorContent]) {
            Self.start(Door<Twice>.self)
        }
        expect("opened and unlocked", of: result)
    }

    @Test func aMisspelledCaseTrapsAtStartup() async {
        let result = await #expect(processExitsWith: .failure, observing: [\.standardErrorContent]) {
            Self.start(Door<Unknown>.self)
        }
        expect("opend", of: result)
    }

    @Test func twoAggregatesWithTheSameCategoryTrapAtStartup() async {
        let result = await #expect(processExitsWith: .failure, observing: [\.standardErrorContent]) {
            Self.start(Door<Fine>.self, Door<Letters>.self)
        }
        expect("have the category door", of: result)
    }

    @Test func aCategoryWithAHyphenTrapsAtStartup() async {
        let result = await #expect(processExitsWith: .failure, observing: [\.standardErrorContent]) {
            Self.start(Hyphen.self)
        }
        expect("The category of Hyphen is \"bank-account\"", of: result)
    }
}
