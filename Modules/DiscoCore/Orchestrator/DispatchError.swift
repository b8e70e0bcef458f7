/// Disco itself, not the application, refused a command or query.
public enum DispatchError: Refusal, Hashable {
    case unknownCommand(String, known: [String])
    case unknownQuery(String, known: [String])
    /// The consumer to wait for feeds none of the read models.
    case unknownConsumer(String, known: [String])
    /// The query had to wait for the consumers of a read model that names none.
    case nothingToAwait(String)
    /// The query reads a read model but was registered without one.
    case noReadModel(String)
    /// The aggregate to create already exists.
    case aggregateExists(StreamID)
    /// The aggregate to change does not exist.
    case aggregateNotFound(StreamID)
    /// The action already ran under this key and cannot give the same answer again.
    case notRepeatable(String)
    /// The queue is full.
    case queueFull(capacity: Int)
    /// The queue accepts no more commands: it is draining or has ended.
    case queueClosed
}

extension DispatchError {
    public var code: String {
        switch self {
        case .unknownCommand: "unknown_command"
        case .unknownQuery: "unknown_query"
        case .unknownConsumer: "unknown_consumer"
        case .nothingToAwait: "nothing_to_await"
        case .noReadModel: "no_read_model"
        case .aggregateExists: "aggregate_exists"
        case .aggregateNotFound: "aggregate_not_found"
        case .notRepeatable: "not_repeatable"
        case .queueFull: "queue_full"
        case .queueClosed: "queue_closed"
        }
    }

    public var kind: ErrorKind {
        switch self {
        case .unknownCommand, .unknownQuery, .unknownConsumer, .aggregateNotFound: .notFound
        case .aggregateExists, .notRepeatable: .conflict
        case .nothingToAwait: .invalid
        case .noReadModel: .internal
        case .queueFull: .exhausted
        case .queueClosed: .unavailable
        }
    }

    public var message: String {
        switch self {
        case .unknownCommand(let name, let known):
            "Unknown command \(name). Known commands: \(known.joined(separator: ", "))."
        case .unknownQuery(let name, let known):
            "Unknown query \(name). Known queries: \(known.joined(separator: ", "))."
        case .unknownConsumer(let name, let known):
            "No read model names the consumer \(name). Known consumers: \(known.joined(separator: ", "))."
        case .nothingToAwait(let name):
            "\(name) cannot wait for a position: its read model names no consumers. Name them in ReadModel(consumers:)."
        case .noReadModel(let name):
            "\(name) reads a read model but was registered without one. List it in ReadModel(queries:store:)."
        case .aggregateExists(let stream): "\(stream) already exists."
        case .aggregateNotFound(let stream): "\(stream) does not exist."
        case .notRepeatable(let name):
            "\(name) already ran under this key, and its answer is not known. Implement `repeated(_:in:)`."
        case .queueFull(let capacity): "The queue is full: its capacity is \(capacity). Try again later."
        case .queueClosed: "The queue accepts no more commands: it is shutting down."
        }
    }

    public var data: JSON.Object {
        switch self {
        case .unknownCommand(let name, let known), .unknownQuery(let name, let known),
            .unknownConsumer(let name, let known):
            ["name": .string(name), "known": .array(known.map(JSON.string))]
        case .aggregateExists(let stream), .aggregateNotFound(let stream):
            ["stream": .string(stream.name)]
        case .notRepeatable(let name), .nothingToAwait(let name), .noReadModel(let name):
            ["name": .string(name)]
        case .queueFull(let capacity): ["capacity": JSON(capacity)]
        case .queueClosed: JSON.Object()
        }
    }
}
