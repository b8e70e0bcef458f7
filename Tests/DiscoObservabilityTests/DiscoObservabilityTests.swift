import DiscoCore
import DiscoEventStore
import DiscoObservability
import Foundation
import InMemoryTracing
import Metrics
import MetricsTestKit
import Testing
import Tracing
import WalletDomain

@Suite struct DiscoObservabilityTests {
    private let client = EventStoreClient(InMemoryEventStore())

    private func orchestrator(_ middleware: any Middleware) -> Orchestrator {
        Orchestrator(
            client: client, aggregates: [Wallet.self], queries: [WalletHistory.self], middleware: [middleware])
    }

    @Test func commandsAndQueriesAreTimedByNameAndOutcome() async throws {
        let metrics = TestMetrics()
        let orchestrator = orchestrator(CallMetricsMiddleware(factory: metrics))
        let id = try await orchestrator.dispatch(CreateWallet(userID: UUID(), balance: 1)).state.id
        for _ in 0..<2 {
            await #expect(throws: WalletRefusal.self) {
                try await orchestrator.dispatch(WithdrawMoney(id: id, amount: 5))
            }
        }
        await #expect(throws: ValidationError.self) { try await orchestrator.dispatch("deposit_money", [:]) }
        _ = try await orchestrator.query(WalletHistory(id: id))
        func times(_ kind: String, _ name: String, _ outcome: String) throws -> [Int64] {
            try metrics.expectTimer(
                "disco.requests", [("kind", kind), ("name", name), ("outcome", outcome)]
            ).values
        }
        #expect(try times("command", "create_wallet", "done").count == 1)
        #expect(try times("command", "withdraw_money", "insufficient_funds").count == 2)
        #expect(try times("command", "deposit_money", "validation").count == 1)
        let query = try times("query", "wallet_history", "done")
        #expect(query.count == 1 && query.allSatisfy { $0 > 0 })
    }

    @Test func aSpanIsStartedAndTheEventsCarryItsTrace() async throws {
        let tracer = InMemoryTracer()
        let orchestrator = orchestrator(CallTracingMiddleware(tracer: tracer))
        let id = try await orchestrator.dispatch(CreateWallet(userID: UUID(), balance: 1)).state.id
        let created = try #require(try await client.events().collect().first)
        let span = try #require(tracer.finishedSpans.first)
        #expect(span.operationName == "command create_wallet")
        #expect(created.metadata.trace.values.contains(span.spanContext.traceID), "\(created.metadata.trace)")

        // An event that it causes belongs to the same trace.
        try await orchestrator.dispatch(NoticeLowBalance(id: id), metadata: .caused(by: created))
        let caused = try #require(tracer.finishedSpans.last)
        #expect(caused.traceID == span.traceID)
        #expect(caused.parentSpanID == span.spanID)
        let noticed = try #require(try await client.events().collect().last)
        #expect(noticed.metadata.trace.values.contains(span.traceID))
        #expect(noticed.metadata.correlationID == created.metadata.correlationID)
    }

    @Test func aRefusalIsRecordedInTheSpan() async throws {
        let tracer = InMemoryTracer()
        let orchestrator = orchestrator(CallTracingMiddleware(tracer: tracer))
        await #expect(throws: DispatchError.self) {
            try await orchestrator.dispatch(DepositMoney(id: UUID(), amount: 5))
        }
        let span = try #require(tracer.finishedSpans.first)
        #expect(span.attributes.get("disco.code") == "aggregate_not_found")
        #expect(span.attributes.get("disco.name") == "deposit_money")
        #expect(span.errors.count == 1)
    }

    @Test func withoutABackendNothingIsAddedToTheEvents() async throws {
        let orchestrator = orchestrator(CallTracingMiddleware())
        try await orchestrator.dispatch(CreateWallet(userID: UUID(), balance: 1))
        #expect(try await client.events().collect().map(\.metadata.values) == [nil])
    }
}
