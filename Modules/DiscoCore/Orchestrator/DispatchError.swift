/// A command or query could not be carried out, for a reason that is not the application's own.
public enum DispatchError: Refusal, Hashable {
    case unknownCommand(String, known: [String])
    case unknownQuery(String, known: [String])
    /// A consumer that was to be awaited feeds none of the read models.
    case unknownConsumer(String, known: [String])
    /// The query was to wait for the consumers of a read model that names none.
    case nothingToAwait(String)
    /// The query reads a read model, and was registered without one.
    case noReadModel(String)
    /// The aggregate that was to be made exists.
    case aggregateExists(StreamID)
    /// The aggregate that was to be changed does not exist.
    case aggregateNotFound(StreamID)
    /// The action was carried out before under this key, and does not say how it answered.
    case notRepeatable(String)
    /// The queue is full.
    case queueFull(capacity: Int)
    /// The queue takes no more commands: it is draining, or has ended.
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
            "There is no command \(name). Known are: \(known.joined(separator: ", "))."
        case .unknownQuery(let name, let known):
            "There is no query \(name). Known are: \(known.joined(separator: ", "))."
        case .unknownConsumer(let name, let known):
            "No read model names the consumer \(name). Known are: \(known.joined(separator: ", "))."
        case .nothingToAwait(let name):
            "\(name) cannot wait for a position: name the consumers of its read model in ReadModel(consumers:)."
        case .noReadModel(let name):
            "\(name) reads a read model and was registered without one: list it in ReadModel(queries:store:)."
        case .aggregateExists(let stream): "\(stream) exists already."
        case .aggregateNotFound(let stream): "\(stream) does not exist."
        case .notRepeatable(let name):
            "\(name) was carried out before under this key. What it answered is not known: give it a method `repeated`."
        case .queueFull(let capacity): "The queue is full: \(capacity) commands are waiting. Try again later."
        case .queueClosed: "The queue takes no more commands: it is shutting down."
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
