/// A command or query could not be carried out, for a reason that is not the application's own.
public enum DispatchError: Error, Hashable, Sendable {
    case unknownCommand(String, known: [String])
    case unknownQuery(String, known: [String])
    /// The aggregate that was to be made exists.
    case aggregateExists(StreamID)
    /// The aggregate that was to be changed does not exist.
    case aggregateNotFound(StreamID)
}

extension DispatchError: Refusal {
    public var code: String {
        switch self {
        case .unknownCommand: "unknown_command"
        case .unknownQuery: "unknown_query"
        case .aggregateExists: "aggregate_exists"
        case .aggregateNotFound: "aggregate_not_found"
        }
    }

    public var message: String {
        switch self {
        case .unknownCommand(let name, let known):
            "There is no command \(name). Known are: \(known.joined(separator: ", "))."
        case .unknownQuery(let name, let known):
            "There is no query \(name). Known are: \(known.joined(separator: ", "))."
        case .aggregateExists(let stream): "\(stream) exists already."
        case .aggregateNotFound(let stream): "\(stream) does not exist."
        }
    }

    public var data: JSON.Object {
        switch self {
        case .unknownCommand(_, let known), .unknownQuery(_, let known):
            JSON.Object([("known", .array(known.map(JSON.string)))])
        case .aggregateExists(let stream), .aggregateNotFound(let stream):
            JSON.Object([("stream", .string(stream.name))])
        }
    }
}

/// An error with a code that programs can branch on: what commands throw to refuse.
public protocol Refusal: Error {
    /// Snake case, for example `insufficient_funds`. By default made from the case's or type's name.
    var code: String { get }
    /// A sentence for people.
    var message: String { get }
    /// What the sentence speaks of, as data.
    var data: JSON.Object { get }
}

extension Refusal {
    public var code: String { DerivedName.snakeCase(String(describing: self).prefix { $0.isLetter || $0.isNumber }) }
    public var data: JSON.Object { JSON.Object() }
}

extension JSON {
    /// Any error as an object: `{"error": code, "message": …}` and what belongs to it.
    public init(describing error: any Error) {
        var object = Object()
        func fill(_ code: String, _ message: String, _ data: Object = Object()) {
            object["error"] = .string(code)
            object["message"] = .string(message)
            for member in data { object[member.name] = member.value }
        }
        switch error {
        case let error as ValidationError:
            let fields = error.fields.sorted { $0.key < $1.key }
            object["error"] = "validation"
            object["fields"] = .object(Object(fields.map { ($0.key, .array($0.value.map(JSON.string))) }))
        case let error as any Refusal: fill(error.code, error.message, error.data)
        case let error as VersionConflict: fill("version_conflict", error.description)
        case let error as ConditionFailed:
            fill("condition_failed", "An event at position \(error.position) stands against this.")
        case let error as DuplicateEvent:
            fill("duplicate_event", "The event \(error.id.lowercased) is recorded already.")
        case let error as IdempotencyConflict:
            fill("idempotency_conflict", "The key \(error.key) was used before, for something else.")
        case let error as StreamDeleted: fill("stream_deleted", "\(error.stream) was deleted and takes no events.")
        case is OutcomeUnknown: fill("outcome_unknown", "Whether this was recorded is not known. Repeating it is safe.")
        case let error as CheckpointDiverged: fill("checkpoint_diverged", error.description)
        case let error as EventStoreError: fill(error.code.rawValue, error.message)
        case let error as JSONError: fill("invalid_json", error.description)
        case is CancellationError: fill("cancelled", "This was cancelled.")
        default: fill("internal", String(describing: error))
        }
        self = .object(object)
    }
}
