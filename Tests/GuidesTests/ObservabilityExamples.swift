import DiscoCore
import DiscoEventStore
import DiscoObservability
import Foundation
import Logging
import Testing

/// The code of the page of DiscoObservability.
@Suite struct ObservabilityExamples {
    private struct Turnstile: Aggregate {
        let id: UUID
        enum Event: DomainEvent { case turned }
        mutating func apply(_ event: Event) {}
        static let commands: [any AggregateCommand<Turnstile>.Type] = [Turn.self]
    }

    private struct Turn: CreateCommand {
        func run(on turnstile: Turnstile) -> [Turnstile.Event] { [.turned] }
    }

    @Test func commandsAreTracedMeasuredAndLogged() async throws {
        let client = EventStoreClient(InMemoryEventStore())
        let logger = Logger(label: "example") { _ in SwiftLogNoOpLogHandler() }
        let orchestrator = Orchestrator(
            client: client, aggregates: [Turnstile.self],
            middleware: [CallTracingMiddleware(), CallMetricsMiddleware(), LoggingMiddleware(logger: logger)])
        #expect(try await orchestrator.dispatch(Turn()).version == 1)
    }
}
