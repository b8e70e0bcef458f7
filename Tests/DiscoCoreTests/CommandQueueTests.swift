import DiscoCore
import DiscoEventStore
import Foundation
import TestSupport
import Testing
import WalletDomain

/// Returns the label of a shelf.
private struct ReadLabel: ActionCommand {
    let id: String

    func run(in context: ActionContext) async throws -> String { try await context.load(Shelf.self, id).state.label }
}

@Suite(.timeLimit(.minutes(1))) struct CommandQueueTests {
    private let store = InMemoryEventStore()
    private var client: EventStoreClient { EventStoreClient(store) }

    private func orchestrator(on store: (any EventStore)? = nil) -> Orchestrator {
        Orchestrator(
            client: EventStoreClient(store ?? self.store), aggregates: [Shelf.self, Wallet.self],
            commands: [ReadLabel.self])
    }

    /// An orchestrator whose appends wait at a gate.
    private func gated() -> (orchestrator: Orchestrator, gate: Gate) {
        let (store, gate) = (store, Gate())
        let gated = HookedEventStore(
            store,
            append: { append in
                try await gate.pass()
                return try await store.append(append)
            })
        return (orchestrator(on: gated), gate)
    }

    private func open(_ shelves: String...) async throws {
        for shelf in shelves { try await orchestrator().dispatch(OpenShelf(id: shelf, label: "new")) }
    }

    private func labels(_ shelf: String) async throws -> [JSON?] {
        try await client.events(in: Shelf.streamID(shelf)).collect().dropFirst().map { try $0.payload.value()["label"] }
    }

    @Test func commandsForOneAggregateRunInTheOrderOfArrival() async throws {
        try await open("a", "b", "c")
        let queue = CommandQueue(orchestrator(), width: 8)
        for number in 0..<50 {
            for shelf in ["a", "b", "c"] { _ = try queue.enqueue(LabelShelf(id: shelf, label: "\(number)")) }
        }
        queue.drain()
        try await queue.run()
        for shelf in ["a", "b", "c"] {
            let labels = try await labels(shelf)
            #expect(labels == (0..<50).map { .string("\($0)") })
        }
    }

    @Test func commandsByNameAndByTypeShareOneOrder() async throws {
        let id = try await orchestrator().dispatch(CreateWallet(userID: UUID(), balance: 0)).state.id
        let queue = CommandQueue(orchestrator(), width: 8)
        var tickets: [Ticket<Dispatched<JSON>>] = []
        for _ in 0..<20 {
            // Each withdraws what the previous one deposited: in any other order one of them is refused.
            let deposit = try queue.enqueue(DepositMoney(id: id, amount: 1))
            #expect(deposit.settled == nil)
            let id = JSON.string(id.uuidString.uppercased())
            tickets.append(try queue.enqueue("withdraw_money", ["amount": 1, "id": id]))
        }
        queue.drain()
        try await queue.run()
        for ticket in tickets {
            let answer = try await ticket.outcome()
            #expect(answer.output["balance"] == 0)
        }
    }

    @Test func commandsForDifferentAggregatesRunConcurrently() async throws {
        try await open("a", "b", "c")
        let (orchestrator, gate) = gated()
        let queue = CommandQueue(orchestrator, width: 3)
        let running = Task { try await queue.run() }
        for shelf in ["a", "b", "c"] { _ = try queue.enqueue(LabelShelf(id: shelf, label: "x")) }
        await eventually { gate.held == 3 }
        gate.open()
        queue.drain()
        try await running.value
        #expect(queue.count == 0)
    }

    @Test func aCommandBeyondTheCapacityIsRefused() async throws {
        try await open("a")
        let queue = CommandQueue(orchestrator(), capacity: 3, width: 1)
        for number in 0..<3 { _ = try queue.enqueue(LabelShelf(id: "a", label: "\(number)")) }
        #expect(queue.count == 3)
        #expect(throws: DispatchError.queueFull(capacity: 3)) {
            _ = try queue.enqueue(LabelShelf(id: "a", label: "3"))
        }
        #expect(throws: DispatchError.queueFull(capacity: 3)) {
            _ = try queue.enqueue("label_shelf", ["id": "b", "label": "3"])
        }
        let running = Task { try await queue.run() }
        await eventually { queue.count == 0 }
        let ticket = try queue.enqueue(LabelShelf(id: "a", label: "4"))
        #expect(try await ticket.outcome().state.label == "4")
        queue.drain()
        try await running.value
        #expect(try await labels("a") == ["0", "1", "2", "4"])
    }

    @Test func aTicketCanBeAwaitedAnyNumberOfTimes() async throws {
        try await open("a")
        let (orchestrator, gate) = gated()
        let queue = CommandQueue(orchestrator)
        let running = Task { try await queue.run() }
        let ticket = try queue.enqueue(LabelShelf(id: "a", label: "x"))
        #expect(ticket.settled == nil)
        let waiting = (0..<10).map { _ in Task { try await ticket.outcome().version } }
        await eventually { gate.held == 1 }
        gate.open()
        for task in waiting { #expect(try await task.value == 2) }
        // A later call gets the same outcome.
        #expect(try await ticket.outcome().state.label == "x")
        #expect(try ticket.settled?.get().version == 2)
        queue.drain()
        try await running.value
    }

    @Test func cancellingTheWaitDoesNotCancelTheCommand() async throws {
        try await open("a")
        let (orchestrator, gate) = gated()
        let queue = CommandQueue(orchestrator)
        let running = Task { try await queue.run() }
        let ticket = try queue.enqueue(LabelShelf(id: "a", label: "x"))
        let impatient = Task { try await ticket.outcome().version }
        await eventually { gate.held == 1 }
        impatient.cancel()
        await #expect(throws: CancellationError.self) { _ = try await impatient.value }
        #expect(ticket.settled == nil)
        gate.open()
        #expect(try await ticket.outcome().version == 2)
        queue.drain()
        try await running.value
    }

    @Test func aRefusalIsThrownByItsTicketAndStopsNothing() async throws {
        try await open("a")
        let queue = CommandQueue(orchestrator(), width: 1)
        let unknown = try queue.enqueue(LabelShelf(id: "z", label: "x"))
        let exists = try queue.enqueue(OpenShelf(id: "a", label: "x"))
        let wrong = try queue.enqueue("label_shelf", ["id": "a", "label": 7])
        let fine = try queue.enqueue(LabelShelf(id: "a", label: "fine"))
        queue.drain()
        try await queue.run()
        await #expect(throws: DispatchError.aggregateNotFound("shelf-z")) { _ = try await unknown.outcome() }
        await #expect(throws: DispatchError.aggregateExists("shelf-a")) { _ = try await exists.outcome() }
        await #expect(throws: ValidationError(["label": ["must be a string"]])) { _ = try await wrong.outcome() }
        #expect(try await fine.outcome().state.label == "fine")
    }

    @Test func anUnknownCommandIsNotQueued() async throws {
        let queue = CommandQueue(orchestrator())
        #expect(throws: DispatchError.unknownCommand("fly", known: orchestrator().commands())) {
            _ = try queue.enqueue("fly", [:])
        }
        #expect(queue.count == 0)
    }

    @Test func drainingRunsTheWaitingCommandsAndTakesNoMore() async throws {
        try await open("a")
        let (orchestrator, gate) = gated()
        let queue = CommandQueue(orchestrator, width: 4)
        let running = Task { try await queue.run() }
        let tickets = try (0..<20).map { try queue.enqueue(LabelShelf(id: "a", label: "\($0)")) }
        await eventually { gate.held == 1 }
        queue.drain()
        #expect(throws: DispatchError.queueClosed) { _ = try queue.enqueue(LabelShelf(id: "a", label: "late")) }
        #expect(throws: DispatchError.queueClosed) {
            _ = try queue.enqueue("label_shelf", ["id": "a", "label": "late"])
        }
        gate.open()
        try await running.value
        for (number, ticket) in tickets.enumerated() {
            #expect(try await ticket.outcome().version == number + 2)
        }
        #expect(queue.count == 0)
    }

    @Test func drainingAnIdleQueueEndsIt() async throws {
        try await open("a")
        let queue = CommandQueue(orchestrator())
        let running = Task { try await queue.run() }
        _ = try await queue.enqueue(LabelShelf(id: "a", label: "x")).outcome()
        queue.drain()
        try await running.value
        // Also a queue that never ran.
        let other = CommandQueue(orchestrator())
        other.drain()
        try await other.run()
    }

    @Test func commandsWaitForTheQueueToRun() async throws {
        try await open("a")
        let queue = CommandQueue(orchestrator())
        let (label, text) = (
            try queue.enqueue(LabelShelf(id: "a", label: "early")), try queue.enqueue(ReadLabel(id: "a"))
        )
        #expect(queue.count == 2)
        #expect(label.settled == nil)
        let running = Task { try await queue.run() }
        #expect(try await label.outcome().state.label == "early")
        #expect(["new", "early"].contains(try await text.outcome().output))
        queue.drain()
        try await running.value
    }

    @Test func cancellingTheQueueRefusesTheWaitingCommands() async throws {
        try await open("a", "b")
        let (orchestrator, gate) = gated()
        let queue = CommandQueue(orchestrator, width: 1)
        let running = Task { try await queue.run() }
        let inHand = try queue.enqueue(LabelShelf(id: "a", label: "in hand"))
        await eventually { gate.held == 1 }
        let behind = try queue.enqueue(LabelShelf(id: "a", label: "behind it"))
        let other = try queue.enqueue(LabelShelf(id: "b", label: "beside it"))
        running.cancel()
        await #expect(throws: DispatchError.queueClosed) { _ = try await behind.outcome() }
        await #expect(throws: DispatchError.queueClosed) { _ = try await other.outcome() }
        await #expect(throws: CancellationError.self) { _ = try await inHand.outcome() }
        _ = await running.result
        #expect(throws: DispatchError.queueClosed) { _ = try queue.enqueue(LabelShelf(id: "a", label: "late")) }
        #expect(try await labels("a") == [])
        #expect(try await labels("b") == [])
    }

    @Test func aCancelledQueueIsEmpty() async throws {
        try await open("a", "b")
        let (orchestrator, gate) = gated()
        let queue = CommandQueue(orchestrator, width: 1)
        let running = Task { try await queue.run() }
        _ = try queue.enqueue(LabelShelf(id: "a", label: "in hand"))
        await eventually { gate.held == 1 }
        _ = try queue.enqueue(LabelShelf(id: "b", label: "waits"))
        running.cancel()
        _ = await running.result
        #expect(queue.count == 0)
    }

    @Test func aQueueReleasedBeforeItRanRefusesTheWaitingCommands() async throws {
        var queue: CommandQueue? = CommandQueue(orchestrator())
        let ticket = try #require(try queue?.enqueue(LabelShelf(id: "a", label: "x")))
        queue = nil
        await #expect(throws: DispatchError.queueClosed) { _ = try await ticket.outcome() }
    }

    @Test func keysAndMetadataArePassedOn() async throws {
        try await open("a")
        let queue = CommandQueue(orchestrator(), width: 4)
        let correlation = UUID()
        let tickets = try (0..<4).map { _ in
            try queue.enqueue(
                LabelShelf(id: "a", label: "x"), metadata: Metadata(correlationID: correlation), key: "k")
        }
        queue.drain()
        try await queue.run()
        var repeated: [Bool] = []
        for ticket in tickets { repeated.append(try await ticket.outcome().repeated) }
        #expect(repeated == [false, true, true, true])
        let events = try await client.events(in: "shelf-a").collect()
        #expect(events.count == 2)
        #expect(events.last?.metadata.correlationID == correlation)
    }

    @Test func aThousandCommandsOnTenAggregatesGiveExactSums() async throws {
        var ids: [UUID] = []
        for _ in 0..<10 {
            ids.append(try await orchestrator().dispatch(CreateWallet(userID: UUID(), balance: 0)).state.id)
        }
        let queue = CommandQueue(orchestrator())
        let running = Task { try await queue.run() }
        let tickets = try (0..<1_000).map { number in
            try queue.enqueue(DepositMoney(id: ids[number % 10], amount: Decimal(number / 10 + 1)))
        }
        for ticket in tickets { #expect(try await ticket.outcome().conflicts == 0) }
        queue.drain()
        try await running.value
        for id in ids {
            let last = try await orchestrator().dispatch(WithdrawMoney(id: id, amount: 5_050))
            #expect(last.state.balance == 0)
            #expect(last.version == 102)
        }
    }
}
