import DiscoCore
import DiscoEventStore
import Foundation
import Testing
import WalletDomain

struct Shelf: Aggregate {
    let id: String
    var label = ""

    init(id: String) { self.id = id }

    static let commands: [any AggregateCommand<Shelf>.Type] = [OpenShelf.self, LabelShelf.self]

    enum Event: DomainEvent {
        case shelfOpened(label: String)
        case shelfLabelled(label: String)
    }

    mutating func apply(_ event: Event) {
        switch event {
        case .shelfOpened(let label), .shelfLabelled(let label): self.label = label
        }
    }
}

struct OpenShelf: CreateCommand {
    let id: String
    let label: String

    var target: CommandTarget<String> { .new(id) }

    func run(on shelf: Shelf) throws -> [Shelf.Event] { [.shelfOpened(label: label)] }
}

struct LabelShelf: UpdateCommand {
    let id: String
    let label: String

    func run(on shelf: Shelf) throws -> [Shelf.Event] { [.shelfLabelled(label: label)] }
}

struct DispatchTests {
    private let client = EventStoreClient(InMemoryEventStore())

    private func orchestrator(_ settings: Orchestrator.Settings = Orchestrator.Settings()) -> Orchestrator {
        Orchestrator(
            client: client, aggregates: [Wallet.self, Shelf.self], commands: [TransferMoney.self], settings: settings)
    }

    private func events(_ stream: StreamID) async throws -> [RecordedEvent] {
        var events: [RecordedEvent] = []
        for try await event in client.events(in: stream) { events.append(event) }
        return events
    }

    private func wallet(_ balance: Decimal, by orchestrator: Orchestrator) async throws -> UUID {
        try await orchestrator.dispatch(CreateWallet(userID: UUID(), balance: balance)).state.id
    }

    private let known = [
        "create_wallet", "deposit_money", "label_shelf", "notice_low_balance", "open_shelf", "transfer_money",
        "withdraw_money",
    ]

    @Test func commandsAreListedSorted() {
        #expect(orchestrator().commands() == known)
    }

    @Test func anUnknownCommandErrorListsTheKnownCommands() async {
        let one = orchestrator()
        await #expect(throws: DispatchError.unknownCommand("fly", known: known)) {
            try await one.dispatch("fly", [:])
        }
    }

    @Test func commandsOfSeveralAggregatesAreDispatchedByName() async throws {
        let one = orchestrator()
        let shelf = try await one.dispatch("open_shelf", ["id": "a", "label": "books"])
        #expect(shelf.output["label"] == .string("books"))
        let id = try await wallet(1, by: one)
        let state = try await one.dispatch("deposit_money", ["id": .string(id.uuidString), "amount": 2])
        #expect(state.output["balance"] == 3)
    }

    @Test func creatingAnExistingAggregateIsRefused() async throws {
        let one = orchestrator()
        let two = orchestrator()
        try await one.dispatch(OpenShelf(id: "a", label: "books"))
        for orchestrator in [one, two] {
            await #expect(throws: DispatchError.aggregateExists(Shelf.streamID("a"))) {
                try await orchestrator.dispatch(OpenShelf(id: "a", label: "plates"))
            }
        }
        let recorded = try await events(Shelf.streamID("a"))
        #expect(recorded.count == 1)
    }

    @Test func changingAMissingAggregateIsRefused() async throws {
        let one = orchestrator()
        let two = orchestrator()
        await #expect(throws: DispatchError.aggregateNotFound(Shelf.streamID("a"))) {
            try await two.dispatch(LabelShelf(id: "a", label: "plates"))
        }
        try await one.dispatch(OpenShelf(id: "a", label: "books"))
        let label = try await two.dispatch(LabelShelf(id: "a", label: "plates")).state.label
        #expect(label == "plates")
    }

    @Test func aRefusalIsThrownAndNothingIsAppended() async throws {
        let one = orchestrator()
        let id = try await wallet(5, by: one)
        await #expect(throws: WalletRefusal.insufficientFunds(balance: 5, amount: 6)) {
            try await one.dispatch(WithdrawMoney(id: id, amount: 6))
        }
        let recorded = try await events(Wallet.streamID(id))
        #expect(recorded.map(\.type) == ["WalletCreated"])
    }

    @Test func aStaleCacheRefusesNothing() async throws {
        let one = orchestrator()
        let two = orchestrator()
        let id = try await wallet(5, by: two)
        try await one.dispatch(DepositMoney(id: id, amount: 100))
        let withdrawn = try await two.dispatch(WithdrawMoney(id: id, amount: 105))
        #expect(withdrawn.state.balance == 0)
        #expect(withdrawn.version == 3)
    }

    @Test func concurrentDepositsAddUp() async throws {
        var settings = Orchestrator.Settings()
        settings.attempts = 1000
        let both = [orchestrator(settings), orchestrator(settings)]
        let id = try await wallet(0, by: both[0])
        try await withThrowingTaskGroup(of: Void.self) { group in
            for task in 0..<20 {
                let orchestrator = both[task % 2]
                group.addTask {
                    for _ in 0..<10 { try await orchestrator.dispatch(DepositMoney(id: id, amount: 1)) }
                }
            }
            try await group.waitForAll()
        }
        let recorded = try await events(Wallet.streamID(id))
        #expect(recorded.map(\.version) == Array(1...201))
        let last = try await both[0].dispatch(WithdrawMoney(id: id, amount: 200))
        #expect(last.state.balance == 0)
    }

    /// Appends to one wallet, then to another that somebody else writes in between.
    private struct DepositOneByOne: ActionCommand {
        let first: UUID
        let second: UUID

        func run(in context: ActionContext) async throws -> Int {
            let one = try await context.load(Wallet.self, first)
            let other = try await context.load(Wallet.self, second)
            try await context.append([one.recording(.moneyDeposited(amount: 1))])
            let stream = Wallet.streamID(second)
            try await context.client.append(
                Append([try Wallet.Event.moneyDeposited(amount: 5).recorded(in: stream)]))
            try await context.append([other.recording(.moneyDeposited(amount: 1))])
            return 0
        }
    }

    @Test func anActionThatHasAppendedIsNotRunAgainAfterAConflict() async throws {
        let one = orchestrator()
        let first = try await wallet(0, by: one)
        let second = try await wallet(0, by: one)
        await #expect(throws: VersionConflict.self) {
            try await one.dispatch(DepositOneByOne(first: first, second: second))
        }
        #expect(try await events(Wallet.streamID(first)).count == 2)
        #expect(try await events(Wallet.streamID(second)).count == 2)
    }

    @Test func aTransferChangesBothWallets() async throws {
        let one = orchestrator()
        let from = try await wallet(10, by: one)
        let to = try await wallet(1, by: one)
        let wallets = try await one.dispatch(TransferMoney(from: from, to: to, amount: 4)).output
        #expect(wallets.map(\.id) == [from, to])
        #expect(wallets.map(\.balance) == [6, 5])
        let source = try await events(Wallet.streamID(from))
        let destination = try await events(Wallet.streamID(to))
        #expect(source.map(\.type) == ["WalletCreated", "MoneyWithdrawn"])
        #expect(destination.map(\.type) == ["WalletCreated", "MoneyDeposited"])
        #expect(source.last?.metadata.correlationID != nil)
        #expect(source.last?.metadata.correlationID == destination.last?.metadata.correlationID)
    }

    @Test func everyEventHasCorrelationAndCausation() async throws {
        let one = orchestrator()
        let id = try await wallet(10, by: one)
        let before = try await events(Wallet.streamID(id))
        let created = try #require(before.first)
        try await one.dispatch(DepositMoney(id: id, amount: 1), metadata: .caused(by: created))
        let recorded = try await events(Wallet.streamID(id))
        #expect(recorded.count == 2)
        for event in recorded {
            #expect(event.metadata.correlationID != nil)
            #expect(event.metadata.causationID != nil)
        }
        #expect(recorded.last?.metadata.correlationID == created.metadata.correlationID)
        #expect(recorded.last?.metadata.causationID == created.id)
    }

    @Test func aCacheOfOneAggregateStaysCorrect() async throws {
        var settings = Orchestrator.Settings()
        settings.cachedAggregates = 1
        let one = orchestrator(settings)
        let first = try await wallet(1, by: one)
        let second = try await wallet(2, by: one)
        for _ in 0..<5 {
            try await one.dispatch(DepositMoney(id: first, amount: 1))
            try await one.dispatch(DepositMoney(id: second, amount: 2))
        }
        let last = try await one.dispatch(WithdrawMoney(id: first, amount: 6))
        #expect(last.state.balance == 0)
        #expect(last.version == 7)
        let other = try await one.dispatch(WithdrawMoney(id: second, amount: 12))
        #expect(other.state.balance == 0)
    }

    @Test func aWarmCacheNoticesErasedEvents() async throws {
        let client = EventStoreClient(InMemoryEventStore(.init(allowsErasing: true)))
        let one = Orchestrator(client: client, aggregates: [Shelf.self])
        try await one.dispatch(OpenShelf(id: "a", label: "secret"))
        try await one.dispatch(LabelShelf(id: "a", label: "more"))
        try await client.erase("shelf-a", close: false)
        await #expect(throws: DispatchError.aggregateNotFound("shelf-a")) {
            try await one.dispatch(LabelShelf(id: "a", label: "again"))
        }
        let opened = try await one.dispatch(OpenShelf(id: "a", label: "new"))
        #expect(opened.version == 3)
        #expect(try await one.dispatch(LabelShelf(id: "a", label: "next")).version == 4)
        #expect(try await client.events(in: "shelf-a").collect().map(\.version) == [3, 4])
    }

    @Test func aWarmCacheNeverContinuesErasedEvents() async throws {
        let client = EventStoreClient(InMemoryEventStore(.init(allowsErasing: true)))
        let (one, other) = (
            Orchestrator(client: client, aggregates: [Wallet.self], commands: [TransferMoney.self]),
            Orchestrator(client: client, aggregates: [Wallet.self])
        )
        let id = try await one.dispatch(CreateWallet(userID: UUID(), balance: 100)).state.id
        let target = try await one.dispatch(CreateWallet(userID: UUID(), balance: 0)).state.id
        try await client.erase(Wallet.streamID(id), close: false)
        await #expect(throws: DispatchError.aggregateNotFound(Wallet.streamID(id))) {
            try await one.dispatch(TransferMoney(from: id, to: target, amount: 5))
        }
        try await other.dispatch(Reopen(id: id))
        // The cache of the first says 100, but only 0 can be read any more.
        await #expect(throws: WalletRefusal.insufficientFunds(balance: 0, amount: 5)) {
            try await one.dispatch(WithdrawMoney(id: id, amount: 5))
        }
        await #expect(throws: WalletRefusal.insufficientFunds(balance: 0, amount: 5)) {
            try await one.dispatch(TransferMoney(from: id, to: target, amount: 5))
        }
    }

    private struct Reopen: CreateCommand {
        let id: UUID
        var target: CommandTarget<UUID> { .new(id) }
        func run(on wallet: Wallet) throws -> [Wallet.Event] { [.walletCreated(userID: UUID(), balance: 0)] }
    }

    @Test func aDeletedAggregateTakesNoCommands() async throws {
        let one = orchestrator()
        try await one.dispatch(OpenShelf(id: "a", label: "x"))
        try await client.delete("shelf-a")
        await #expect(throws: StreamDeleted(stream: "shelf-a")) {
            try await one.dispatch(LabelShelf(id: "a", label: "y"))
        }
        await #expect(throws: DispatchError.aggregateNotFound("shelf-a")) {
            try await orchestrator().dispatch(LabelShelf(id: "a", label: "y"))
        }
        try await client.restore("shelf-a")
        #expect(try await one.dispatch(LabelShelf(id: "a", label: "z")).version == 2)
    }
}
