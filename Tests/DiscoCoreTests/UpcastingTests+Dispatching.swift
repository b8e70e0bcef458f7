import DiscoCore
import DiscoEventStore
import Testing

extension UpcastingTests {
    @Test func anAggregateIsFoldedFromUpcastEvents() async throws {
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
        // This version needs no upcasting.
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

    @Test func anAggregateWhoseLastEventWasDroppedTakesActions() async throws {
        try await record("MoneyPaidIn", #"{"coins":3}"#)
        try await record("NoteTaken")
        #expect(try await orchestrator().dispatch(EmptyAccount(id: "a")).output == 300)
        #expect(try await orchestrator().dispatch(PayIn(id: "a", cents: 1)).state.cents == 1)
    }

    @Test func theEventsOfAConflictAreUpcast() async throws {
        let one = orchestrator()
        try await one.dispatch(PayIn(id: "a", cents: 1))
        // Events of a process that was not updated yet.
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
}
