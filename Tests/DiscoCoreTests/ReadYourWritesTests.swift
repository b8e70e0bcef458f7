import DiscoCore
import DiscoEventStore
import Foundation
import TestSupport
import Testing
import WalletDomain

/// Records two events at once.
private struct DepositIntoBoth: ActionCommand {
    let first: UUID
    let second: UUID

    func run(in context: ActionContext) async throws -> Int {
        let wallets = [
            try await context.load(Wallet.self, first), try await context.load(Wallet.self, second),
        ]
        return try await context.append(wallets.map { $0.recording(.moneyDeposited(amount: 1)) }).events.count
    }
}

@Suite(.timeLimit(.minutes(1))) struct ReadYourWritesTests {
    private let store = InMemoryEventStore()
    private let bookmarks = Bookmarks()
    private let others = Bookmarks()
    private var client: EventStoreClient { EventStoreClient(store) }
    /// Longer than any test.
    private let long = Duration.seconds(3600)
    /// Short enough for a test to wait for.
    private let short = Duration.milliseconds(30)

    private var orchestrator: Orchestrator {
        Orchestrator(
            client: client, aggregates: [Wallet.self], commands: [DepositIntoBoth.self],
            readModels: [
                ReadModel(queries: [FindWallet.self], store: bookmarks, consumers: ["wallets", "notices"]),
                ReadModel(queries: [ListWallets.self], store: others, consumers: ["reports"]),
            ],
            queries: [WalletHistory.self])
    }

    private func wallet() async throws -> UUID {
        try await orchestrator.dispatch(CreateWallet(userID: UUID(), balance: 0)).state.id
    }

    // MARK: Dispatching

    @Test func aDispatchReturnsOnceTheConsumerHasPassedItsEvents() async throws {
        let (one, id) = (orchestrator, try await wallet())
        let answered = Locked(false)
        let dispatch = Task {
            let dispatched = try await one.dispatch(
                DepositMoney(id: id, amount: 1), awaiting: ["wallets"], within: long)
            answered.withLock { $0 = true }
            return dispatched
        }
        await eventually { bookmarks.asked > 3 }
        #expect(!answered.withLock { $0 })
        bookmarks.move("wallets", to: 1)
        let asked = bookmarks.asked
        await eventually { bookmarks.asked > asked + 1 }
        #expect(!answered.withLock { $0 })
        bookmarks.move("wallets", to: 2)
        let dispatched = try await dispatch.value
        #expect(dispatched.behind == [])
        #expect(dispatched.position == 2)
    }

    @Test func aConsumerThatIsFurtherAheadIsNotBehind() async throws {
        let (one, id) = (orchestrator, try await wallet())
        bookmarks.move("wallets", to: 1_000)
        let dispatched = try await one.dispatch(
            DepositMoney(id: id, amount: 1), awaiting: ["wallets"], within: long)
        #expect(dispatched.behind == [])
        let answer = try await one.dispatch(
            "deposit_money", ["id": .string(id.uuidString), "amount": 1], awaiting: ["wallets"], within: long)
        #expect(answer.behind == [])
        #expect(answer.output["balance"] == 2)
        #expect(answer.position == 3)
    }

    @Test func consumersThatAreBehindAtTheTimeLimitAreNamed() async throws {
        let (one, id) = (orchestrator, try await wallet())
        for _ in 0..<3 { try await one.dispatch(DepositMoney(id: id, amount: 1)) }
        bookmarks.move("wallets", to: 2)
        others.move("reports", to: 100)
        let dispatched = try await one.dispatch(
            DepositMoney(id: id, amount: 1), awaiting: ["wallets", "notices", "reports"], within: short)
        #expect(dispatched.state.balance == 4)
        #expect(dispatched.position == 5)
        #expect(dispatched.behind.map(\.consumer) == ["wallets", "notices"])
        #expect(dispatched.behind.map(\.position) == [2, 0])
        #expect(dispatched.behind.map(\.awaited) == [5, 5])
        #expect(dispatched.behind.map(\.events) == [3, 5])
        #expect(dispatched.behind.allSatisfy { $0.holds != true })
        #expect(try await client.head() == 5)
    }

    @Test func aConsumerThatHoldsTheEventIsBehindThoughItHasPassedIt() async throws {
        let (one, id) = (orchestrator, try await wallet())
        bookmarks.move("wallets", to: 9)
        bookmarks.hold("wallets", 1, 2)
        let dispatched = try await one.dispatch(
            DepositMoney(id: id, amount: 1), awaiting: ["wallets"], within: short)
        let lag = try #require(dispatched.behind.first)
        #expect(dispatched.behind.count == 1)
        #expect(lag.holds == true)
        #expect(lag.position == 9)
        #expect(lag.events == 0)
        // Events of other commands that it holds do not matter.
        let next = try await one.dispatch(DepositMoney(id: id, amount: 1), awaiting: ["wallets"], within: long)
        #expect(next.behind == [])
    }

    @Test func aConsumerThatHoldsAnyOfTheEventsIsBehindUntilTheyAreDone() async throws {
        let (one, first, second) = (orchestrator, try await wallet(), try await wallet())
        bookmarks.move("wallets", to: 4)
        bookmarks.hold("wallets", 3)
        let action = DepositIntoBoth(first: first, second: second)
        let held = try await one.dispatch(action, awaiting: ["wallets"], within: short)
        #expect(held.position == 4)
        #expect(held.behind.map(\.holds) == [true])
        bookmarks.hold("wallets", 5)
        bookmarks.move("wallets", to: 6)
        let asked = bookmarks.asked
        let dispatch = Task { try await one.dispatch(action, awaiting: ["wallets"], within: long) }
        await eventually { bookmarks.asked > asked + 1 }
        bookmarks.hold("wallets")
        #expect(try await dispatch.value.behind == [])
    }

    @Test func anUnreachableConsumerIsBehindWithoutAPosition() async throws {
        let (one, id) = (orchestrator, try await wallet())
        bookmarks.setUnreachable(true)
        let dispatched = try await one.dispatch(
            DepositMoney(id: id, amount: 1), awaiting: ["wallets"], within: short)
        #expect(dispatched.behind.map(\.consumer) == ["wallets"])
        #expect(dispatched.behind.map(\.position) == [nil])
        // It is asked again until it answers.
        bookmarks.move("wallets", to: 9)
        let asked = bookmarks.asked
        let dispatch = Task {
            try await one.dispatch(DepositMoney(id: id, amount: 1), awaiting: ["wallets"], within: long)
        }
        await eventually { bookmarks.asked > asked + 1 }
        bookmarks.setUnreachable(false)
        #expect(try await dispatch.value.behind == [])
    }

    @Test func anUnknownConsumerIsRefusedBeforeAnythingIsRecorded() async throws {
        let (one, id) = (orchestrator, try await wallet())
        let unknown = DispatchError.unknownConsumer("walets", known: ["notices", "reports", "wallets"])
        let deposit = DepositMoney(id: id, amount: 1)
        await #expect(throws: unknown) { try await one.dispatch(deposit, awaiting: ["wallets", "walets"]) }
        await #expect(throws: unknown) {
            try await one.dispatch(
                "deposit_money", ["id": .string(id.uuidString), "amount": 1], awaiting: ["walets"])
        }
        #expect(try await client.head() == 1)
        #expect(bookmarks.asked == 0)
    }

    @Test func aCommandThatRecordsNothingDoesNotWait() async throws {
        let one = orchestrator
        let id = try await one.dispatch(CreateWallet(userID: UUID(), balance: 100)).state.id
        let noticed = try await one.dispatch(NoticeLowBalance(id: id), awaiting: ["wallets"], within: long)
        #expect(noticed.behind == [])
        #expect(bookmarks.asked == 0)
    }

    @Test func aRepeatWaitsLikeTheFirstDispatch() async throws {
        let (one, id) = (orchestrator, try await wallet())
        let deposit = DepositMoney(id: id, amount: 1)
        try await one.dispatch(deposit, key: "k")
        try await one.dispatch(DepositMoney(id: id, amount: 5))
        let early = try await one.dispatch(deposit, key: "k", awaiting: ["wallets"], within: short)
        #expect(early.repeated)
        #expect(early.behind.map(\.awaited) == [2])
        bookmarks.move("wallets", to: 2)
        let late = try await one.dispatch(deposit, key: "k", awaiting: ["wallets"], within: long)
        #expect(late.repeated)
        #expect(late.behind == [])
    }

    @Test func cancellingEndsTheWaitAndTheCommandReturnsItsResult() async throws {
        let (one, id) = (orchestrator, try await wallet())
        let dispatch = Task {
            try await one.dispatch(DepositMoney(id: id, amount: 1), awaiting: ["wallets"], within: long)
        }
        await eventually { bookmarks.asked > 1 }
        dispatch.cancel()
        let dispatched = try await dispatch.value
        #expect(dispatched.position == 2)
        #expect(dispatched.behind.map(\.consumer) == ["wallets"])
    }

    // MARK: Querying

    @Test func aQueryReturnsOnceItsConsumersHavePassedThePosition() async throws {
        let (one, id) = (orchestrator, try await wallet())
        let answered = Locked(false)
        let query = Task {
            let view = try await one.query(FindWallet(id: id), after: 5, within: long)
            answered.withLock { $0 = true }
            return view
        }
        bookmarks.move("wallets", to: 5)
        bookmarks.move("notices", to: 4)
        let asked = bookmarks.asked
        await eventually { bookmarks.asked > asked + 3 }
        #expect(!answered.withLock { $0 })
        bookmarks.move("notices", to: 5)
        #expect(try await query.value == nil)
    }

    @Test func aQueryWhoseConsumersAreBehindIsRefused() async throws {
        let (one, id) = (orchestrator, try await wallet())
        bookmarks.move("wallets", to: 9)
        bookmarks.hold("wallets", 7)
        bookmarks.move("notices", to: 4)
        let behind = await #expect(throws: ConsumersBehind.self) {
            _ = try await one.query(FindWallet(id: id), after: 7, within: short)
        }
        #expect(behind?.position == 7)
        #expect(behind?.consumers.map(\.consumer) == ["wallets", "notices"])
        #expect(behind?.consumers.map(\.holds) == [true, false])
        // The store has events only up to position 1: there are none between.
        #expect(behind?.consumers.map(\.events) == [0, 0])
        #expect(behind?.message.contains("notices is at position 4; is it running?") == true)
        let error = await #expect(throws: ConsumersBehind.self) {
            _ = try await one.query("find_wallet", ["id": .string(id.uuidString)], after: 7, within: short)
        }
        let json = JSON(describing: try #require(error))
        #expect(json["error"] == "consumers_behind")
        #expect(json["position"] == 7)
        #expect(json["consumers"]?[1] == ["consumer": "notices", "position": 4, "events": 0, "holds": false])
    }

    @Test func aQueryWithNothingToAwaitDoesNotWait() async throws {
        let (one, id) = (orchestrator, try await wallet())
        #expect(try await one.query(FindWallet(id: id)) == nil)
        #expect(bookmarks.asked == 0)
        // A query that reads the events themselves is never behind.
        #expect(try await one.query(WalletHistory(id: id), after: 1, within: long).count == 1)
        // Only the consumers of its own read model are waited for.
        others.move("reports", to: 1)
        #expect(try await one.query(ListWallets(userID: id), after: 1, within: long).isEmpty)
        #expect(bookmarks.asked == 0)
    }

    @Test func aQueryOfAReadModelThatNamesNoConsumersCannotWait() async throws {
        let nameless = Orchestrator(
            client: client, readModels: [ReadModel(queries: [FindWallet.self], store: bookmarks)])
        #expect(try await nameless.query(FindWallet(id: UUID())) == nil)
        await #expect(throws: DispatchError.nothingToAwait("find_wallet")) {
            _ = try await nameless.query(FindWallet(id: UUID()), after: 1, within: long)
        }
        await #expect(throws: DispatchError.unknownConsumer("wallets", known: [])) {
            try await nameless.dispatch(DepositIntoBoth(first: UUID(), second: UUID()), awaiting: ["wallets"])
        }
    }

    @Test func cancellingEndsTheWaitOfAQuery() async throws {
        let (one, id) = (orchestrator, try await wallet())
        let query = Task { try await one.query(FindWallet(id: id), after: 5, within: long) }
        await eventually { bookmarks.asked > 1 }
        query.cancel()
        await #expect(throws: CancellationError.self) { _ = try await query.value }
    }
}
