import DiscoCore
import DiscoEventStore
import Foundation
import Testing

/// Events recorded in old shapes are read in their current shape.
@Suite(.timeLimit(.minutes(1))) struct UpcastingTests {
    static let upcasters = [
        // Renamed.
        Upcaster("MoneyPaidIn", to: "MoneyDeposited"),
        // Its payload was in another unit: from whole coins to cents.
        Upcaster("MoneyDeposited", from: 1, to: 2) { old in
            ["cents": JSON((old["coins"]?.integer ?? 0) * 100)]
        },
        // One event becomes two.
        Upcaster("AddressChanged", into: ["StreetChanged", "CityChanged"]) { old in
            [
                .init("StreetChanged", ["street": old["street"] ?? ""]),
                .init("CityChanged", ["city": old["city"] ?? ""]),
            ]
        },
        // Becomes one type, another or none.
        Upcaster("Moved", into: ["StreetChanged", "CityChanged"]) { old in
            if let street = old["street"] { return [.init("StreetChanged", ["street": street])] }
            if let city = old["city"] { return [.init("CityChanged", ["city": city])] }
            return []
        },
        .dropping("NoteTaken"),
    ]

    let store = InMemoryEventStore()
    var recorded: EventStoreClient { EventStoreClient(store) }
    var client: EventStoreClient { EventStoreClient(store, upcasters: Self.upcasters) }

    func orchestrator() -> Orchestrator {
        Orchestrator(client: client, aggregates: [Account.self], commands: [EmptyAccount.self])
    }

    /// Records an event in its old form.
    @discardableResult
    func record(
        _ type: String, version: Int = 1, _ payload: JSONText = "{}", in stream: StreamID = "account-a",
        tags: [EventTag] = []
    ) async throws -> Appended {
        try await recorded.append(
            Append([NewEvent(stream: stream, type: type, typeVersion: version, payload: payload, tags: tags)]))
    }

    func seen(_ events: EventSequence) async throws -> [Account.Event] {
        try await events.collect().map { try Account.Event($0) }
    }

    // MARK: Reading

    @Test func renamedChangedSplitAndDroppedEventsAreUpcast() async throws {
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
        // Everything but type and payload is unchanged.
        let (old, new) = (try await recorded.events().collect(), try await client.events().collect())
        #expect(old.map(\.type).prefix(2) == ["MoneyPaidIn", "MoneyDeposited"])
        #expect(new.map(\.typeVersion) == [2, 2, 1, 1, 2])
        // Of the two parts of the event at position 4, the first has position 3: resuming after it reads both again.
        #expect(new.map(\.position) == [1, 2, 3, 4, 5])
        #expect(new.map(\.version) == [1, 2, 4, 4, 5])
        #expect(new.map(\.id) == [old[0].id, old[1].id, old[3].id, old[3].id, old[4].id])
        #expect(new.first?.tags == ["x"])
        #expect(new.map(\.recordedAt).first == old[0].recordedAt)
    }

    @Test func aQueryForATypeFindsEventsThatBecameItAndNotThoseThatNoLongerAre() async throws {
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
        // A limit does not split an event: a reader that resumed after the first part would never get past it.
        #expect(try await client.events(.category("account"), limit: 2).collect().count == 3)
    }

    @Test func aConditionOnATypeFindsEventsThatBecameIt() async throws {
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

    @Test func anEventThatBecameAnotherTypeDoesNotFailACondition() async throws {
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
        // Two later events have the recorded type, but neither is of the type today.
        try await client.append(Append([NewEvent(stream: "house-1", type: "Moved", payload: #"{"in":true}"#)]))
        try await client.append(Append([NewEvent(stream: "house-1", type: "Moved", payload: #"{"in":true}"#)]))
        let later = NewEvent(stream: "house-2", type: "Other", payload: "{}")
        #expect(try await client.append(Append([later], condition: condition)).last == 7)
    }

    @Test func aModelIsFoldedFromUpcastEvents() async throws {
        try await record("MoneyPaidIn", #"{"coins":3}"#)
        try await record("MoneyDeposited", version: 2, #"{"cents":7}"#, in: "account-b")
        let one = orchestrator()
        #expect(try await one.dispatch(Insure(most: 307)).model.cents == 307)
        await #expect(throws: AccountRefusal.notEnough(307)) { try await one.dispatch(Insure(most: 306)) }
    }

    @Test func anEventLookedUpByItsIDIsUpcast() async throws {
        let id = try #require(try await record("MoneyPaidIn", #"{"coins":3}"#).events.first?.id)
        let event = try #require(try await client.event(id))
        #expect(try Account.Event(event) == .moneyDeposited(cents: 300))
    }

    @Test func theVersionOfAStreamCountsADroppedLastEvent() async throws {
        try await record("MoneyPaidIn", #"{"coins":3}"#)
        try await record("NoteTaken")
        #expect(try await client.exists("account-a"))
        #expect(try await client.version(of: "account-a") >= 1)
    }

    @Test func aSubscriberGetsUpcastEvents() async throws {
        try await record("MoneyPaidIn", #"{"coins":3}"#)
        try await record("NoteTaken")
        var elements: [Subscription.Element] = []
        for try await element in client.subscribe(to: .category("account")) {
            elements.append(element)
            if case .event(let event) = element, event.type == "CityChanged" { break }
            // Also for live events.
            if case .caughtUp = element { try await record("AddressChanged", #"{"street":"Elm","city":"Ulm"}"#) }
        }
        let events = elements.compactMap { element -> RecordedEvent? in
            guard case .event(let event) = element else { return nil }
            return event
        }
        #expect(events.map(\.type) == ["MoneyDeposited", "StreetChanged", "CityChanged"])
        #expect(events.map(\.position) == [1, 2, 3])
        // The subscription moves past the dropped event.
        #expect(elements.contains(.progress(2)))
    }
}
