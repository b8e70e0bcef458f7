import DiscoConsumers
import DiscoCore
import DiscoEventStore
import DiscoEventStoreSQLite
import DiscoTesting
import Logging
import Testing

/// The code of the guide "Testing", and of the page of its module.
@Suite struct TestingExamples {
    enum HallEvent: DomainEvent {
        case seatTaken(row: String, by: String)

        var tags: [EventTag] {
            switch self {
            case .seatTaken(let row, _): [EventTag("row", row)]
            }
        }
    }

    struct Seats: DecisionModel {
        var taken = 0
        mutating func apply(_ event: HallEvent) { taken += 1 }
    }

    struct RowIsFull: Refusal, Equatable {
        var message: String { "The row has one seat, and it is taken." }
    }

    struct TakeSeat: DecisionCommand {
        let row: String
        let by: String

        var query: EventQuery { .types("SeatTaken").tagged(EventTag("row", row)) }
        var model: Seats { Seats() }

        func run(on seats: Seats) throws -> [HallEvent] {
            guard seats.taken < 1 else { throw RowIsFull() }
            return [.seatTaken(row: row, by: by)]
        }
    }

    @Test func decisionsAreTestedOnTheEventsTheirQuerySelects() throws {
        let hall = DecisionScenario<Seats>().given(.seatTaken(row: "A", by: "ada"), .seatTaken(row: "B", by: "bob"))
        try hall.when(TakeSeat(row: "A", by: "eve")).thenRefused(RowIsFull())
        try hall.when(TakeSeat(row: "C", by: "eve")).then(.seatTaken(row: "C", by: "eve")).thenState { $0.taken == 1 }
        #expect(throws: ConformanceFailure.self) {
            try hall.when(TakeSeat(row: "A", by: "eve")).then(.seatTaken(row: "A", by: "eve"))
        }
    }

    struct Door: Aggregate {
        let id: String
        var isOpen = false
        var isLocked = false

        init(id: String) { self.id = id }

        static let commands: [any AggregateCommand<Door>.Type] = [BuildDoor.self, OpenDoor.self]

        enum Event: DomainEvent { case doorBuilt, doorOpened, doorLocked }

        mutating func apply(_ event: Event) {
            switch event {
            case .doorBuilt: break
            case .doorOpened: isOpen = true
            case .doorLocked: isLocked = true
            }
        }
    }

    struct DoorIsLocked: Error, Equatable {}

    struct BuildDoor: CreateCommand {
        let id: String
        var target: CommandTarget<String> { .new(id) }
        func run(on door: Door) -> [Door.Event] { [.doorBuilt] }
    }

    struct OpenDoor: UpdateCommand {
        let id: String

        func run(on door: Door) throws -> [Door.Event] {
            if door.isLocked { throw DoorIsLocked() }
            return door.isOpen ? [] : [.doorOpened]
        }
    }

    struct OpenDoors: Projection {
        let name = "open_doors"
        let query = EventQuery.types("DoorOpened")

        func setUp(_ transaction: SQLTransaction) throws {
            try transaction.execute("CREATE TABLE IF NOT EXISTS open_doors (door TEXT PRIMARY KEY)")
        }

        func apply(_ event: RecordedEvent, _ transaction: SQLTransaction) throws {
            guard case .doorOpened = try Door.Event(event) else { return }
            try transaction.execute("INSERT INTO open_doors VALUES (\(event.stream.id))")
        }
    }

    struct LockReport: Policy {
        let name = "lock_report"

        func process(_ event: RecordedEvent, in context: PolicyContext) async throws -> Outcome {
            event.stream.category == Door.category ? .done : .skip("\(event.stream) is no door")
        }
    }

    @Test func decisionsAreTestedWithoutAStore() throws {
        try Scenario(Door.self, id: "front")
            .given(.doorBuilt)
            .when(OpenDoor(id: "front"))
            .then(.doorOpened)
        let door = Scenario(Door.self, id: "front").given(.doorBuilt)
        try door.when(OpenDoor(id: "front")).then(.doorOpened).thenState { $0.isOpen }
        try door.given(.doorOpened).when(OpenDoor(id: "front")).then()  // nothing to do
        try door.given(.doorLocked).when(OpenDoor(id: "front")).thenRefused(DoorIsLocked())
        try Scenario(Door.self, id: "back").when(OpenDoor(id: "back"))
            .thenRefused(DispatchError.aggregateNotFound("door-back"))
        try door.given(.doorLocked).when(OpenDoor(id: "front")).thenRefused { (_: DoorIsLocked) in true }
    }

    @Test func projectionsAndPoliciesAreTestedWithBuiltEvents() async throws {
        var events = EventBuilder()
        try events.record(Door.Event.doorBuilt, in: "door-front")
        try events.record(Door.Event.doorOpened, in: "door-front")
        let store = try await SQLiteReadModelStore.open(.inMemory)
        try await store.write { [events = events.events] transaction in
            try OpenDoors().setUp(transaction)
            for event in events { try OpenDoors().apply(event, transaction) }
        }
        let open = try await store.read { try $0.query("SELECT door FROM open_doors").count }
        #expect(open == 1)
        let locked = events.record("DoorLocked", "{}", in: "garage-1", tags: ["person:ada"])
        let outcome = try await LockReport().process(locked, in: PolicyContext(for: locked))  // .skip
        #expect(outcome == .skip("garage-1 is no door"))
        #expect(locked.position == 3)
    }

    @Test func aWholeSystemRunsInMemory() async throws {
        let client = EventStoreClient(InMemoryEventStore())
        let readModels = try await SQLiteReadModelStore.open(.inMemory)
        let orchestrator = Orchestrator(client: client, aggregates: [Door.self])
        let consumers = Consumers(of: client, [.projection(OpenDoors(), in: readModels)])
        try await orchestrator.dispatch(BuildDoor(id: "front"))
        try await orchestrator.dispatch(OpenDoor(id: "front"))
        try await consumers.catchUp()
        let open = try await readModels.read { try $0.query("SELECT door FROM open_doors").count }
        #expect(open == 1)
    }

    @Test func timePassesOnlyWhenTheTestAdvancesIt() async throws {
        let time = ManualTime()
        let client = EventStoreClient(InMemoryEventStore(context: time.context()))
        try await client.emit("DoorOpened", ["door": "front"])
        time.advance(by: .seconds(3600))  // an hour passes at once
        try await client.emit("DoorClosed", ["door": "front"])
        let times = try await client.events().collect().map(\.recordedAt)  // an hour apart
        #expect(times[1].timeIntervalSince(times[0]) == 3600)
    }

    @Test(arguments: ReadModelStoreConformance.cases)
    func conforms(to aCase: ReadModelStoreConformance.Case) async throws {
        let suite = ReadModelStoreConformance { try await SQLiteReadModelStore.open(.inMemory) }
        if case .skipped(let lacking) = try await aCase.run(on: suite) {
            print("skipped: \(aCase); this store lacks \(lacking)")
            try Test.cancel("\(lacking)")
        }
    }
}
