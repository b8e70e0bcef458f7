import DiscoConsumers
import DiscoCore
import DiscoEventStore
import DiscoEventStoreSQLite
import DiscoTesting
import Foundation
import Testing

/// The code of the guide "Waiting with a policy".
@Suite struct WaitingWithAPolicyExamples {
    struct Order: Aggregate {
        let id: String
        var isOpen = false

        init(id: String) { self.id = id }

        static let commands: [any AggregateCommand<Order>.Type] = [PlaceOrder.self, PayOrder.self, CancelUnpaid.self]

        enum Event: DomainEvent { case orderPlaced, orderPaid, orderCancelled }

        mutating func apply(_ event: Event) { isOpen = event == .orderPlaced }
    }

    struct PlaceOrder: CreateCommand {
        let id: String
        var target: CommandTarget<String> { .new(id) }
        func run(on order: Order) -> [Order.Event] { [.orderPlaced] }
    }

    struct PayOrder: UpdateCommand {
        let id: String
        func run(on order: Order) -> [Order.Event] { order.isOpen ? [.orderPaid] : [] }
    }

    struct CancelUnpaid: UpdateCommand {
        let id: String

        func run(on order: Order) -> [Order.Event] { order.isOpen ? [.orderCancelled] : [] }
    }

    struct CancelUnpaidOrders: Policy {
        let name = "cancel_unpaid_orders"
        let query = EventQuery.types("OrderPlaced")
        let orchestrator: Orchestrator

        func process(_ event: RecordedEvent, in context: PolicyContext) async throws -> Outcome {
            let due = event.recordedAt.addingTimeInterval(3 * 86_400)
            let remaining = due.timeIntervalSince(orchestrator.context.now())
            if remaining > 0 { return .retry(after: .seconds(remaining)) }
            try await context.dispatch(CancelUnpaid(id: event.stream.id), by: orchestrator)
            return .done
        }
    }

    @Test func anOrderIsCancelledWhenItIsDue() async throws {
        let time = ManualTime()
        let client = EventStoreClient(InMemoryEventStore(context: time.context()))
        let readModels = try await SQLiteReadModelStore.open(.inMemory)
        let orchestrator = Orchestrator(client: client, aggregates: [Order.self])
        let policy = CancelUnpaidOrders(orchestrator: orchestrator)
        let consumers = Consumers(of: client, [.policy(policy, in: readModels)])
        try await orchestrator.dispatch(PlaceOrder(id: "4711"))
        try await consumers.catchUp()  // too early: the event is held
        let held = try await readModels.held(by: "cancel_unpaid_orders")
        time.advance(by: .seconds(3 * 86_400))
        try await consumers.catchUp()  // due: the order is cancelled
        #expect(held.map(\.retryAt) == [time.now])
        #expect(try await readModels.held(by: "cancel_unpaid_orders").isEmpty)
        let types = try await client.events(in: Order.streamID("4711")).collect().map(\.type)
        #expect(types == ["OrderPlaced", "OrderCancelled"])
    }

    @Test func heldEventsSurviveARestartAndBlockNoOtherStream() async throws {
        let client = EventStoreClient(InMemoryEventStore())
        let orchestrator = Orchestrator(client: client, aggregates: [Order.self])
        let readModels = try await SQLiteReadModelStore.open(.inMemory)
        for id in ["4711", "4712"] { try await orchestrator.dispatch(PlaceOrder(id: id)) }
        try await orchestrator.dispatch(PayOrder(id: "4711"))
        for _ in 1...2 {
            let policy = CancelUnpaidOrders(orchestrator: orchestrator)
            try await Consumers(of: client, [.policy(policy, in: readModels)]).catchUp()
        }
        let held = try await readModels.held(by: "cancel_unpaid_orders")
        #expect(held.map(\.stream) == ["order-4711", "order-4712"])
        #expect(held.map(\.attempts) == [0, 0])
        #expect(try await readModels.checkpoint(of: "cancel_unpaid_orders").position == 3)
        await readModels.close()
    }
}
