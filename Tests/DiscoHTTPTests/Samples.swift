#if HTTP
import DiscoCore
import DiscoHTTP
import Foundation

/// A query with fields of many kinds, which returns them.
struct Echo: Query, Equatable {
    enum Size: String, Codable, CaseIterable, Sendable { case small, big }

    var text: String
    var count: Int
    var price: Decimal?
    var ratio: Double?
    var isOpen: Bool?
    var id: UUID?
    var day: Date?
    var size: Size?
    var words: [String]?
    var more: JSON?

    func run(in context: QueryContext) async throws -> Echo { self }
}

/// A query without fields, with a name that a URL escapes.
struct Überblick: Query {
    func run(in context: QueryContext) async throws -> Int { 42 }
}

/// A type that hides the fields which follow it, because no example of it can be made.
struct Code: Codable, Equatable {
    let text: String

    init(from decoder: any Decoder) throws {
        text = try decoder.singleValueContainer().decode(String.self)
        if text.isEmpty {
            throw DecodingError.dataCorrupted(
                .init(codingPath: decoder.codingPath, debugDescription: "must not be empty"))
        }
    }

    func encode(to encoder: any Encoder) throws {
        var container = encoder.singleValueContainer()
        try container.encode(text)
    }
}

/// A query whose shape is not known.
struct Veiled: Query {
    var code: Code
    var other: String

    func run(in context: QueryContext) async throws -> [String] { [code.text, other] }
}

/// An aggregate whose id is any text.
struct Door: Aggregate {
    let id: String
    var isOpen = false

    init(id: String) { self.id = id }

    enum Event: DomainEvent { case doorOpened, doorShut }

    static let commands: [any AggregateCommand<Door>.Type] = [OpenDoor.self, ForceDoor.self]

    mutating func apply(_ event: Event) { isOpen = event == .doorOpened }
}

struct OpenDoor: AggregateCommand {
    var id: String
    var note: String?

    var target: CommandTarget<String> { .any(id) }

    func run(on door: Door, at now: Date) throws -> [Door.Event] { door.isOpen ? [] : [.doorOpened] }
}

/// Refuses in the way that its field names.
struct ForceDoor: AggregateCommand {
    enum Way: String, Codable, CaseIterable, Sendable { case gone, busy, broken, unknown }
    struct Failure: Error {}
    struct Gone: Refusal {
        var kind: ErrorKind { .gone }
        var message: String { "The door is gone." }
    }

    var id: String
    var way: Way

    var target: CommandTarget<String> { .any(id) }

    func run(on door: Door, at now: Date) throws -> [Door.Event] {
        switch way {
        case .gone: throw Gone()
        case .busy: throw EventStoreError(.busy, "The door is busy.")
        case .broken: throw Failure()
        case .unknown: throw EventStoreError(.database, "The secret is 1234.")
        }
    }
}

/// Waits until it is cancelled.
struct Linger: Query {
    func run(in context: QueryContext) async throws -> Int {
        try await Task.sleep(for: .seconds(60))
        return 1
    }
}

func samples(_ client: EventStoreClient) -> Orchestrator {
    Orchestrator(
        client: client, aggregates: [Door.self], queries: [Echo.self, Überblick.self, Veiled.self, Linger.self])
}

/// Tells who asks.
struct WhoAmI: Query {
    func run(in context: QueryContext) async throws -> String { OrchestratorServer.Caller.current?.name ?? "nobody" }
}
#endif
