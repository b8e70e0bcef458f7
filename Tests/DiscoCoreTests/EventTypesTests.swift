import DiscoCore
import DiscoEventStore
import Foundation
import Testing

/// Events are recorded under types that are found again, or the program does not start.
@Suite struct EventTypesTests {
    // swift-format-ignore: AlwaysUseLowerCamelCase
    private enum Letters: DomainEvent, Equatable {
        case ıdot(Int)
        case ßeta, ŉapo, ǆet, éclair, Upper
        case moneyDeposited(amount: Int)
        case x
    }

    @Test func everyCaseIsFoundUnderTheTypeItIsRecordedAs() throws {
        let all: [Letters] = [.ıdot(1), .ßeta, .ŉapo, .ǆet, .éclair, .Upper, .moneyDeposited(amount: 5), .x]
        for event in all {
            let new = try event.recorded(in: "a-1")
            let recorded = RecordedEvent(
                position: 1, stream: "a-1", version: 1, id: new.id, type: new.type, payload: new.payload,
                recordedAt: Date())
            #expect(try Letters(recorded) == event)
        }
        #expect(try Letters.moneyDeposited(amount: 5).recorded(in: "a-1").type == "MoneyDeposited")
        #expect(try Letters.éclair.recorded(in: "a-1").type == "Éclair")
    }

    @Test func anUnknownTypeIsSaidWithThoseThatAreKnown() throws {
        let recorded = RecordedEvent(
            position: 7, stream: "a-1", version: 1, id: UUID(), type: "MoneyLost", payload: "{}", recordedAt: Date())
        let error = try #require(throws: UndecodableEvent.self) { try Letters(recorded) }
        for part in ["MoneyLost", "position 7", "Letters", "MoneyDeposited, Upper", "Upcaster"] {
            #expect(error.description.contains(part), "\(error)")
        }
    }

    private struct NoEnum: DomainEvent { var a = 1 }
    private struct Email: Codable {
        init() {}
        init(from decoder: any Decoder) throws {
            throw DecodingError.dataCorrupted(.init(codingPath: [], debugDescription: "no address"))
        }
        func encode(to encoder: any Encoder) throws {}
    }
    private struct Joined: DomainEvent { var email = Email() }
    private enum Single: String, DomainEvent { case opened }
    // swift-format-ignore: AlwaysUseLowerCamelCase
    private enum Siblings: DomainEvent { case opened, Opened }
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
    private enum Huge: DomainEvent {
        case opened
        static let typeVersions = ["Opened": 1 << 31]
    }
    private enum Reserved: DomainEvent {
        case opened
        static let typesOfCases = ["opened": "$opened"]
    }

    @Test func whatWouldBeLostIsRefusedBeforeItIsRecorded() {
        func problem(_ event: some DomainEvent) -> String {
            do {
                return "recorded as \(try event.recorded(in: "a-1").type)"
            } catch {
                return "\(error)"
            }
        }
        #expect(problem(NoEnum()).contains("NoEnum is a struct. Make it an enum"))
        #expect(problem(Joined()).contains("Joined is no enum"))
        #expect(problem(Single.opened).contains("Single is encoded as a single value"))
        #expect(problem(Siblings.Opened).contains("both of its cases opened and Opened as Opened"))
        #expect(problem(Twice.opened).contains("both of its cases opened and unlocked as Opened"))
        #expect(
            problem(Misspelt.opened).contains(
                "the type Openend, which none of its cases is recorded as. The types are Opened."))
        #expect(problem(Unknown.opened).contains("the case opend, which does not exist. The cases are opened."))
        #expect(problem(Huge.opened).contains("the version 2147483648"))
        #expect(problem(Reserved.opened).contains("begins with $"))
    }

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

    @Test func aStructOfEventsEndsTheStart() async {
        let result = await #expect(processExitsWith: .failure, observing: [\.standardErrorContent]) {
            Self.start(Door<NoEnum>.self)
        }
        expect("NoEnum is a struct", of: result)
    }

    @Test func twoCasesOfOneTypeEndTheStart() async {
        let result = await #expect(processExitsWith: .failure, observing: [\.standardErrorContent]) {
            Self.start(Door<Siblings>.self)
        }
        expect("opened and Opened", of: result)
    }

    @Test func aMisspeltTypeEndsTheStart() async {
        let result = await #expect(processExitsWith: .failure, observing: [\.standardErrorContent]) {
            Self.start(Door<Misspelt>.self)
        }
        expect("Openend", of: result)
    }

    @Test func twoAggregatesOfOneCategoryEndTheStart() async {
        let result = await #expect(processExitsWith: .failure, observing: [\.standardErrorContent]) {
            Self.start(Door<Fine>.self, Door<Letters>.self)
        }
        expect("have the category door", of: result)
    }

    @Test func aCategoryWithAHyphenEndsTheStart() async {
        let result = await #expect(processExitsWith: .failure, observing: [\.standardErrorContent]) {
            Self.start(Hyphen.self)
        }
        expect("The category of Hyphen is \"bank-account\"", of: result)
    }
}
