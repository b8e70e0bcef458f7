import DiscoCore
import DiscoEventStoreSQLite

/// Folds an aggregate of 10,000 events of 1 kB from the store, and measures the additional memory.
enum Rehydrating {
    struct Account: Aggregate {
        let id: String
        var balance = 0
        init(id: String) { self.id = id }
        static let commands: [any AggregateCommand<Account>.Type] = [Close.self]
        enum Event: DomainEvent { case deposited(amount: Int, memo: String) }
        mutating func apply(_ event: Event) { if case .deposited(let amount, _) = event { balance += amount } }
    }

    /// Decides nothing, so that only folding is measured.
    struct Close: UpdateCommand {
        let id: String
        func run(on account: Account) throws -> [Account.Event] { [] }
    }

    static func run(_ path: String) async throws {
        let client = EventStoreClient(try await SQLiteEventStore.open(path: path))
        let payload = deposited(bytes: 970)
        for stream in ["account-small", "account-large"] as [StreamID] {
            for _ in 0..<(stream == "account-large" ? 100 : 1) {
                try await client.append(
                    Append((0..<100).map { _ in NewEvent(stream: stream, type: "Deposited", payload: payload) }))
            }
        }
        _ = try await balance("small", client)
        try Memory.resetPeak()
        let before = try Memory.now()
        var balance = 0
        let seconds = try await seconds { balance = try await self.balance("large", client) }
        let more = Double(try Memory.peak() - before) / 1024
        await client.store.close()
        print(
            "rehydrate: 10,000 events of 1 kB in \((seconds * 1000).shown(0)) ms, with \(more.shown()) MiB more memory")
        try DiscoBench.check(balance == 1_000_000, "the balance is \(balance)")
        try DiscoBench.check(more <= 8, "rehydrating takes \(more.shown()) MiB")
    }

    private static func balance(_ id: String, _ client: EventStoreClient) async throws -> Int {
        try await Orchestrator(client: client, aggregates: [Account.self]).dispatch(Close(id: id)).state.balance
    }
}
