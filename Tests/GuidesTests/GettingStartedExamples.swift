import DiscoConsumers
import DiscoCore
import DiscoEventStore
import DiscoEventStoreSQLite
import Foundation
import Logging
import TestSupport
import Testing

/// The code of the guide "Getting started".
@Suite struct GettingStartedExamples {
    private let folder: TemporaryFolder

    init() throws { folder = try TemporaryFolder() }

    struct Wallet: Aggregate {
        let id: UUID
        var balance: Decimal = 0

        init(id: UUID) { self.id = id }

        static let commands: [any AggregateCommand<Wallet>.Type] = [OpenWallet.self, DepositMoney.self]

        enum Event: DomainEvent {
            case walletOpened
            case moneyDeposited(amount: Decimal)
        }

        mutating func apply(_ event: Event) {
            if case .moneyDeposited(let amount) = event { balance += amount }
        }
    }

    struct OpenWallet: CreateCommand {
        func run(on wallet: Wallet) -> [Wallet.Event] { [.walletOpened] }
    }

    struct DepositMoney: UpdateCommand {
        let id: UUID
        var amount: Decimal

        static let rules: [FieldRule<Self>] = [.field(CodingKeys.amount, \.amount, .greaterThan(0))]

        func run(on wallet: Wallet) -> [Wallet.Event] { [.moneyDeposited(amount: amount)] }
    }

    struct WalletList: Projection {
        let name = "wallets"
        let query = EventQuery.types("WalletOpened")

        func setUp(_ transaction: SQLTransaction) throws {
            try transaction.execute("CREATE TABLE IF NOT EXISTS wallets (id TEXT PRIMARY KEY)")
        }

        func apply(_ event: RecordedEvent, _ transaction: SQLTransaction) throws {
            try transaction.execute("INSERT INTO wallets VALUES (\(event.stream.id))")
        }
    }

    struct CountWallets: Query {
        func run(in context: QueryContext) async throws -> Int {
            try await context.read { try $0.query("SELECT id FROM wallets").count }
        }
    }

    @Test func commandsAreDispatchedAndTheirEventsRead() async throws {
        let client = EventStoreClient(InMemoryEventStore())
        let orchestrator = Orchestrator(client: client, aggregates: [Wallet.self])
        let wallet = try await orchestrator.dispatch(OpenWallet()).state
        let deposit: JSON = ["id": .string(wallet.id.uuidString), "amount": 2.5]
        let state = try await orchestrator.dispatch("deposit_money", deposit).output  // state["balance"] is 2.5
        #expect(state["balance"] == 2.5)
        let events = try await client.events(in: Wallet.streamID(wallet.id)).collect()
        let types = events.map(\.type)  // "WalletOpened", "MoneyDeposited"
        #expect(types == ["WalletOpened", "MoneyDeposited"])
        await #expect(throws: ValidationError(["amount": ["must be greater than 0"]])) {
            try await orchestrator.dispatch(DepositMoney(id: wallet.id, amount: 0))
        }
    }

    @Test func aListIsKeptOnDisk() async throws {
        let path = folder.events
        let client = EventStoreClient(try await SQLiteEventStore.open(path: path))
        let readModels = try await SQLiteReadModelStore.open(path: path + ".read-models")
        let orchestrator = Orchestrator(
            client: client, aggregates: [Wallet.self],
            readModels: [ReadModel(queries: [CountWallets.self], store: readModels)])
        let consumers = Consumers(of: client, [.projection(WalletList(), in: readModels)])
        try await orchestrator.dispatch(OpenWallet())
        try await consumers.catchUp()
        let count = try await orchestrator.query(CountWallets())  // 1
        #expect(count == 1)
        await client.store.close()
        await readModels.close()
    }
}

/// The code of the guide "Waiting with a policy".
@Suite struct WaitingWithAPolicyExamples {
    struct Order: Aggregate {
        let id: String
        var isOpen = false

        init(id: String) { self.id = id }

        static let commands: [any AggregateCommand<Order>.Type] = [PlaceOrder.self, PayOrder.self, CancelUnpaid.self]

        enum Event: DomainEvent { case orderPlaced, orderPaid, orderCancelled }

        mutating func apply(_ event: Event) { isOpen = event == .orderPlaced }
    }

    struct PlaceOrder: CreateCommand {
        let id: String
        var target: CommandTarget<String> { .new(id) }
        func run(on order: Order) -> [Order.Event] { [.orderPlaced] }
    }

    struct PayOrder: UpdateCommand {
        let id: String
        func run(on order: Order) -> [Order.Event] { order.isOpen ? [.orderPaid] : [] }
    }

    struct CancelUnpaid: UpdateCommand {
        let id: String

        func run(on order: Order) -> [Order.Event] { order.isOpen ? [.orderCancelled] : [] }
    }

    struct CancelUnpaidOrders: Policy {
        let name = "cancel_unpaid_orders"
        let query = EventQuery.types("OrderPlaced")
        let orchestrator: Orchestrator
        var now: @Sendable () -> Date = { Date() }

        func process(_ event: RecordedEvent) async throws -> Outcome {
            let due = event.recordedAt.addingTimeInterval(3 * 86_400)
            let remaining = due.timeIntervalSince(now())
            if remaining > 0 { return .retry(after: .seconds(remaining)) }
            try await orchestrator.dispatch(CancelUnpaid(id: event.stream.id), metadata: .caused(by: event))
            return .done
        }
    }

    @Test func anOrderIsCancelledWhenItIsDue() async throws {
        let client = EventStoreClient(InMemoryEventStore())
        let orchestrator = Orchestrator(client: client, aggregates: [Order.self])
        try await orchestrator.dispatch(PlaceOrder(id: "4711"))
        let placed = try await client.events(.types("OrderPlaced")).collect()[0]
        let early = CancelUnpaidOrders(orchestrator: orchestrator, now: { placed.recordedAt })
        let tooEarly = try await early.process(placed)  // .retry(after: .seconds(259_200))
        let late = CancelUnpaidOrders(orchestrator: orchestrator, now: { placed.recordedAt + 3 * 86_400 })
        let onTime = try await late.process(placed)  // .done, and the order is cancelled
        #expect(tooEarly == .retry(after: .seconds(259_200)))
        #expect(onTime == .done)
        let types = try await client.events(in: Order.streamID("4711")).collect().map(\.type)
        #expect(types == ["OrderPlaced", "OrderCancelled"])
    }

    @Test func whatIsHeldStaysHeldOverARestartAndHoldsUpNoOtherStream() async throws {
        let client = EventStoreClient(InMemoryEventStore())
        let orchestrator = Orchestrator(client: client, aggregates: [Order.self])
        let readModels = try await SQLiteReadModelStore.open(.inMemory)
        for id in ["4711", "4712"] { try await orchestrator.dispatch(PlaceOrder(id: id)) }
        try await orchestrator.dispatch(PayOrder(id: "4711"))
        for _ in 1...2 {
            let policy = CancelUnpaidOrders(orchestrator: orchestrator)
            try await Consumers(of: client, [.policy(policy, in: readModels)]).catchUp()
        }
        let held = try await readModels.held(by: "cancel_unpaid_orders")
        #expect(held.map(\.stream) == ["order-4711", "order-4712"])
        #expect(held.map(\.attempts) == [1, 1])
        #expect(try await readModels.checkpoint(of: "cancel_unpaid_orders").position == 3)
        await readModels.close()
    }
}
