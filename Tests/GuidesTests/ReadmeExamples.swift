import DiscoConsumers
import DiscoCore
import DiscoEventStoreSQLite
import Foundation
import Logging

/// The code of README.md. It is compiled but not run, since it writes files in the working directory.
enum ReadmeExamples {
    struct DoorList: Projection {
        let name = "doors"

        func setUp(_ transaction: SQLTransaction) throws {}
        func apply(_ event: RecordedEvent, _ transaction: SQLTransaction) throws {}
    }

    // The README aligns its comments.
    // swift-format-ignore
    static func doors() async throws {
        struct Door: Aggregate {
            let id: UUID
            var isOpen = false
            init(id: UUID) { self.id = id }

            static let commands: [any AggregateCommand<Door>.Type] = [BuildDoor.self, OpenDoor.self]

            enum Event: DomainEvent { case doorBuilt, doorOpened }

            mutating func apply(_ event: Event) { if case .doorOpened = event { isOpen = true } }
        }

        struct BuildDoor: CreateCommand { func run(on door: Door) -> [Door.Event] { [.doorBuilt] } }
        struct OpenDoor: UpdateCommand {
            let id: UUID
            func run(on door: Door) -> [Door.Event] { door.isOpen ? [] : [.doorOpened] }
        }

        let client = EventStoreClient(try await SQLiteEventStore.open(path: "doors.sqlite"))
        let orchestrator = Orchestrator(client: client, aggregates: [Door.self])
        let door = try await orchestrator.dispatch(BuildDoor()).state                            // by type
        try await orchestrator.dispatch("open_door", ["id": .string(door.id.uuidString)])        // by name, JSON in, JSON out
        for try await event in client.events(.category("door")) { print(event.position, event.type) }
    }

    static func follow(_ client: EventStoreClient, _ logger: Logger) async throws {
        let readModels = try await SQLiteReadModelStore.open(path: "doors.sqlite.read-models")
        let consumers = Consumers(of: client, [.projection(DoorList(), in: readModels)])
        try await consumers.run()
    }
}
