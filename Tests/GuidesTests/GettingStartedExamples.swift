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
