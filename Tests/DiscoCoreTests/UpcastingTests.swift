import DiscoCore
import DiscoEventStore
import Foundation
import Testing

private struct Account: Aggregate {
    let id: String
    var cents = 0
    var street = ""
    var city = ""

    init(id: String) { self.id = id }

    static let commands: [any AggregateCommand<Account>.Type] = [PayIn.self, PayOut.self]

    enum Event: DomainEvent, Equatable {
        case moneyDeposited(cents: Int)
        case moneyWithdrawn(cents: Int)
        case streetChanged(street: String)
        case cityChanged(city: String)

        static let typeVersions = ["MoneyDeposited": 2]
    }

    mutating func apply(_ event: Event) {
        switch event {
        case .moneyDeposited(let amount): cents += amount
        case .moneyWithdrawn(let amount): cents -= amount
        case .streetChanged(let street): self.street = street
        case .cityChanged(let city): self.city = city
        }
    }
}

private struct PayIn: AggregateCommand {
    let id: String
    let cents: Int

    var target: CommandTarget<String> { .any(id) }

    func run(on account: Account) throws -> [Account.Event] { [.moneyDeposited(cents: cents)] }
}

private struct PayOut: UpdateCommand {
    let id: String
    let cents: Int

    func run(on account: Account) throws -> [Account.Event] {
        guard account.cents >= cents else { throw AccountRefusal.notEnough(account.cents) }
        return [.moneyWithdrawn(cents: cents)]
    }
}

private enum AccountRefusal: Refusal, Equatable {
    case notEnough(Int)

    var message: String { "There is not enough." }
}

/// Answers with what was there.
private struct EmptyAccount: ActionCommand {
    let id: String

    func run(in context: ActionContext) async throws -> Int {
        let account = try await context.load(Account.self, id)
        try await context.append([account.recording(.moneyWithdrawn(cents: account.state.cents))])
        return account.state.cents
    }
}

/// The money of all accounts.
private struct Vault: DecisionModel {
    var cents = 0

    mutating func apply(_ event: Account.Event) {
        switch event {
        case .moneyDeposited(let amount): cents += amount
        case .moneyWithdrawn(let amount): cents -= amount
        case .streetChanged, .cityChanged: break
        }
    }
}

private struct Insure: DecisionCommand {
    let most: Int

    var query: EventQuery { .types("MoneyDeposited", "MoneyWithdrawn") }
    var model: Vault { Vault() }

    func run(on vault: Vault) throws -> [Account.Event] {
        guard vault.cents <= most else { throw AccountRefusal.notEnough(vault.cents) }
        return []
    }
}

@Suite(.timeLimit(.minutes(1))) struct UpcastingTests {
    private struct Nonsense: Error {}

    private static let upcasters = [
        // Renamed.
        Upcaster("MoneyPaidIn", to: "MoneyDeposited"),
        // Its payload was in another unit: from whole coins to cents.
        Upcaster("MoneyDeposited", from: 1, to: 2) { old in
            ["cents": JSON((old["coins"]?.integer ?? 0) * 100)]
        },
        // Two instead of one.
        Upcaster("AddressChanged", into: ["StreetChanged", "CityChanged"]) { old in
            [
                .init("StreetChanged", ["street": old["street"] ?? ""]),
                .init("CityChanged", ["city": old["city"] ?? ""]),
            ]
        },
        // One, another or none.
        Upcaster("Moved", into: ["StreetChanged", "CityChanged"]) { old in
            if let street = old["street"] { return [.init("StreetChanged", ["street": street])] }
            if let city = old["city"] { return [.init("CityChanged", ["city": city])] }
            return []
        },
        .dropping("NoteTaken"),
    ]

    private let store = InMemoryEventStore()
    private var recorded: EventStoreClient { EventStoreClient(store) }
    private var client: EventStoreClient { EventStoreClient(store, upcasters: Self.upcasters) }

    private func orchestrator() -> Orchestrator {
        Orchestrator(client: client, aggregates: [Account.self], commands: [EmptyAccount.self])
    }

    /// Records an event as it was recorded once.
    @discardableResult
    private func record(
        _ type: String, version: Int = 1, _ payload: JSONText = "{}", in stream: StreamID = "account-a",
        tags: [EventTag] = []
    ) async throws -> Appended {
        try await recorded.append(
            Append([NewEvent(stream: stream, type: type, typeVersion: version, payload: payload, tags: tags)]))
    }

    private func seen(_ events: EventSequence) async throws -> [Account.Event] {
        try await events.collect().map { try Account.Event($0) }
    }

    // MARK: Reading

    @Test func renamedChangedSplitAndDroppedEventsAreSeenAsTheyAreToday() async throws {
        try await record("MoneyPaidIn", #"{"coins":3}"#, tags: ["x"])
        try await record("MoneyDeposited", #"{"coins":2}"#)
        try await record("NoteTaken", #"{"text":"hello"}"#)
        try await record("AddressChanged", #"{"street":"Elm","city":"Ulm"}"#)
        try await record("MoneyDeposited", version: 2, #"{"cents":7}"#)
        let expected: [Account.Event] = [
            .moneyDeposited(cents: 300), .moneyDeposited(cents: 200), .streetChanged(street: "Elm"),
            .cityChanged(city: "Ulm"), .moneyDeposited(cents: 7),
        ]
        #expect(try await seen(client.events(in: "account-a")) == expected)
        #expect(try await seen(client.events()) == expected)
        #expect(try await seen(client.events(pageSize: 1)) == expected)
        #expect(try await seen(client.events(in: "account-a", direction: .backward)) == expected.reversed())
        #expect(try await seen(client.events(direction: .backward, pageSize: 1)) == expected.reversed())
        #expect(try await seen(client.events(in: "account-a", from: 3, to: 4)) == Array(expected[2...3]))
        // What surrounds them stays.
        let (old, new) = (try await recorded.events().collect(), try await client.events().collect())
        #expect(old.map(\.type).prefix(2) == ["MoneyPaidIn", "MoneyDeposited"])
        #expect(new.map(\.typeVersion) == [2, 2, 1, 1, 2])
        // Of the two parts at position 4 the first resumes before it.
        #expect(new.map(\.position) == [1, 2, 3, 4, 5])
        #expect(new.map(\.version) == [1, 2, 4, 4, 5])
        #expect(new.map(\.id) == [old[0].id, old[1].id, old[3].id, old[3].id, old[4].id])
        #expect(new.first?.tags == ["x"])
        #expect(new.map(\.recordedAt).first == old[0].recordedAt)
    }

    @Test func aQueryForATypeFindsWhatBecameItAndNotWhatItNoLongerIs() async throws {
        try await record("MoneyPaidIn", #"{"coins":3}"#)
        try await record("AddressChanged", #"{"street":"Elm","city":"Ulm"}"#)
        try await record("Moved", #"{"city":"Rome"}"#)
        try await record("Moved", #"{"street":"Oak"}"#)
        try await record("Moved")
        let cities = try await seen(client.events(.types("CityChanged")))
        #expect(cities == [.cityChanged(city: "Ulm"), .cityChanged(city: "Rome")])
        let streets = try await seen(client.events(.types("StreetChanged"), direction: .backward))
        #expect(streets == [.streetChanged(street: "Oak"), .streetChanged(street: "Elm")])
        #expect(try await seen(client.events(.types("MoneyDeposited"))) == [.moneyDeposited(cents: 300)])
        for old in ["MoneyPaidIn", "AddressChanged", "Moved"] {
            #expect(try await client.events(.types(old)).collect().isEmpty)
        }
        #expect(try await seen(client.events(.types("MoneyDeposited").or(.types("CityChanged")))).count == 3)
        // A limit cuts off no part of an event: whoever resumes after it would never get past it.
        #expect(try await client.events(.category("account"), limit: 2).collect().count == 3)
    }

    @Test func aConditionForATypeFindsWhatBecameIt() async throws {
        let position = try #require(try await record("MoneyPaidIn", #"{"coins":3}"#).last)
        let new = NewEvent(stream: "account-b", type: "MoneyWithdrawn", payload: #"{"cents":1}"#)
        let failed = await #expect(throws: ConditionFailed.self) {
            try await client.append(Append([new], condition: AppendCondition(noneMatch: .types("MoneyDeposited"))))
        }
        #expect(failed?.position == position)
        let appended = try await client.append(
            Append([new], condition: AppendCondition(noneMatch: .types("MoneyDeposited"), after: position)))
        #expect(appended.last == 2)
    }

    @Test func whatBecameSomethingElseStandsAgainstNothing() async throws {
        let upcasters = [
            Upcaster("Moved", into: ["MovedIn", "MovedOut"]) { old in
                [.init(old["in"] == true ? "MovedIn" : "MovedOut", [:])]
            }
        ]
        let client = EventStoreClient(store, upcasters: upcasters)
        for isIn in [true, true, false] {
            let payload: JSONText = isIn ? #"{"in":true}"# : #"{"in":false}"#
            try await client.append(Append([NewEvent(stream: "house-1", type: "Moved", payload: payload)]))
        }
        let new = NewEvent(stream: "house-2", type: "Other", payload: "{}")
        let failed = await #expect(throws: ConditionFailed.self) {
            try await client.append(Append([new], condition: AppendCondition(noneMatch: .types("MovedOut"))))
        }
        #expect(failed != nil)
        let condition = AppendCondition(noneMatch: .types("MovedOut"), after: 3)
        #expect(try await client.append(Append([new], condition: condition)).last == 4)
        // Two of its type are there, and neither is one today.
        try await client.append(Append([NewEvent(stream: "house-1", type: "Moved", payload: #"{"in":true}"#)]))
        try await client.append(Append([NewEvent(stream: "house-1", type: "Moved", payload: #"{"in":true}"#)]))
        let later = NewEvent(stream: "house-2", type: "Other", payload: "{}")
        #expect(try await client.append(Append([later], condition: condition)).last == 7)
    }

    @Test func aModelIsFoldedFromWhatTheEventsAreToday() async throws {
        try await record("MoneyPaidIn", #"{"coins":3}"#)
        try await record("MoneyDeposited", version: 2, #"{"cents":7}"#, in: "account-b")
        let one = orchestrator()
        #expect(try await one.dispatch(Insure(most: 307)).model.cents == 307)
        await #expect(throws: AccountRefusal.notEnough(307)) { try await one.dispatch(Insure(most: 306)) }
    }

    @Test func anEventIsLookedUpByItsIDAsItIsToday() async throws {
        let id = try #require(try await record("MoneyPaidIn", #"{"coins":3}"#).events.first?.id)
        let event = try #require(try await client.event(id))
        #expect(try Account.Event(event) == .moneyDeposited(cents: 300))
    }

    @Test func theVersionOfAStreamIsThatOfItsLastEventThoughThatWasDropped() async throws {
        try await record("MoneyPaidIn", #"{"coins":3}"#)
        try await record("NoteTaken")
        #expect(try await client.exists("account-a"))
        #expect(try await client.version(of: "account-a") >= 1)
    }

    @Test func aSubscriberGetsThemAsTheyAreToday() async throws {
        try await record("MoneyPaidIn", #"{"coins":3}"#)
        try await record("NoteTaken")
        var elements: [Subscription.Element] = []
        for try await element in client.subscribe(to: .category("account")) {
            elements.append(element)
            if case .event(let event) = element, event.type == "CityChanged" { break }
            // Live, too.
            if case .caughtUp = element { try await record("AddressChanged", #"{"street":"Elm","city":"Ulm"}"#) }
        }
        let events = elements.compactMap { element -> RecordedEvent? in
            guard case .event(let event) = element else { return nil }
            return event
        }
        #expect(events.map(\.type) == ["MoneyDeposited", "StreetChanged", "CityChanged"])
        #expect(events.map(\.position) == [1, 2, 3])
        // It moves on over what means nothing any more.
        #expect(elements.contains(.progress(2)))
    }

    // MARK: Dispatching

    @Test func anAggregateIsFoldedFromWhatItsEventsAreToday() async throws {
        try await record("MoneyPaidIn", #"{"coins":3}"#)
        try await record("AddressChanged", #"{"street":"Elm","city":"Ulm"}"#)
        let paid = try await orchestrator().dispatch(PayOut(id: "a", cents: 299))
        #expect(paid.state.cents == 1)
        #expect(paid.state.street == "Elm")
        #expect(paid.state.city == "Ulm")
        #expect(paid.version == 3)
        #expect(paid.conflicts == 0)
    }

    @Test func typesAreRecordedWithTheirVersions() async throws {
        let one = orchestrator()
        try await one.dispatch(PayIn(id: "a", cents: 5))
        try await one.dispatch(PayOut(id: "a", cents: 5))
        let events = try await recorded.events().collect()
        #expect(events.map(\.type) == ["MoneyDeposited", "MoneyWithdrawn"])
        #expect(events.map(\.typeVersion) == [2, 1])
        // Of this version nothing has to be made.
        #expect(try await seen(client.events()) == [.moneyDeposited(cents: 5), .moneyWithdrawn(cents: 5)])
    }

    @Test(arguments: [1, 3, 150])
    func anAggregateWhoseLastEventsWereDroppedTakesCommands(dropped: Int) async throws {
        try await record("MoneyPaidIn", #"{"coins":3}"#)
        let warm = orchestrator()
        try await warm.dispatch(PayOut(id: "a", cents: 50))
        for _ in 0..<dropped { try await record("NoteTaken") }
        let paid = try await orchestrator().dispatch(PayOut(id: "a", cents: 100))
        #expect(paid.state.cents == 150)
        #expect(paid.version == dropped + 3)
        for _ in 0..<dropped { try await record("NoteTaken") }
        let again = try await warm.dispatch(PayOut(id: "a", cents: 100))
        #expect(again.state.cents == 50)
        await #expect(throws: AccountRefusal.notEnough(50)) { try await warm.dispatch(PayOut(id: "a", cents: 51)) }
        #expect(try await warm.dispatch(PayOut(id: "a", cents: 50)).state.cents == 0)
    }

    @Test func anActionOnAnAggregateWhoseLastEventWasDroppedIsCarriedOut() async throws {
        try await record("MoneyPaidIn", #"{"coins":3}"#)
        try await record("NoteTaken")
        #expect(try await orchestrator().dispatch(EmptyAccount(id: "a")).output == 300)
        #expect(try await orchestrator().dispatch(PayIn(id: "a", cents: 1)).state.cents == 1)
    }

    @Test func whatAConflictCarriesIsSeenAsItIsToday() async throws {
        let one = orchestrator()
        try await one.dispatch(PayIn(id: "a", cents: 1))
        // A process that was not brought up to date yet.
        try await record("MoneyPaidIn", #"{"coins":3}"#)
        try await record("NoteTaken")
        try await record("AddressChanged", #"{"street":"Elm","city":"Ulm"}"#)
        let paid = try await one.dispatch(PayIn(id: "a", cents: 1))
        #expect(paid.conflicts == 1)
        #expect(paid.state.cents == 302)
        #expect(paid.state.city == "Ulm")
        #expect(paid.version == 5)
        let conflict = await #expect(throws: VersionConflict.self) {
            try await client.append(Append([], expect: ["account-a": .exactly(1)]))
        }
        #expect(
            conflict?.streams.first?.unseen.map(\.type)
                == ["MoneyDeposited", "StreetChanged", "CityChanged", "MoneyDeposited"])
    }

    // MARK: Mistakes

    @Test(arguments: [("MoneyDeposited", 3), ("MoneyWithdrawn", 2)])
    func anEventOfAVersionFromWhichNothingLeadsIsNotTakenForAnother(type: String, version: Int) async throws {
        let one = orchestrator()
        try await one.dispatch(PayIn(id: "a", cents: 5))
        let position = try #require(try await record(type, version: version, #"{"cents":1}"#).last)
        for orchestrator in [one, orchestrator()] {
            let error = await #expect(throws: UndecodableEvent.self) {
                try await orchestrator.dispatch(PayOut(id: "a", cents: 5))
            }
            #expect(error?.position == position)
            #expect(error?.type == type)
        }
        #expect(try await recorded.head() == position)
    }

    @Test func anUpcasterThatThrowsIsAnEventThatCannotBeDecoded() async throws {
        let upcaster = Upcaster("MoneyPaidIn", into: ["MoneyDeposited"]) { _ in throw Nonsense() }
        let error = try await undecodable([upcaster])
        #expect(error.reason is Nonsense)
    }

    @Test func anUpcasterThatYieldsATypeItDoesNotNameIsAMistake() async throws {
        let upcaster = Upcaster("MoneyPaidIn", into: ["MoneyDeposited"]) { [.init("MoneyFound", $0)] }
        let error = try await undecodable([upcaster])
        #expect(error.description.contains("MoneyFound"))
    }

    @Test func upcastersThatLeadBackToEachOtherAreAMistake() async throws {
        let error = try await undecodable([
            Upcaster("MoneyPaidIn", to: "MoneyDeposited"), Upcaster("MoneyDeposited", to: "MoneyPaidIn"),
        ])
        #expect(error.description.contains("never come to an end"))
        let branching = Upcaster("MoneyPaidIn", into: ["MoneyPaidIn"]) {
            [.init("MoneyPaidIn", $0), .init("MoneyPaidIn", $0)]
        }
        _ = try await undecodable([branching])
    }

    @Test func aPayloadThatIsNotJSONIsAnEventThatCannotBeDecoded() async throws {
        let damaged = RecordedEvent(
            position: 1, stream: "account-a", version: 1, id: UUID(), type: "MoneyPaidIn",
            payload: JSONText(unchecked: Array("{".utf8)), recordedAt: Date())
        let store = HookedEventStore(
            store, page: { _ in Page(events: [damaged], through: 1, head: 1, hasMore: false, throughID: damaged.id) })
        let error = await #expect(throws: UndecodableEvent.self) {
            _ = try await EventStoreClient(store, upcasters: Self.upcasters).events().collect()
        }
        #expect(error?.reason is JSONError)
    }

    /// What reading the event `MoneyPaidIn` through these upcasters throws.
    private func undecodable(_ upcasters: [Upcaster]) async throws -> UndecodableEvent {
        let position = try #require(try await record("MoneyPaidIn", #"{"coins":3}"#).last)
        let client = EventStoreClient(store, upcasters: upcasters)
        let after = Position(rawValue: position.rawValue - 1)
        let thrown = await #expect(throws: UndecodableEvent.self) {
            _ = try await client.events(after: after).collect()
        }
        let error = try #require(thrown)
        #expect(error.position == position)
        #expect(error.stream == "account-a")
        #expect(error.type == "MoneyPaidIn")
        return error
    }
}
