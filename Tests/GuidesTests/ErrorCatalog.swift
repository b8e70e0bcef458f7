import Foundation

@testable import DiscoCore

/// Every error that Disco itself reports, by its code: for the table in the documentation.
enum ErrorCatalog {
    struct Entry: Sendable {
        let code: String
        /// When it is reported, and what to do.
        let meaning: String
        /// The names of the members that its JSON has beside `error` and `message`.
        let data: [String]
        let kind: ErrorKind
    }

    /// Sorted by code. Made from one error of each kind, so that it cannot say what they do not.
    static var entries: [Entry] {
        samples.map { error, meaning in
            let description = ErrorDescription(error)
            return Entry(
                code: description.code, meaning: meaning, data: description.data.names, kind: description.kind
            )
        }.sorted { $0.code < $1.code }
    }

    /// The entries as a table in Markdown.
    static var table: String {
        let rows = entries.map { entry in
            let data = entry.data.map { "`\($0)`" }.joined(separator: ", ")
            return "| `\(entry.code)` | `\(entry.kind.rawValue)` | \(data) | \(entry.meaning) |\n"
        }
        return "| code | kind | data | when, and what to do |\n|---|---|---|---|\n" + rows.joined()
    }

    private static let id = UUID(uuid: (0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0))

    private static var samples: [(any Error, String)] {
        [
            (ValidationError(["f": ["m"]]), "Fields of a command or query are missing or wrong; each is named."),
            (DispatchError.unknownCommand("c", known: []), "There is no command of this name."),
            (DispatchError.unknownQuery("q", known: []), "There is no query of this name."),
            (
                DispatchError.unknownConsumer("c", known: []),
                "There is no consumer of this name, or it feeds none of the read models."
            ),
            (
                DispatchError.nothingToAwait("q"),
                "A query was to wait for consumers, and its read model names none. Name them."
            ),
            (
                DispatchError.noReadModel("q"),
                "A query reads a read model and was registered without one. List it in a ReadModel."
            ),
            (DispatchError.aggregateExists("a-1"), "What was to be made exists already."),
            (DispatchError.aggregateNotFound("a-1"), "What was to be changed does not exist."),
            (
                DispatchError.notRepeatable("c"),
                "An action was carried out before under this key, and does not say what it answered then."
            ),
            (DispatchError.queueFull(capacity: 1), "The queue is full. Send the command again later."),
            (DispatchError.queueClosed, "The command queue is shutting down; the command was not carried out."),
            (NotAuthorized(name: "c"), "The caller is not authorized to run this command or query."),
            (
                TimeLimitExceeded(name: "c", limit: .seconds(1)),
                "It was not done in time, and was cancelled. Nothing was recorded, unless an action had appended before."
            ),
            (
                ConsumersBehind(position: 1, consumers: []),
                "The read model does not know of the event yet that was asked for. Ask again, or look after its consumers."
            ),
            (
                VersionConflict(streams: []),
                "Streams were written meanwhile. Commands are decided anew by themselves; a plain append is up to its caller."
            ),
            (ConditionFailed(position: 1, id: id), "An event was recorded that an append's condition excludes."),
            (DuplicateEvent(id: id), "An event with this id is recorded already, and not as this whole append."),
            (IdempotencyConflict(key: "k"), "The key was used before for something else. Choose another."),
            (StreamDeleted(stream: "a-1"), "The stream was deleted or closed and takes no events."),
            (
                OutcomeUnknown(append: Append([]), underlying: CancellationError()),
                "The connection was lost, and whether it was recorded could not be learnt. Sending the same again is safe."
            ),
            (
                CheckpointDiverged(consumer: "c", checkpoint: 1, head: 1),
                "A consumer's checkpoint is not in this store's history: a restored backup, or another store. Reset the consumer."
            ),
            (
                UndecodableEvent(
                    position: 1, stream: "a-1", type: "T", expected: "E", reason: CancellationError()),
                "A recorded event does not fit its type in the code. Add an upcaster."
            ),
            (SchemaChanged(problems: []), "Events that are recorded would not survive a change of their types."),
            (JSONError("m", at: 0), "Text is not JSON; it is said where."),
            (CancellationError(), "The task was cancelled before it was done."),
        ] + codes.map { (EventStoreError($0.code, ""), $0.meaning) }
    }

    /// Those of the store. `outcome_unknown` and `unknown_consumer` are listed with the other errors that have these codes.
    private static var codes: [(code: EventStoreError.Code, meaning: String)] {
        [
            (.invalidAppend, "The append itself is malformed; see the message."),
            (.invalidArgument, "A name, date or other argument is invalid; see the message."),
            (.closed, "The store was closed."),
            (.busy, "Others held the database for too long; try again."),
            (.full, "The disk is full."),
            (.readOnly, "The file or its folder cannot be written."),
            (.unavailable, "The store cannot be opened or reached."),
            (.schema, "The database has another schema than this version of Disco."),
            (.corrupt, "The database is damaged, or not a database."),
            (.notDurable, "The store would not be as durable as it promises."),
            (.tooLarge, "An event is larger than the store takes."),
            (.checkpointMoved, "A checkpoint or its consumer was changed by someone else."),
            (.unknownStream, "There is no stream of this name."),
            (.erasingNotAllowed, "The store's settings do not allow events to be erased."),
            (.unsupported, "This store cannot do what was asked, for example list its streams."),
            (.configuration, "A setting is missing or wrong; see the message."),
            (.database, "Anything else the database reports."),
        ]
    }
}
