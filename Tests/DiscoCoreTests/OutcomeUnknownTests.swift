import DiscoCore
import DiscoEventStore
import Foundation
import Testing
import WalletDomain

/// After an append with an unknown outcome, nothing is decided again: the same append is sent again.
@Suite(.timeLimit(.minutes(1))) struct OutcomeUnknownTests {
    private struct Lost: Error {}

    private let store = InMemoryEventStore()
    private var client: EventStoreClient { EventStoreClient(store) }

    private func orchestrator(on store: any EventStore) -> Orchestrator {
        Orchestrator(client: EventStoreClient(store), aggregates: [Wallet.self])
    }

    private func wallet(_ balance: Decimal) async throws -> UUID {
        try await orchestrator(on: store).dispatch(CreateWallet(userID: UUID(), balance: balance)).state.id
    }

    /// A store that records each append but reports the outcome as unknown for the given number of times.
    private func losingAnswers(_ times: Int) -> (store: HookedEventStore, tried: Locked<[Append]>) {
        let (store, tried) = (store, Locked<[Append]>([]))
        let hooked = HookedEventStore(
            store,
            append: { append in
                let number = tried.withLock { tried in
                    tried.append(append)
                    return tried.count
                }
                let appended = try await store.append(append)
                if number <= times { throw OutcomeUnknown(append: append, underlying: Lost()) }
                return appended
            })
        return (hooked, tried)
    }

    /// Only a refusal proves that an append was not recorded; an unreachable store proves nothing.
    @Test func anOutcomeStaysUnknownIfTheStoreCannotBeAsked() async throws {
        let id = try await wallet(100)
        let (store, tried) = (store, Locked(0))
        let gone = HookedEventStore(
            store,
            append: { append in
                let number = tried.withLock { tried in
                    tried += 1
                    return tried
                }
                if number > 1 { throw EventStoreError(.unavailable, "away") }
                _ = try await store.append(append)
                throw OutcomeUnknown(append: append, underlying: Lost())
            })
        let unknown = await #expect(throws: OutcomeUnknown.self) {
            try await orchestrator(on: gone).dispatch(SpendMoney(id: id, amount: 60))
        }
        // It was recorded, and repeating the same append shows that.
        #expect(try await store.append(try #require(unknown).append).repeated)
        #expect(tried.withLock { $0 } == 2)
    }

    @Test(arguments: [nil, "k"])
    func afterAnUnknownOutcomeNothingIsDecidedAgain(key: String?) async throws {
        let id = try await wallet(100)
        let count = Locked(0)
        let (paying, payments) = losingAnswers(1)
        let paid = try await Decisions.$count.withValue(count) {
            try await orchestrator(on: paying).dispatch(SpendMoney(id: id, amount: 60), key: key)
        }
        #expect(paid.state.balance == 40)
        #expect(!paid.repeated)
        #expect(paid.conflicts == 0)
        let (booking, bookings) = losingAnswers(1)
        let booked = try await Decisions.$count.withValue(count) {
            try await orchestrator(on: booking)
                .dispatch(BookSeat(hall: "blue", guest: "ada"), key: key.map { $0 + "2" })
        }
        #expect(booked.model.guests == ["ada"])
        #expect(!booked.repeated)
        let (giving, gifts) = losingAnswers(1)
        let given = try await Decisions.$count.withValue(count) {
            try await orchestrator(on: giving).dispatch(GiveAllAway(id: id), key: key.map { $0 + "3" })
        }
        #expect(given.output == 40)
        #expect(!given.repeated)
        #expect(count.withLock { $0 } == 3)
        for tried in [payments, bookings, gifts] {
            let appends = tried.withLock { $0 }
            #expect(appends.count == 2)
            #expect(appends.first == appends.last)
        }
        #expect(try await client.head() == 4)
    }

    @Test func anUnknownOutcomeIsResolvedByRepeatingUnderTheKey() async throws {
        let id = try await wallet(100)
        let count = Locked(0)
        let (store, tried) = losingAnswers(2)
        let one = orchestrator(on: store)
        try await Decisions.$count.withValue(count) {
            let spending = SpendMoney(id: id, amount: 60)
            await #expect(throws: OutcomeUnknown.self) { try await one.dispatch(spending, key: "k") }
            #expect(tried.withLock { $0.count } == 2)
            let again = try await one.dispatch(spending, key: "k")
            #expect(again.repeated)
            #expect(again.state.balance == 40)
        }
        #expect(count.withLock { $0 } == 1)
        #expect(try await client.head() == 2)
    }

    @Test func anAppendWhoseRepeatIsRefusedWasNotRecordedAndIsDecidedAgain() async throws {
        let id = try await wallet(100)
        let (store, tried, count) = (store, Locked(0), Locked(0))
        let stream = Wallet.streamID(id)
        let failing = HookedEventStore(
            store,
            append: { append in
                let number = tried.withLock { tried in
                    tried += 1
                    return tried
                }
                guard number == 1 else { return try await store.append(append) }
                // The append never arrives, and another one is recorded first.
                let other = Wallet.Event.moneyWithdrawn(amount: 30)
                _ = try await store.append(Append([try other.recorded(in: stream)]))
                throw OutcomeUnknown(append: append, underlying: Lost())
            })
        let paid = try await Decisions.$count.withValue(count) {
            try await orchestrator(on: failing).dispatch(SpendMoney(id: id, amount: 60))
        }
        #expect(paid.state.balance == 10)
        #expect(paid.conflicts == 1)
        #expect(paid.version == 3)
        #expect(count.withLock { $0 } == 2)
        #expect(try await client.head() == 3)
    }

    @Test func withUpcastersTheAppendToRepeatIsTheCallersOwn() async throws {
        let (losing, tried) = losingAnswers(1)
        let client = EventStoreClient(losing, upcasters: [Upcaster("Old", to: "New")])
        let append = Append(
            [NewEvent(stream: "a-1", type: "Other", payload: "{}")],
            condition: AppendCondition(noneMatch: .types("New")))
        let unknown = await #expect(throws: OutcomeUnknown.self) { try await client.append(append) }
        #expect(unknown?.append == append)
        #expect(tried.withLock { $0.first?.condition?.query } == .types("New", "Old"))
        #expect(try await client.append(append).repeated)
    }
}
