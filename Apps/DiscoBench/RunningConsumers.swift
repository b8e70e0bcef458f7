import DiscoConsumers
import DiscoCore
import DiscoEventStorePostgres
import DiscoEventStoreSQLite
import Foundation

/// Measures consumers on SQLite and, if `DISCO_BENCH_POSTGRES_URL` names a server, on PostgreSQL: catching up, the time
/// until an event is projected, dispatches that wait for that, and what idle consumers cost.
enum RunningConsumers {
    private struct Counts: Projection {
        var name = "counts"
        var query = EventQuery.all

        func setUp(_ transaction: SQLTransaction) throws {
            try transaction.execute(
                "CREATE TABLE IF NOT EXISTS \(table: name) (stream TEXT PRIMARY KEY, number BIGINT NOT NULL)")
        }

        func apply(_ event: RecordedEvent, _ transaction: SQLTransaction) throws {
            try transaction.execute(
                """
                INSERT INTO \(table: name) AS t (stream, number) VALUES (\(event.stream), 1)
                ON CONFLICT (stream) DO UPDATE SET number = t.number + 1
                """)
        }
    }

    /// The same read model, a statement for each stream of a batch.
    private struct BatchCounts: BatchProjection {
        let name = "batch_counts"

        func setUp(_ transaction: SQLTransaction) throws {
            try transaction.execute(
                "CREATE TABLE IF NOT EXISTS \(table: name) (stream TEXT PRIMARY KEY, number BIGINT NOT NULL)")
        }

        func apply(_ events: [RecordedEvent], _ transaction: SQLTransaction) throws {
            var numbers: [String: Int] = [:]
            for event in events { numbers[event.stream.name, default: 0] += 1 }
            let rows = JSONText(.object(JSON.Object(numbers.map { ($0.key, JSON($0.value)) }))).string
            let isPostgres = ProcessInfo.processInfo.environment["DISCO_BENCH_ON"] == "postgres"
            if isPostgres {
                try transaction.execute(
                    """
                    INSERT INTO \(table: name) AS t (stream, number)
                    SELECT key, value::bigint FROM json_each_text(CAST(\(rows) AS json))
                    ON CONFLICT (stream) DO UPDATE SET number = t.number + excluded.number
                    """)
            } else {
                try transaction.execute(
                    """
                    INSERT INTO \(table: name) AS t (stream, number)
                    SELECT key, value FROM json_each(\(rows)) WHERE true
                    ON CONFLICT (stream) DO UPDATE SET number = t.number + excluded.number
                    """)
            }
        }
    }

    private struct Pad: Aggregate {
        let id: String
        static let commands: [any AggregateCommand<Pad>.Type] = [Note.self]
        enum Event: DomainEvent { case noted }
        mutating func apply(_ event: Event) {}
    }

    private struct Note: TimelessCommand {
        let id: String
        var target: CommandTarget<String> { .any(id) }
        func run(on pad: Pad) -> [Pad.Event] { [.noted] }
    }

    private static let count = 200_000

    static func run(_ path: String) async throws {
        let folder = URL(filePath: path).deletingLastPathComponent()
        var number = 0
        try await measure(
            "SQLite", { try await SQLiteEventStore.open(path: path) },
            {
                number += 1
                return try await SQLiteReadModelStore.open(path: folder.appending(path: "models-\(number)").path)
            })
        guard let url = ProcessInfo.processInfo.environment["DISCO_BENCH_POSTGRES_URL"] else { return }
        setenv("DISCO_BENCH_ON", "postgres", 1)
        let name = "bench_\(UInt32.random(in: 0..<UInt32.max))"
        try await measure(
            "PostgreSQL", { try await PostgresEventStore.open(.init(url: url, schema: name)) },
            {
                number += 1
                return try await PostgresReadModelStore.open(.init(url: url, schema: "\(name)_\(number)"))
            })
    }

    private static func measure(
        _ name: String, _ openEvents: () async throws -> any EventStore,
        _ openModels: () async throws -> any ReadModelStore
    ) async throws {
        let client = EventStoreClient(try await openEvents())
        try await client.load(count)
        // Catching up, alternating, and the best of three, because the machine is shared.
        var rates: [String: Double] = [:]
        for _ in 0..<3 {
            for (what, partitions, isBatch) in [
                ("1 partition", 1, false), ("8 partitions", 8, false), ("a batch handler", 1, true),
            ] {
                let models = try await openModels()
                let consumer: EventConsumer =
                    isBatch
                    ? .projection(BatchCounts(), in: models)
                    : .projection(Counts(), in: models, partitions: partitions)
                let consumers = Consumers(of: client, [consumer])
                let time = try await seconds {
                    try await caughtUp(consumers, client, models, isBatch ? "batch_counts" : "counts")
                }
                rates[what] = max(rates[what] ?? 0, Double(count) / time)
                await models.close()
            }
        }
        let shown = rates.sorted { $0.key < $1.key }.map { "\($0.key) \(Int($0.value))/s" }.joined(separator: ", ")
        print("\(name): catching up with \(count) events: \(shown)")
        try await awaiting(name, client, try await openModels())
        try await idle(name, client, openModels)
        await client.store.close()
    }

    /// Runs the consumers until they have passed the head.
    private static func caughtUp(
        _ consumers: Consumers, _ client: EventStoreClient, _ models: any ReadModelStore, _ name: String
    ) async throws {
        let head = try await client.head()
        let running = Task { try await consumers.run() }
        while try await models.checkpoint(of: name).position < head { try await Task.sleep(for: .milliseconds(5)) }
        running.cancel()
        try await running.value
    }

    private static func awaiting(
        _ name: String, _ client: EventStoreClient, _ models: any ReadModelStore
    ) async throws {
        let orchestrator = Orchestrator(
            client: client, aggregates: [Pad.self],
            readModels: [ReadModel(queries: [], store: models, consumers: ["counts"])])
        let consumers = Consumers(of: client, [.projection(Counts(), in: models, from: .now)])
        try await consumers.catchUp()
        let running = Task { try await consumers.run() }
        let length = 3.0
        @Sendable func note(_ caller: Int) async throws -> Double {
            try await seconds {
                let done = try await orchestrator.dispatch(
                    Note(id: String(caller)), awaiting: ["counts"], within: .seconds(30))
                try DiscoBench.check(done.behind.isEmpty, "a dispatch was not projected in time")
            }
        }
        _ = try await note(0)
        for rate in [200.0, 2000] {
            // At times that do not depend on how long earlier ones take.
            let times = try await withThrowingTaskGroup(of: Double.self) { group in
                let begun = ContinuousClock.now
                for number in 0..<Int(rate * length) {
                    try await Task.sleep(until: begun + .seconds(Double(number) / rate), clock: .continuous)
                    group.addTask { try await note(number % 64) }
                }
                return try await group.reduce(into: []) { $0.append($1) }
            }.sorted()
            print(
                "\(name): dispatch until projected at \(Int(rate))/s: median \((times[times.count / 2] * 1000).shown(2)) ms, p99 \((times[times.count * 99 / 100] * 1000).shown(1)) ms"
            )
        }
        let end = ContinuousClock.now + .seconds(length)
        let dispatched = try await withThrowingTaskGroup(of: Int.self) { group in
            for caller in 0..<32 {
                group.addTask {
                    var dispatched = 0
                    while ContinuousClock.now < end {
                        _ = try await note(caller)
                        dispatched += 1
                    }
                    return dispatched
                }
            }
            return try await group.reduce(0, +)
        }
        print("\(name): dispatches that wait for the projection, 32 callers: \(Int(Double(dispatched) / length))/s")
        running.cancel()
        try await running.value
        await models.close()
    }

    /// What consumers cost that nothing concerns, while 200 events a second are appended.
    private static func idle(
        _ name: String, _ client: EventStoreClient, _ openModels: () async throws -> any ReadModelStore
    ) async throws {
        var shown: [String] = []
        for number in [1, 100] {
            let models = try await openModels()
            let consumers = Consumers(
                of: client,
                (0..<number).map {
                    .projection(Counts(name: "idle_\($0)", query: .types("Never")), in: models, from: .now)
                })
            try await consumers.catchUp()
            let running = Task { try await consumers.run() }
            try await Task.sleep(for: .seconds(2))
            let (statements, cpu) = (try await Self.transactions(models), Self.cpu())
            let begun = ContinuousClock.now
            for number in 0..<2000 {
                try await client.append(Append([deposit(StreamID("idle-\(number % 100)"))]))
                try await Task.sleep(until: begun + .milliseconds(5 * number), clock: .continuous)
            }
            let time = (ContinuousClock.now - begun) / .seconds(1)
            let used = (Self.cpu() - cpu) / time * 100
            let transactions = (try await Self.transactions(models)).flatMap { now in
                statements.map { Double(now - $0) / time }
            }
            let server = transactions.map { ", \($0.shown(0)) transactions/s on the server" } ?? ""
            shown.append("\(number): \(used.shown(1)) % of a core\(server)")
            running.cancel()
            try await running.value
            await models.close()
        }
        print("\(name): idle consumers beside 200 appends/s: \(shown.joined(separator: "; "))")
    }

    private static func transactions(_ models: any ReadModelStore) async throws -> Int? {
        guard models is PostgresReadModelStore else { return nil }
        return try await models.read { transaction in
            try transaction.query(
                "SELECT xact_commit + xact_rollback AS n FROM pg_stat_database WHERE datname = current_database()")[0]
                .value("n")
        }
    }

    /// The CPU seconds of this process.
    private static func cpu() -> Double {
        // CLOCKS_PER_SEC is a million (POSIX).
        Double(clock()) / 1e6
    }
}
