import DiscoCore
import DiscoEventStoreSQLite

/// Measures loading an aggregate of 100,000 events from its snapshot, with an orchestrator that has not loaded it yet.
enum Opening {
    struct Account: Aggregate {
        let id: String
        var balance = 0
        init(id: String) { self.id = id }
        static let commands: [any AggregateCommand<Account>.Type] = [Close.self]
        static let snapshotPolicy = SnapshotPolicy.every(events: 1000)
        enum Event: DomainEvent { case deposited(amount: Int, memo: String) }
        mutating func apply(_ event: Event) { if case .deposited(let amount, _) = event { balance += amount } }
    }

    /// Decides nothing, so that only loading is measured.
    struct Close: UpdateCommand {
        let id: String
        func run(on account: Account) throws -> [Account.Event] { [] }
    }

    static func run(_ path: String) async throws {
        let client = EventStoreClient(try await SQLiteEventStore.open(path: path))
        for _ in 0..<1000 {
            try await client.append(Append((0..<100).map { _ in deposit("account-1") }))
        }
        let folded = try await seconds { try await open(client) }
        var times: [Double] = []
        for _ in 0..<11 { times.append(try await seconds { try await open(client) }) }
        await client.store.close()
        let opened = median(times) * 1000
        print(
            "open: 100,000 events: \((folded * 1000).shown(0)) ms folded, \(opened.shown(2)) ms from the snapshot")
        try DiscoBench.check(opened < 10, "opening from a snapshot takes \(opened.shown(1)) ms")
    }

    private static func open(_ client: EventStoreClient) async throws {
        let orchestrator = Orchestrator(client: client, aggregates: [Account.self])
        let balance = try await orchestrator.dispatch(Close(id: "1")).state.balance
        try DiscoBench.check(balance == 10_000_000, "the balance is \(balance)")
    }
}
