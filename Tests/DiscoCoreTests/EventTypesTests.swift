import DiscoEventStore
import Foundation
import Testing

@testable import DiscoCore

/// Every recorded event type can be decoded again, or the program does not start.
@Suite struct EventTypesTests {
    // swift-format-ignore: AlwaysUseLowerCamelCase
    private enum Letters: DomainEvent, Equatable {
        case ıdot(Int)
        case ßeta, ŉapo, ǆet, éclair, Upper
        case moneyDeposited(amount: Int)
        case x
    }

    private enum Listed: DomainEvent {
        case moneyDeposited(amount: Int)
        case upper

        enum CodingKeys: String, CodingKey, CaseIterable { case moneyDeposited, upper }
    }

    private enum Plain: DomainEvent, CaseIterable { case opened, shut }

    private func recorded(as type: String) -> RecordedEvent {
        RecordedEvent(
            position: 7, stream: "a-1", version: 1, id: UUID(), type: type, payload: "{}", recordedAt: Date())
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

    @Test func anUnknownTypeErrorListsTheKnownTypes() throws {
        let error = try #require(throws: UndecodableEvent.self) { try Listed(recorded(as: "MoneyLost")) }
        for part in ["MoneyLost", "position 7", "Listed", "known types: MoneyDeposited, Upper. Add", "Upcaster"] {
            #expect(error.description.contains(part), "\(error)")
        }
        let plain = try #require(throws: UndecodableEvent.self) { try Plain(recorded(as: "Locked")) }
        #expect(plain.description.contains("known types: Opened, Shut. Add"), "\(plain)")
    }

    @Test func anUnknownTypeErrorListsNoTypesIfTheCasesAreNotListed() throws {
        let error = try #require(throws: UndecodableEvent.self) { try Letters(recorded(as: "MoneyLost")) }
        #expect(
            error.description == "The event of type MoneyLost at position 7 in a-1 cannot be decoded as Letters: "
                + "no case has this type. Add a case or an Upcaster for it, or restrict the query to known types")
    }

    /// A case is found only by the exact letters of its own type.
    @Test(arguments: ["moneyDeposited", "eclair", "E\u{301}clair", "upper", "upper ", "", "X ", "Money", "ẞeta"])
    func aTypeThatNoCaseIsRecordedAsIsUnknown(type: String) {
        let error = #expect(throws: UndecodableEvent.self) { try Letters(recorded(as: type)) }
        #expect(error?.description.contains("no case has this type") == true)
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
    private enum Siblings: DomainEvent {
        case opened, Opened
        enum CodingKeys: String, CodingKey, CaseIterable { case opened, Opened }
    }
    private enum Twice: DomainEvent {
        case opened, unlocked
        static let typesOfCases = ["unlocked": "Opened"]
        enum CodingKeys: String, CodingKey, CaseIterable { case opened, unlocked }
    }
    private enum Misspelt: DomainEvent {
        case opened
        static let typeVersions = ["Openend": 2]
        enum CodingKeys: String, CodingKey, CaseIterable { case opened }
    }
    private enum Unknown: DomainEvent {
        case opened
        static let typesOfCases = ["opend": "DoorOpened"]
        enum CodingKeys: String, CodingKey, CaseIterable { case opened }
    }
    private enum Huge: DomainEvent {
        case opened
        static let typeVersions = ["Opened": 1 << 31]
    }
    private enum Reserved: DomainEvent {
        case opened
        static let typesOfCases = ["opened": "$opened"]
    }

    /// The error when the event is recorded.
    private func problem(_ event: some DomainEvent) -> String {
        do {
            return "recorded as \(try event.recorded(in: "a-1").type)"
        } catch {
            return "\(error)"
        }
    }

    @Test func anEventThatCouldNotBeDecodedIsRefused() {
        #expect(problem(NoEnum()).contains("NoEnum is a struct. Make it an enum"))
        #expect(problem(Joined()).contains("Joined is not an enum"))
        #expect(problem(Single.opened).contains("Single is encoded as a single value"))
        #expect(problem(Siblings.Opened).contains("the cases opened and Opened as the same type, Opened"))
        #expect(problem(Twice.opened).contains("the cases opened and unlocked as the same type, Opened"))
        #expect(
            problem(Misspelt.opened).contains(
                "the type Openend, but no case is recorded as this type. The types are Opened."))
        #expect(problem(Unknown.opened).contains("the case opend, which does not exist. The cases are opened."))
        #expect(problem(Huge.opened).contains("the version 2147483648"))
        #expect(problem(Reserved.opened).contains("begins with $"))
    }

    // MARK: Cases that are not listed

    private enum AlsoTwice: DomainEvent {
        case opened, unlocked
        static let typesOfCases = ["unlocked": "Opened"]
    }
    private enum Stated: DomainEvent {
        case opened, unlocked
        static let typesOfCases = ["opened": "DoorOpened", "unlocked": "DoorOpened"]
    }
    // swift-format-ignore: AlwaysUseLowerCamelCase
    private enum Capital: DomainEvent {
        case Opened, unlocked
        static let typesOfCases = ["unlocked": "Opened"]
    }
    private enum AlsoMisspelt: DomainEvent {
        case opened, unlocked
        static let typesOfCases = ["unlocked": "DoorUnlocked"]
        static let typeVersions = ["Opened": 2, "DoorUnlocked": 2, "Openend": 2, "Unlocked": 2, "opened": 2]
    }
    private enum AlsoUnknown: DomainEvent {
        case opened
        static let typesOfCases = ["opend": "DoorOpened"]
    }
    /// The two cases swap their types.
    private enum Swapped: DomainEvent, Equatable {
        case opened, shut
        static let typesOfCases = ["opened": "Shut", "shut": "Opened"]
        static let typeVersions = ["Opened": 2]
    }

    @Test func namedCasesAndTypesAreCheckedAgainstTheCodingKeys() throws {
        #expect(
            problem(AlsoTwice.opened).contains(
                "AlsoTwice records the cases opened and unlocked as the same type, Opened. "
                    + "Rename one of them, or give it another type in `typesOfCases`."))
        #expect(problem(Stated.opened).contains("the cases opened and unlocked as the same type, DoorOpened"))
        #expect(problem(Capital.Opened).contains("the cases Opened and unlocked as the same type, Opened"))
        #expect(
            problem(AlsoUnknown.opened).contains(
                "`typesOfCases` of AlsoUnknown names the case opend, which does not exist. Correct the name."))
        for type in ["Openend", "Unlocked", "opened"] {
            #expect(
                EventTypes.of(AlsoMisspelt.self).problems.contains(
                    "`typeVersions` of AlsoMisspelt names the type \(type), but no case is recorded as this type. "
                        + "Correct the name."))
        }
        #expect(EventTypes.of(AlsoMisspelt.self).problems.count == 3)
        #expect(EventTypes.of(Swapped.self).problems == [])
        let new = try Swapped.shut.recorded(in: "a-1")
        #expect(new.type == "Opened")
        #expect(new.typeVersion == 2)
        #expect(try Swapped(recorded(as: "Shut")) == .opened)
    }

    // swift-format-ignore: AlwaysUseLowerCamelCase
    private enum Alike: DomainEvent, Equatable {
        case foo(Int)
        case Foo(Int)
        case other(Int)
    }
    // swift-format-ignore: AlwaysUseLowerCamelCase
    private enum AlikeAndVersioned: DomainEvent {
        case foo, Foo
        static let typeVersions = ["Foo": 2]
    }
    // swift-format-ignore: AlwaysUseLowerCamelCase
    private enum ToldApart: DomainEvent, Equatable {
        case foo, Foo
        static let typesOfCases = ["Foo": "LargeFoo"]
    }

    private let sentence =
        "Alike records the cases foo and Foo as the same type, Foo. "
        + "Rename one of them, or give it another type in `typesOfCases`."

    @Test func casesThatDifferOnlyInACapitalAreRefusedWhenRecorded() async throws {
        let store = InMemoryEventStore()
        #expect(EventTypes.of(Alike.self).problems == [])
        for event in [Alike.foo(1), .Foo(1), .foo(2)] {
            let error = #expect(throws: EventStoreError.self) { try event.recorded(in: "a-1") }
            #expect(error?.code == .invalidAppend)
            #expect(error?.message == sentence)
        }
        // The other cases are not affected.
        try await EventStoreClient(store).append(Append([try Alike.other(1).recorded(in: "a-1")]))
        let events = try await EventStoreClient(store).events().collect().map { try Alike($0) }
        #expect(events == [.other(1)])
    }

    @Test func casesThatDifferOnlyInACapitalAreRefusedWhenRead() {
        for _ in 0..<2 {
            let error = #expect(throws: UndecodableEvent.self) { try Alike(recorded(as: "Foo")) }
            #expect(error?.description.hasSuffix(sentence) == true)
        }
    }

    @Test func casesThatDifferOnlyInACapitalAreFoundAtOnceIfTheirTypeIsNamed() throws {
        #expect(problem(AlikeAndVersioned.foo).contains("the cases foo and Foo as the same type, Foo"))
        #expect(EventTypes.of(AlikeAndVersioned.self).problems.count == 1)
        #expect(try ToldApart.Foo.recorded(in: "a-1").type == "LargeFoo")
        #expect(try ToldApart.foo.recorded(in: "a-1").type == "Foo")
        #expect(try ToldApart(recorded(as: "Foo")) == .foo)
        #expect(try ToldApart(recorded(as: "LargeFoo")) == .Foo)
    }

    /// Custom coding keys that accept any name, so that the cases cannot be found out.
    private enum ByHand: DomainEvent, Equatable {
        case opened, shut

        struct Name: CodingKey {
            let stringValue: String
            var intValue: Int? { nil }
            init(stringValue: String) { self.stringValue = stringValue }
            init?(intValue: Int) { nil }
        }

        init(from decoder: any Decoder) throws {
            switch try decoder.container(keyedBy: Name.self).allKeys.first?.stringValue {
            case "opened": self = .opened
            case "shut": self = .shut
            default: throw DecodingError.dataCorrupted(.init(codingPath: [], debugDescription: "no such event"))
            }
        }

        func encode(to encoder: any Encoder) throws {
            var container = encoder.container(keyedBy: Name.self)
            try container.encode([String: Int](), forKey: Name(stringValue: self == .shut ? "shut" : "opened"))
        }
    }

    @Test func customCodingIsNotChecked() throws {
        #expect(EventTypes.of(ByHand.self).problems == [])
        #expect(!EventTypes.of(ByHand.self).knowsCases)
        #expect(try ByHand.shut.recorded(in: "a-1").type == "Shut")
        #expect(try ByHand(recorded(as: "Shut")) == .shut)
        let error = #expect(throws: UndecodableEvent.self) { try ByHand(recorded(as: "Locked")) }
        #expect(error?.description.contains("no such event") == true)
    }

    /// A case that the coding keys omit.
    private enum Forgotten: DomainEvent {
        case opened, shut
        enum CodingKeys: String, CodingKey, CaseIterable { case opened }
    }

    @Test func aCaseWithoutACodingKeyIsNotRecorded() throws {
        #expect(try Forgotten.opened.recorded(in: "a-1").type == "Opened")
        let error = #expect(throws: EncodingError.self) { try Forgotten.shut.recorded(in: "a-1") }
        #expect(
            "\(try #require(error))".contains("Case 'shut' cannot be encoded because it is not defined in CodingKeys"))
    }
}
