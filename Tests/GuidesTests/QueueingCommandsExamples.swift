import DiscoConsumers
import DiscoCore
import DiscoEventStore
import Logging
import ServiceLifecycle
import Testing

/// The code of the guide "Queueing commands".
@Suite struct QueueingCommandsExamples {
    struct Basket: Aggregate {
        let id: String
        var items: [String] = []

        init(id: String) { self.id = id }

        static let commands: [any AggregateCommand<Basket>.Type] = [AddItem.self]

        enum Event: DomainEvent { case itemAdded(item: String) }

        mutating func apply(_ event: Event) {
            switch event {
            case .itemAdded(let item): items.append(item)
            }
        }
    }

    struct AddItem: CreateCommand {
        let id: String
        var item: String

        var target: CommandTarget<String> { .any(id) }

        func run(on basket: Basket) throws -> [Basket.Event] {
            if basket.items.contains(item) { throw HasIt(item: item) }
            return [.itemAdded(item: item)]
        }
    }

    struct HasIt: Refusal, Equatable {
        let item: String

        var message: String { "\(item) is in the basket." }
    }

    func add(_ item: String, to id: String, _ queue: CommandQueue) throws -> Ticket<Dispatched<Basket>>? {
        do {
            return try queue.enqueue(AddItem(id: id, item: item))
        } catch DispatchError.queueFull {
            return nil  // the sender tries again later
        }
    }

    private let orchestrator: Orchestrator

    init() {
        orchestrator = Orchestrator(client: EventStoreClient(InMemoryEventStore()), aggregates: [Basket.self])
    }

    @Test func commandsAreQueuedRunAndAnswered() async throws {
        let queue = CommandQueue(orchestrator, capacity: 500)
        let tea = try queue.enqueue(AddItem(id: "ada", item: "tea"), key: "click-17")
        let milk = try queue.enqueue("add_item", ["id": "ada", "item": "milk"])
        let more = try queue.enqueue(AddItem(id: "ada", item: "tea"))
        #expect(queue.count == 3)
        let isEarly = tea.settled != nil
        #expect(!isEarly)

        let running = Task { try await queue.run() }
        let basket = try await tea.outcome().state
        #expect(basket.items == ["tea"])
        let answer = try await milk.outcome()
        #expect(answer.output["items"] == ["tea", "milk"])
        await #expect(throws: HasIt(item: "tea")) { try await more.outcome() }
        queue.drain()
        try await running.value
        #expect(queue.count == 0)
        #expect(throws: DispatchError.queueClosed) { try queue.enqueue(AddItem(id: "ada", item: "jam")) }
    }

    @Test func commandsForOneAggregateKeepTheirOrder() async throws {
        let queue = CommandQueue(orchestrator)
        let ids = ["ada", "bob", "eve"]
        var last: [Ticket<Dispatched<Basket>>] = []
        for number in 1...50 {
            last = try ids.map { try queue.enqueue(AddItem(id: $0, item: "\(number)")) }
        }
        queue.drain()
        try await queue.run()
        for ticket in last {
            let basket = try await ticket.outcome().state
            #expect(basket.items == (1...50).map { "\($0)" })
        }
    }

    @Test func aFullQueueTakesNoMoreCommands() async throws {
        let queue = CommandQueue(orchestrator, capacity: 1)
        let takesTea = try add("tea", to: "ada", queue) != nil
        let takesMilk = try add("milk", to: "ada", queue) != nil
        #expect(takesTea)
        #expect(!takesMilk)
        #expect(throws: DispatchError.queueFull(capacity: 1)) {
            try queue.enqueue("add_item", ["id": "ada", "item": "milk"])
        }
    }

    private func left() throws -> Ticket<Dispatched<Basket>> {
        try CommandQueue(orchestrator).enqueue(AddItem(id: "ada", item: "tea"))
    }

    @Test func waitingCommandsOfAnEndingQueueAreRefused() async throws {
        let ticket = try left()
        await #expect(throws: DispatchError.queueClosed) { try await ticket.outcome() }
    }

    @Test func aGracefulShutdownRunsTheWaitingCommands() async throws {
        let logger = Logger(label: "guides") { _ in SwiftLogNoOpLogHandler() }
        let queue = CommandQueue(orchestrator)
        let group = ServiceGroup(services: [queue.service], logger: logger)
        let tea = try queue.enqueue(AddItem(id: "ada", item: "tea"))
        let running = Task { try await group.run() }
        _ = try await tea.outcome()
        let milk = try queue.enqueue(AddItem(id: "ada", item: "milk"))
        await group.triggerGracefulShutdown()
        try await running.value
        #expect(try await milk.outcome().state.items == ["tea", "milk"])
    }
}
