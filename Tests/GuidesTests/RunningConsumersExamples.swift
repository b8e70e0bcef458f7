import DiscoConsumers
import DiscoCore
import DiscoEventStore
import DiscoEventStoreSQLite
import Foundation
import Logging
import ServiceLifecycle
import Testing

/// The code of the guide "Consumers".
@Suite struct RunningConsumersExamples {
    struct Door: Aggregate {
        let id: UUID
        var isOpen = false

        init(id: UUID) { self.id = id }

        static let commands: [any AggregateCommand<Door>.Type] = [BuildDoor.self, OpenDoor.self, CloseDoor.self]

        enum Event: DomainEvent { case doorBuilt, doorOpened, doorClosed }

        mutating func apply(_ event: Event) {
            switch event {
            case .doorBuilt: break
            case .doorOpened: isOpen = true
            case .doorClosed: isOpen = false
            }
        }
    }

    struct BuildDoor: CreateCommand {
        func run(on door: Door) -> [Door.Event] { [.doorBuilt] }
    }

    struct OpenDoor: UpdateCommand {
        let id: UUID
        func run(on door: Door) -> [Door.Event] { door.isOpen ? [] : [.doorOpened] }
    }

    struct CloseDoor: UpdateCommand {
        let id: UUID
        func run(on door: Door) -> [Door.Event] { door.isOpen ? [.doorClosed] : [] }
    }

    struct DoorCounts: Projection {
        let name = "door_counts"
        let query = EventQuery.types("DoorOpened")

        func setUp(_ transaction: SQLTransaction) throws {
            try transaction.execute(
                "CREATE TABLE IF NOT EXISTS \(table: "door_counts") (door TEXT PRIMARY KEY, opened INTEGER)")
        }

        func apply(_ event: RecordedEvent, _ transaction: SQLTransaction) throws {
            try transaction.execute(
                """
                INSERT INTO \(table: "door_counts") AS counts VALUES (\(event.stream.id), 1)
                ON CONFLICT (door) DO UPDATE SET opened = counts.opened + 1
                """)
        }
    }

    struct CloseDoors: Policy {
        let name = "close_doors"
        let query = EventQuery.types("DoorOpened")
        let orchestrator: Orchestrator

        func process(_ event: RecordedEvent, in context: PolicyContext) async throws -> Outcome {
            guard let id = UUID(uuidString: event.stream.id) else { return .skip("\(event.stream) is no door of ours") }
            try await context.dispatch(CloseDoor(id: id), by: orchestrator)
            return .done
        }
    }

    func opened(_ door: String, _ transaction: SQLTransaction) throws -> Int? {
        let row = try transaction.query("SELECT max(opened) AS most FROM door_counts WHERE door = \(door)").first
        return try row?.value("most", as: Int?.self) ?? nil
    }

    /// The plain form, of the guide "Columns and values".
    func count(_ event: RecordedEvent, _ transaction: SQLTransaction) throws {
        try transaction.execute(
            """
            INSERT INTO door_counts VALUES (\(event.stream.id), 1)
            ON CONFLICT (door) DO UPDATE SET opened = door_counts.opened + 1
            """)
    }

    @Test func aNullIsReadAsAnOptional() async throws {
        let readModels = try await SQLiteReadModelStore.open(.inMemory)
        try await readModels.setUp("door_counts", generation: 1) { try DoorCounts().setUp($0) }
        let none = try await readModels.read { try opened("front", $0) }
        #expect(none == nil)
        try await readModels.write { try $0.execute("INSERT INTO \(table: "door_counts") VALUES ('front', 3)") }
        let three = try await readModels.read { try opened("front", $0) }
        #expect(three == 3)
    }

    private let logger = Logger(label: "guides") { _ in SwiftLogNoOpLogHandler() }

    private func counts(_ readModels: SQLiteReadModelStore) async throws -> [Int] {
        try await readModels.read { transaction in
            try transaction.query("SELECT opened FROM door_counts").map { try $0.value("opened") }
        }
    }

    @Test func openedDoorsAreCountedAndClosed() async throws {
        let client = EventStoreClient(InMemoryEventStore())
        let readModels = try await SQLiteReadModelStore.open(.inMemory)
        let orchestrator = Orchestrator(client: client, aggregates: [Door.self])
        let id = try await orchestrator.dispatch(BuildDoor()).state.id
        try await orchestrator.dispatch(OpenDoor(id: id))
        let consumers = Consumers(
            of: client,
            [
                .projection(DoorCounts(), in: readModels, partitions: 8),
                .policy(CloseDoors(orchestrator: orchestrator), in: readModels, from: .now),
            ])
        try await consumers.catchUp()
        #expect(try await counts(readModels) == [1])
        // The policy begins with what comes from now on.
        #expect(try await client.events(in: Door.streamID(id)).collect().map(\.type) == ["DoorBuilt", "DoorOpened"])

        try await orchestrator.dispatch(CloseDoor(id: id))
        try await orchestrator.dispatch(OpenDoor(id: id))
        try await client.emit("DoorOpened", [:] as JSON)
        try await consumers.catchUp()
        #expect(try await counts(readModels) == [2, 1])
        #expect(try await client.version(of: Door.streamID(id)) == 5)
    }

    /// Records a door with an unknown event, so that the door cannot be loaded.
    private func openAnUnknownDoor(_ client: EventStoreClient) async throws {
        let stream = Door.streamID(UUID())
        try await client.append(
            Append(["DoorPainted", "DoorOpened"].map { NewEvent(stream: stream, type: $0, payload: "{}") }))
    }

    @Test func aFailedEventIsHeldWithItsReason() async throws {
        let client = EventStoreClient(InMemoryEventStore())
        let readModels = try await SQLiteReadModelStore.open(.inMemory)
        let orchestrator = Orchestrator(client: client, aggregates: [Door.self])
        try await openAnUnknownDoor(client)
        let policy = CloseDoors(orchestrator: orchestrator)
        try await Consumers(of: client, [.policy(policy, in: readModels)]).catchUp()
        let held = try await readModels.held(by: "close_doors")
        let reasons = held.map { "\($0.stream) at \($0.first), attempt \($0.attempts): \($0.failure?.reason ?? "")" }
        #expect(held.map(\.first) == [2])
        #expect(reasons.count == 1)
    }

    @Test func failuresAreHandledAsThePolicySays() async throws {
        let client = EventStoreClient(InMemoryEventStore())
        let readModels = try await SQLiteReadModelStore.open(.inMemory)
        let orchestrator = Orchestrator(client: client, aggregates: [Door.self])
        try await openAnUnknownDoor(client)
        let mails = EventConsumer.policy(
            CloseDoors(orchestrator: orchestrator), in: readModels,
            failures: FailurePolicy(attempts: 5, longestDelay: .seconds(600)))
        let consumers = Consumers(of: client, [mails])
        try await consumers.catchUp()
        try await readModels.decide(
            HeldDecision(.retry, consumer: "close_doors", HeldFilter(code: "timed_out"), by: "ann"))
        for status in try await consumers.status() {
            print(status.consumer, status.state, status.lag ?? 0, status.lagSeconds ?? 0, status.parked)
        }
        let health = consumers.health  // isLive, isReady, and the reasons
        #expect(health.isLive && !health.isReady)
        #expect(try await readModels.held(by: "close_doors").map(\.attempts) == [1])
    }

    struct ReportMissing: UpdateCommand {
        let id: UUID
        func run(on door: Door) -> [Door.Event] { [] }
    }

    struct CloseOrReport: Policy {
        let name = "close_or_report"
        let door: UUID
        let orchestrator: Orchestrator

        func process(_ event: RecordedEvent, in context: PolicyContext) async throws -> Outcome {
            do {
                try await context.dispatch(CloseDoor(id: door), by: orchestrator)
            } catch DispatchError.aggregateNotFound {
                try await context.dispatch(ReportMissing(id: door), by: orchestrator)
            }
            return .done
        }
    }

    func serve(_ consumers: Consumers) async throws {
        let group = ServiceGroup(services: [consumers], logger: logger)
        try await group.run()
    }

    @Test func aConsumerOfAnotherStoreIsReset() async throws {
        let readModels = try await SQLiteReadModelStore.open(.inMemory)
        let (one, other) = (EventStoreClient(InMemoryEventStore()), EventStoreClient(InMemoryEventStore()))
        try await openAnUnknownDoor(one)
        try await Consumers(of: one, [.projection(DoorCounts(), in: readModels)]).catchUp()
        let consumers = Consumers(of: other, [.projection(DoorCounts(), in: readModels)])
        do {
            try await consumers.run()
        } catch let diverged as CheckpointDiverged where diverged.consumer == "door_counts" {
            try await readModels.reset("door_counts")
        }
        #expect(try await readModels.checkpoint(of: "door_counts") == .start)
        try await openAnUnknownDoor(other)
        try await consumers.catchUp()
        #expect(try await counts(readModels) == [1])
    }
}
