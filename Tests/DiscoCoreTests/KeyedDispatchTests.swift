import DiscoCore
import DiscoEventStore
import Foundation
import Testing
import WalletDomain

/// Has its own key.
private struct PayOrder: UpdateCommand, KeyedCommand {
    let id: UUID
    let order: String
    let amount: Decimal

    var idempotencyKey: String { "order/" + order }

    func run(on wallet: Wallet) throws -> [Wallet.Event] { try WithdrawMoney(id: id, amount: amount).run(on: wallet) }
}

/// Can answer a repeat, and appends twice.
private struct DepositTwice: ActionCommand {
    let id: UUID

    func run(in context: ActionContext) async throws -> Decimal {
        for _ in 0..<2 {
            let wallet = try await context.load(Wallet.self, id)
            try await context.append([wallet.recording(.moneyDeposited(amount: 1))])
        }
        return try await context.load(Wallet.self, id).state.balance
    }

    func repeated(_ appended: Appended, in context: ActionContext) async throws -> Decimal {
        let version = appended.events.last?.version ?? 0
        return try await context.load(Wallet.self, id, version: version).state.balance
    }
}

@Suite(.timeLimit(.minutes(1))) struct KeyedDispatchTests {
    private let store = InMemoryEventStore()
    private var client: EventStoreClient { EventStoreClient(store) }

    private func orchestrator() -> Orchestrator {
        Orchestrator(
            client: client, aggregates: [Wallet.self],
            decisions: [BookSeat.self, CloseHall.self, BookBySlip.self],
            commands: [TransferMoney.self, GiveAllAway.self, DepositTwice.self])
    }

    private func wallet(_ balance: Decimal) async throws -> UUID {
        try await orchestrator().dispatch(CreateWallet(userID: UUID(), balance: balance)).state.id
    }

    /// The results of one command dispatched fifty times concurrently by two orchestrators.
    private func fiftyTimes<Answer: Sendable>(
        _ dispatch: @escaping @Sendable (Orchestrator) async throws -> Answer
    ) async throws -> [Answer] {
        let both = [orchestrator(), orchestrator()]
        return try await withThrowingTaskGroup(of: Answer.self) { group in
            for number in 0..<50 { group.addTask { try await dispatch(both[number % 2]) } }
            return try await group.reduce(into: []) { $0.append($1) }
        }
    }

    // MARK: Repeats

    @Test func aRepeatedCommandReturnsItsFirstResultThoughTheMoneyIsGone() async throws {
        let (one, other, id) = (orchestrator(), orchestrator(), try await wallet(100))
        let first = try await one.dispatch(WithdrawMoney(id: id, amount: 80), key: "k")
        #expect(!first.repeated)
        try await one.dispatch(DepositMoney(id: id, amount: 5))
        try await one.dispatch(WithdrawMoney(id: id, amount: 25))
        let head = try await client.head()
        for orchestrator in [one, other, one] {
            let again = try await orchestrator.dispatch(WithdrawMoney(id: id, amount: 80), key: "k")
            #expect(again.repeated)
            #expect(again.state.balance == 20)
            #expect(again.version == 2)
            #expect(again.events == [.moneyWithdrawn(amount: 80)])
            #expect(again.position == first.position)
        }
        let next = try await one.dispatch(DepositMoney(id: id, amount: 1))
        #expect(next.state.balance == 1)
        #expect(next.position?.rawValue == head.rawValue + 1)
    }

    @Test func aRepeatedCommandByNameReturnsItsFirstResult() async throws {
        let (one, other, id) = (orchestrator(), orchestrator(), try await wallet(100))
        let fields: JSON = ["id": .string(id.uuidString), "amount": 80]
        let first = try await one.dispatch("withdraw_money", fields, key: "k")
        try await one.dispatch("withdraw_money", ["id": .string(id.uuidString), "amount": 20])
        let again = try await other.dispatch("withdraw_money", fields, key: "k")
        #expect(!first.repeated)
        #expect(again.repeated)
        #expect(again.output == first.output)
        #expect(again.output["balance"] == 20)
        #expect(again.position == first.position)
        // Dispatched by type, it is the same command.
        let typed = try await one.dispatch(WithdrawMoney(id: id, amount: 80), key: "k")
        #expect(typed.repeated)
        #expect(try await client.head() == 3)
    }

    @Test func aRepeatedCreationMakesNoSecondAggregate() async throws {
        let (one, other, user) = (orchestrator(), orchestrator(), UUID())
        let first = try await one.dispatch(CreateWallet(userID: user, balance: 5), key: "k")
        try await one.dispatch(DepositMoney(id: first.state.id, amount: 7))
        for orchestrator in [one, other] {
            let again = try await orchestrator.dispatch(CreateWallet(userID: user, balance: 5), key: "k")
            #expect(again.repeated)
            #expect(again.state.id == first.state.id)
            #expect(again.state.balance == 5)
            #expect(again.version == 1)
        }
        #expect(try await client.head() == 2)
    }

    @Test func aRepeatedDecisionReturnsItsFirstResultThoughTheSeatsAreGone() async throws {
        let (one, other) = (orchestrator(), orchestrator())
        let first = try await one.dispatch(BookSeat(hall: "blue", guest: "ada"), key: "k")
        try await one.dispatch(BookSeat(hall: "blue", guest: "bob"))
        for orchestrator in [one, other] {
            let again = try await orchestrator.dispatch(BookSeat(hall: "blue", guest: "ada"), key: "k")
            #expect(again.repeated)
            #expect(again.model == first.model)
            #expect(again.model.guests == ["ada"])
            #expect(again.events == first.events)
            #expect(again.position == first.position)
            let named = try await orchestrator.dispatch("book_seat", ["hall": "blue", "guest": "ada"], key: "k")
            #expect(named.repeated)
            #expect(named.output["guests"] == ["ada"])
        }
        #expect(try await client.head() == 2)
    }

    @Test func aRepeatedDecisionReturnsItsFirstResultEvenIfItsQueryDoesNotSelectItsEvents() async throws {
        let one = orchestrator()
        let first = try await one.dispatch(AdmitGuest(hall: "blue", guest: "ada"), key: "k")
        #expect(first.model.guests == ["ada"])
        let again = try await one.dispatch(AdmitGuest(hall: "blue", guest: "ada"), key: "k")
        #expect(again.repeated)
        #expect(again.model == first.model)
    }

    @Test func aRepeatedActionReturnsItsFirstResultThoughTheMoneyIsGone() async throws {
        let (one, other) = (orchestrator(), orchestrator())
        let (from, to) = (try await wallet(10), try await wallet(0))
        let transfer = TransferMoney(from: from, to: to, amount: 10)
        let first = try await one.dispatch(transfer, key: "k")
        try await one.dispatch(WithdrawMoney(id: to, amount: 10))
        for orchestrator in [one, other] {
            let again = try await orchestrator.dispatch(transfer, key: "k")
            #expect(again.repeated)
            #expect(again.output.map(\.balance) == [0, 10])
            #expect(again.output.map(\.id) == [from, to])
            #expect(again.position == first.position)
            let named = try await orchestrator.dispatch(
                "transfer_money",
                ["amount": 10, "from": .string(from.uuidString), "to": .string(to.uuidString)], key: "k")
            #expect(named.repeated)
        }
        #expect(try await client.head() == 5)
    }

    @Test func anActionThatCannotAnswerARepeatTakesEffectOnceAndRefusesRepeats() async throws {
        let (one, other, id) = (orchestrator(), orchestrator(), try await wallet(100))
        #expect(try await one.dispatch(GiveAllAway(id: id), key: "k").output == 100)
        try await one.dispatch(DepositMoney(id: id, amount: 7))
        for orchestrator in [one, other] {
            await #expect(throws: DispatchError.notRepeatable("give_all_away")) {
                try await orchestrator.dispatch(GiveAllAway(id: id), key: "k")
            }
            await #expect(throws: DispatchError.notRepeatable("give_all_away")) {
                try await orchestrator.dispatch("give_all_away", ["id": .string(id.uuidString)], key: "k")
            }
        }
        #expect(try await client.head() == 3)
    }

    @Test func anActionThatAppendsTwiceUnderAKeyIsRefused() async throws {
        let (one, id) = (orchestrator(), try await wallet(0))
        #expect(try await one.dispatch(DepositTwice(id: id)).output == 2)
        let error = await #expect(throws: EventStoreError.self) {
            try await one.dispatch(DepositTwice(id: id), key: "k")
        }
        #expect(error?.code == .invalidAppend)
    }

    // MARK: Different content

    @Test func differentContentUnderTheSameKeyIsRefusedAndNothingIsRecorded() async throws {
        let (one, other, id) = (orchestrator(), orchestrator(), try await wallet(100))
        let to = try await wallet(0)
        try await one.dispatch(WithdrawMoney(id: id, amount: 1), key: "money")
        try await one.dispatch(BookSeat(hall: "blue", guest: "ada"), key: "seat")
        try await one.dispatch(TransferMoney(from: id, to: to, amount: 1), key: "transfer")
        let head = try await client.head()
        for orchestrator in [one, other] {
            await #expect(throws: IdempotencyConflict(key: "money")) {
                try await orchestrator.dispatch(WithdrawMoney(id: id, amount: 2), key: "money")
            }
            // The same fields in another command.
            await #expect(throws: IdempotencyConflict(key: "money")) {
                try await orchestrator.dispatch(DepositMoney(id: id, amount: 1), key: "money")
            }
            await #expect(throws: IdempotencyConflict(key: "money")) {
                try await orchestrator.dispatch(
                    "withdraw_money", ["id": .string(id.uuidString), "amount": 3], key: "money")
            }
            await #expect(throws: IdempotencyConflict(key: "seat")) {
                try await orchestrator.dispatch(BookSeat(hall: "blue", guest: "bob"), key: "seat")
            }
            await #expect(throws: IdempotencyConflict(key: "transfer")) {
                try await orchestrator.dispatch(TransferMoney(from: to, to: id, amount: 1), key: "transfer")
            }
        }
        #expect(try await client.head() == head)
    }

    @Test func theOrderOfFieldsAndTheSpellingOfValuesDoNotMatter() async throws {
        let (one, id) = (orchestrator(), try await wallet(100))
        let upper = JSON.string(id.uuidString.uppercased())
        let lower = JSON.string(id.uuidString.lowercased())
        let first = try await one.dispatch("withdraw_money", ["id": upper, "amount": 60], key: "k")
        let again = try await one.dispatch("withdraw_money", ["amount": 60, "id": lower], key: "k")
        #expect(!first.repeated)
        #expect(again.repeated)
        try await one.dispatch(BookBySlip(hall: "blue", slip: ["row": 1, "seats": [["a": 1, "b": 2]]]))
        let slip = try await one.dispatch(
            "book_by_slip", ["slip": ["seats": [["b": 2, "a": 1]], "row": 1], "hall": "blue"])
        #expect(slip.repeated)
        await #expect(throws: IdempotencyConflict(key: "slip/blue")) {
            try await one.dispatch(BookBySlip(hall: "blue", slip: ["row": 1, "seats": [["a": 2, "b": 1]]]))
        }
    }

    @Test func theOrderOfASetDoesNotMatter() async throws {
        let names = (0..<20).map { "guest \($0)" }
        var roomy = Set<String>(minimumCapacity: 1_000)
        for name in names.reversed() { roomy.insert(name) }
        try #require(Array(roomy) != Array(Set(names)))
        let one = orchestrator()
        try await one.dispatch(BookGroup(hall: "blue", guests: roomy), key: "k")
        let again = try await one.dispatch(BookGroup(hall: "blue", guests: Set(names)), key: "k")
        #expect(again.repeated)
    }

    // MARK: Keys

    @Test func aCommandMayHaveItsOwnKey() async throws {
        let (one, other, id) = (orchestrator(), orchestrator(), try await wallet(100))
        let first = try await one.dispatch(PayOrder(id: id, order: "7", amount: 60))
        let again = try await other.dispatch(PayOrder(id: id, order: "7", amount: 60))
        #expect(!first.repeated)
        #expect(again.repeated)
        #expect(again.state.balance == 40)
        await #expect(throws: IdempotencyConflict(key: "order/7")) {
            try await one.dispatch(PayOrder(id: id, order: "7", amount: 1))
        }
        // A key given by the caller takes precedence.
        let given = try await one.dispatch(PayOrder(id: id, order: "7", amount: 1), key: "mine")
        #expect(!given.repeated)
        #expect(given.state.balance == 39)
    }

    @Test func aRefusalIsNotStoredUnderTheKey() async throws {
        let (one, id) = (orchestrator(), try await wallet(10))
        await #expect(throws: WalletRefusal.insufficientFunds(balance: 10, amount: 50)) {
            try await one.dispatch(WithdrawMoney(id: id, amount: 50), key: "k")
        }
        try await one.dispatch(DepositMoney(id: id, amount: 90))
        let later = try await one.dispatch(WithdrawMoney(id: id, amount: 50), key: "k")
        #expect(!later.repeated)
        #expect(later.state.balance == 50)
        // The same holds for different content, so the key stays free.
        await #expect(throws: WalletRefusal.insufficientFunds(balance: 50, amount: 60)) {
            try await one.dispatch(WithdrawMoney(id: id, amount: 60), key: "free")
        }
        #expect(try await one.dispatch(WithdrawMoney(id: id, amount: 1), key: "free").state.balance == 49)
    }

    @Test func aResultWithNothingToDoIsStoredUnderTheKey() async throws {
        let (one, id) = (orchestrator(), try await wallet(100))
        let enough = try await one.dispatch(NoticeLowBalance(id: id), key: "low")
        #expect(enough.events == [])
        #expect(!enough.repeated)
        try await one.dispatch(WithdrawMoney(id: id, amount: 99))
        let head = try await client.head()
        let again = try await one.dispatch(NoticeLowBalance(id: id), key: "low")
        #expect(again.repeated)
        #expect(again.events == [])
        #expect(again.position == nil)
        #expect(try await client.head() == head)
        let noticed = try await one.dispatch(NoticeLowBalance(id: id), key: "later")
        #expect(noticed.events == [.lowBalanceNoticed(balance: 1)])

        try await one.dispatch(CloseHall(hall: "blue"))
        let closed = try await one.dispatch(CloseHall(hall: "blue"), key: "close")
        #expect(closed.events == [])
        #expect(!closed.repeated)
        let closedAgain = try await one.dispatch(CloseHall(hall: "blue"), key: "close")
        #expect(closedAgain.repeated)
        #expect(closedAgain.position == nil)
    }

    @Test func aCommandTakesEffectAgainAfterItsKeyWasForgotten() async throws {
        let start = Date(timeIntervalSince1970: 1_700_000_000)
        let now = Locked(start)
        let client = EventStoreClient(InMemoryEventStore(context: StoreContext(now: { now.withLock { $0 } })))
        let one = Orchestrator(client: client, aggregates: [Wallet.self])
        let id = try await one.dispatch(CreateWallet(userID: UUID(), balance: 0)).state.id
        let deposit = DepositMoney(id: id, amount: 1)
        try await one.dispatch(deposit, key: "old")
        now.withLock { $0.addTimeInterval(60) }
        try await one.dispatch(deposit, key: "new")
        #expect(try await client.forgetKeys(storedBefore: start.addingTimeInterval(60)) == 1)
        let new = try await one.dispatch(deposit, key: "new")
        #expect(new.repeated)
        let old = try await one.dispatch(deposit, key: "old")
        #expect(!old.repeated)
        #expect(old.state.balance == 3)
        #expect(try await one.dispatch(deposit, key: "old").repeated)
    }

    // MARK: Concurrent dispatches

    @Test func fiftyConcurrentDispatchesUnderOneKeyTakeEffectOnceAndReturnTheSameResult() async throws {
        let (id, to, user) = (try await wallet(100), try await wallet(0), UUID())
        let head = try await client.head()
        let withdrawn = try await fiftyTimes { one in
            try await one.dispatch(WithdrawMoney(id: id, amount: 60), key: "withdraw")
        }
        #expect(withdrawn.count { !$0.repeated } == 1)
        #expect(withdrawn.allSatisfy { $0.state.balance == 40 && $0.version == 2 && $0.events.count == 1 })

        let created = try await fiftyTimes { one in
            try await one.dispatch(CreateWallet(userID: user, balance: 3), key: "create")
        }
        #expect(created.count { !$0.repeated } == 1)
        #expect(Set(created.map(\.state.id)).count == 1)

        let booked = try await fiftyTimes { one in
            try await one.dispatch(BookSeat(hall: "blue", guest: "ada"), key: "book")
        }
        #expect(booked.count { !$0.repeated } == 1)
        #expect(booked.allSatisfy { $0.model.guests == ["ada"] && $0.position == booked[0].position })

        let moved = try await fiftyTimes { one in
            try await one.dispatch(TransferMoney(from: id, to: to, amount: 30), key: "move")
        }
        #expect(moved.count { !$0.repeated } == 1)
        #expect(moved.allSatisfy { $0.output.map(\.balance) == [10, 30] })
        #expect(try await client.head().rawValue == head.rawValue + 5)
    }

    @Test func fiftyConcurrentDispatchesWithNothingToDoAreRepeatsExceptOne() async throws {
        let id = try await wallet(100)
        let noticed = try await fiftyTimes { one in try await one.dispatch(NoticeLowBalance(id: id), key: "k") }
        #expect(noticed.count { !$0.repeated } == 1)
        #expect(noticed.allSatisfy { $0.events.isEmpty && $0.state.balance == 100 })
    }
}
