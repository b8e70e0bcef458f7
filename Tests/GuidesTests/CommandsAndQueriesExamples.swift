import DiscoConsumers
import DiscoCore
import DiscoEventStore
import DiscoEventStoreSQLite
import DiscoTesting
import Foundation
import Logging
import Testing

/// The code of the guide "Commands and queries".
@Suite struct CommandsAndQueriesExamples {
    struct Wallet: Aggregate {
        let id: UUID
        var balance = 0

        init(id: UUID) { self.id = id }

        static let commands: [any AggregateCommand<Wallet>.Type] = [OpenWallet.self, WithdrawCoins.self]

        enum Event: DomainEvent, Equatable {
            case walletOpened(balance: Int)
            case coinsDeposited(amount: Int)
            case coinsWithdrawn(amount: Int)
        }

        mutating func apply(_ event: Event) {
            switch event {
            case .walletOpened(let balance): self.balance = balance
            case .coinsDeposited(let amount): balance += amount
            case .coinsWithdrawn(let amount): balance -= amount
            }
        }
    }

    struct OpenWallet: CreateCommand {
        var balance: Int

        func run(on wallet: Wallet) -> [Wallet.Event] { [.walletOpened(balance: balance)] }
    }

    struct WithdrawCoins: UpdateCommand {
        let id: UUID
        var amount: Int

        static let rules: [FieldRule<Self>] = [
            .field(CodingKeys.id, else: "must be the id of a wallet"),
            .field(CodingKeys.amount, \.amount, .atLeast(1), .satisfies("must be even") { $0.isMultiple(of: 2) }),
        ]

        func run(on wallet: Wallet) throws -> [Wallet.Event] {
            guard wallet.balance >= amount else { throw InsufficientFunds(balance: wallet.balance) }
            return [.coinsWithdrawn(amount: amount)]
        }
    }

    struct Offer: Aggregate {
        let id: UUID
        var expires = Date.distantFuture

        init(id: UUID) { self.id = id }

        static let commands: [any AggregateCommand<Offer>.Type] = [AcceptOffer.self]

        enum Event: DomainEvent, Equatable {
            case offerMade(expires: Date)
            case offerAccepted
        }

        mutating func apply(_ event: Event) { if case .offerMade(let expires) = event { self.expires = expires } }
    }

    struct OfferExpired: Refusal, Equatable { var message: String { "The offer has expired." } }

    struct AcceptOffer: AggregateCommand {
        let id: UUID
        var target: CommandTarget<UUID> { .existing(id) }

        func run(on offer: Offer, at now: Date) throws -> [Offer.Event] {
            guard now < offer.expires else { throw OfferExpired() }
            return [.offerAccepted]
        }
    }

    @Test func aDecisionGetsTheTime() throws {
        let (id, noon) = (UUID(), Date(timeIntervalSince1970: 1_769_860_800))
        let made = Scenario(Offer.self, id: id).given(.offerMade(expires: noon))
        try made.when(AcceptOffer(id: id), at: noon - 1).then(.offerAccepted)
        try made.when(AcceptOffer(id: id), at: noon).thenRefused(OfferExpired())
    }

    struct StrikeCoin: NamedRequest {
        enum Metal: String, Codable, CaseIterable { case gold, silver }

        var metal: Metal
        var count: Int
    }

    /// The same, but that its enum lists nothing.
    struct StrikeAnyCoin: NamedRequest {
        enum Metal: String, Codable { case gold, silver }

        var metal: Metal
        var count: Int
    }

    struct InsufficientFunds: Refusal, Equatable {
        let balance: Int

        var message: String { "The balance is \(balance)." }
    }

    struct TransferCoins: ActionCommand {
        var from: UUID
        var to: UUID
        var amount: Int

        static let rules: [FieldRule<Self>] = [.field(CodingKeys.amount, \.amount, .atLeast(1))]

        func validate() throws {
            if from == to { throw ValidationError(["to": ["must be another wallet"]]) }
        }

        func run(in context: ActionContext) async throws -> Int {
            let source = try await context.load(Wallet.self, from)
            let target = try await context.load(Wallet.self, to)
            for wallet in [source, target] where !wallet.exists { throw DispatchError.aggregateNotFound(wallet.stream) }
            guard source.state.balance >= amount else { throw InsufficientFunds(balance: source.state.balance) }
            try await context.append([
                source.recording(.coinsWithdrawn(amount: amount)), target.recording(.coinsDeposited(amount: amount)),
            ])
            return source.state.balance - amount
        }
    }

    struct FindBalance: Query {
        let id: UUID

        func run(in context: QueryContext) async throws -> Int? {
            try await context.read { try $0.query("SELECT coins FROM balances WHERE id = \(id)").first?.value("coins") }
        }
    }

    /// Notes the balance that each wallet was opened with.
    struct Balances: Projection {
        let name = "balances"
        let query = EventQuery.types("WalletOpened")

        func setUp(_ transaction: SQLTransaction) throws {
            try transaction.execute("CREATE TABLE IF NOT EXISTS balances (id TEXT PRIMARY KEY, coins INTEGER)")
        }

        func apply(_ event: RecordedEvent, _ transaction: SQLTransaction) throws {
            if case .walletOpened(let balance) = try Wallet.Event(event) {
                try transaction.execute("INSERT INTO balances VALUES (\(event.stream.id), \(balance))")
            }
        }
    }

    func answer(_ command: String, _ fields: JSON, by orchestrator: Orchestrator) async -> JSON {
        do {
            return try await orchestrator.dispatch(command, fields).output
        } catch {
            return JSON(describing: error)
        }
    }

    @Test func anEnumThatListsItsCasesHidesNoOtherFault() {
        let fields: JSON = ["metal": "tin", "count": "many", "colour": "grey"]
        let error = #expect(throws: ValidationError.self) { try StrikeCoin(validating: fields) }
        #expect(
            error?.fields == [
                "metal": ["must be one of: gold, silver"], "count": ["must be an integer"],
                "colour": ["is not a known field"],
            ])
        let less = #expect(throws: ValidationError.self) { try StrikeAnyCoin(validating: fields) }
        #expect(less?.fields == ["metal": ["is not an allowed value"]])
    }

    @Test func aWalletIsOpenedWithdrawnFromAndQueried() async throws {
        let client = EventStoreClient(InMemoryEventStore())
        let readModels = try await SQLiteReadModelStore.open(.inMemory)
        let orchestrator = Orchestrator(
            client: client, aggregates: [Wallet.self], commands: [TransferCoins.self],
            readModels: [ReadModel(queries: [FindBalance.self], store: readModels)])
        let opened = try await orchestrator.dispatch(OpenWallet(balance: 5))
        // opened.state is the wallet, opened.events what was recorded, opened.version is 1
        #expect(opened.state.balance == 5)
        #expect(opened.events == [.walletOpened(balance: 5)])
        #expect(opened.version == 1)

        try await Consumers(of: client, [.projection(Balances(), in: readModels)]).catchUp()
        #expect(try await orchestrator.query(FindBalance(id: opened.state.id)) == 5)
        #expect(try await orchestrator.query(FindBalance(id: UUID())) == nil)

        let wrong = await answer("withdraw_coins", ["amount": -3], by: orchestrator)
        #expect(
            wrong == [
                "error": "validation", "kind": "invalid", "message": "Invalid fields: amount, id.",
                "fields": ["amount": ["must be at least 1", "must be even"], "id": ["must be the id of a wallet"]],
            ])
        let tooMuch = await answer(
            "withdraw_coins", ["id": .string(opened.state.id.uuidString), "amount": 6], by: orchestrator)
        #expect(tooMuch == ["error": "insufficient_funds", "kind": "conflict", "message": "The balance is 5."])

        let other = try await orchestrator.dispatch(OpenWallet(balance: 0)).state.id
        let transfer = TransferCoins(from: opened.state.id, to: other, amount: 4)
        #expect(try await orchestrator.dispatch(transfer).output == 1)
        #expect(try await client.events(after: 2).collect().map(\.type) == ["CoinsWithdrawn", "CoinsDeposited"])
        await #expect(throws: InsufficientFunds(balance: 1)) { try await orchestrator.dispatch(transfer) }
        await #expect(throws: ValidationError(["to": ["must be another wallet"]])) {
            try await orchestrator.dispatch(TransferCoins(from: other, to: other, amount: 1))
        }
    }
}
