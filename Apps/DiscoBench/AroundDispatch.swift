import DiscoCore
import DiscoEventStore
import DiscoObservability
import Logging

/// Measures what all middleware together adds to the dispatch of a command that does nothing, with no-op backends.
enum AroundDispatch {
    struct DoNothing: ActionCommand {
        func run(in context: ActionContext) async throws -> Int { 0 }
    }

    private static let count = 20_000

    static func run(_ path: String) async throws {
        let client = EventStoreClient(InMemoryEventStore())
        var logger = Logger(label: "bench") { _ in SwiftLogNoOpLogHandler() }
        logger.logLevel = .info
        let all: [any Middleware] = [
            CallTracingMiddleware(), CallMetricsMiddleware(), LoggingMiddleware(logger: logger),
            AuthorizationMiddleware { _ in true }, TimeLimitMiddleware(.seconds(30)),
        ]
        let plain = Orchestrator(client: client, commands: [DoNothing.self])
        let wrapped = Orchestrator(client: client, commands: [DoNothing.self], middleware: all)
        let ones = all.map { Orchestrator(client: client, commands: [DoNothing.self], middleware: [$0]) }
        var rounds: [[Double]] = []
        for _ in 0..<7 {
            var times: [Double] = []
            for orchestrator in [plain, wrapped] + ones { times.append(try await microseconds(orchestrator)) }
            rounds.append(times.dropFirst().map { $0 - times[0] } + [times[0]])
        }
        let costs = rounds[0].indices.map { index in median(rounds.map { $0[index] }) }
        let names = ["tracing", "metrics", "logging", "authorization", "time limit"]
        let each = zip(names, costs.dropFirst()).map { "\($0) \($1.shown(2))" }.joined(separator: ", ")
        print(
            "middleware: all of it adds \(costs[0].shown(2)) µs to a dispatch of \((costs.last ?? 0).shown(2)) µs (\(each))"
        )
        try DiscoBench.check(costs[0] <= 5, "all middleware together adds \(costs[0].shown(2)) µs")
    }

    /// Runs off the main actor, as dispatches in a server do.
    @concurrent private static func microseconds(_ orchestrator: Orchestrator) async throws -> Double {
        try await seconds {
            for _ in 0..<count { try await orchestrator.dispatch(DoNothing()) }
        } / Double(count) * 1e6
    }
}
