import DiscoConsumers
import DiscoCore
import DiscoEventStorePostgres
import DiscoEventStoreSQLite
import Foundation
import Logging
import ServiceLifecycle
import UnixSignals

/// An answer to what was asked, in a stream of its own.
private struct Echo: Aggregate {
    let id: String
    var count = 0

    init(id: String) { self.id = id }

    static let commands: [any AggregateCommand<Echo>.Type] = [Answer.self]

    enum Event: DomainEvent { case echoed(version: Int) }

    mutating func apply(_ event: Event) { count += 1 }
}

private struct Answer: TimelessCommand {
    let id: String
    let version: Int
    var target: CommandTarget<String> { .any(id) }

    func run(on echo: Echo) -> [Echo.Event] { [.echoed(version: version)] }
}

/// Answers each question once.
private struct Answers: Policy {
    let name = "answers"
    let query = EventQuery.types("Asked")
    let orchestrator: Orchestrator

    func process(_ event: RecordedEvent, in context: PolicyContext) async throws -> Outcome {
        try await context.dispatch(Answer(id: event.stream.id, version: event.version), by: orchestrator)
        return .done
    }
}

/// Counts the questions of each stream, and notes every event that does not follow the one before.
private struct Questions: Projection {
    let name = "questions"
    let query = EventQuery.types("Asked")

    func setUp(_ transaction: SQLTransaction) throws {
        try transaction.execute(
            "CREATE TABLE IF NOT EXISTS \(table: "questions") (stream TEXT PRIMARY KEY, asked BIGINT NOT NULL, wrong BIGINT NOT NULL)"
        )
    }

    func apply(_ event: RecordedEvent, _ transaction: SQLTransaction) throws {
        try transaction.execute(
            """
            INSERT INTO \(table: "questions") AS q (stream, asked, wrong)
            VALUES (\(event.stream), 1, CASE WHEN \(event.version) = 1 THEN 0 ELSE 1 END)
            ON CONFLICT (stream) DO UPDATE SET asked = q.asked + 1,
                wrong = q.wrong + CASE WHEN q.asked + 1 = \(event.version) THEN 0 ELSE 1 END
            """)
    }
}

extension DiscoProbe {
    /// Runs consumers until SIGTERM, sharing their partitions with other such processes.
    static func consume(_ path: String, partitions: Int, lease: Duration) async throws {
        let logger = Logger(label: "probe") { StreamLogHandler.standardError(label: $0) }
        let context = StoreContext(logger: logger)
        let parts = path.split(separator: "#").map(String.init)
        let (events, readModels): (any EventStore, any ReadModelStore)
        if parts.count == 2 {
            events = try await PostgresEventStore.open(.init(url: parts[0], schema: parts[1]), context: context)
            var settings = PostgresReadModelStore.Settings(url: parts[0], schema: parts[1] + "_m")
            settings.idleTimeout = lease
            readModels = try await PostgresReadModelStore.open(settings, context: context)
        } else {
            events = try await SQLiteEventStore.open(path: path, context: context)
            readModels = try await SQLiteReadModelStore.open(path: path + ".models", context: context)
        }
        let client = EventStoreClient(events)
        let answers = Answers(orchestrator: Orchestrator(client: client, aggregates: [Echo.self]))
        let consumers = Consumers(
            of: client,
            [
                .projection(Questions(), in: readModels, partitions: partitions),
                .policy(answers, in: readModels, partitions: partitions),
            ], settings: .init(lease: lease))
        say("ready")
        try await ServiceGroup(services: [consumers], gracefulShutdownSignals: [.sigterm], logger: logger).run()
        await readModels.close()
        await events.close()
    }
}
