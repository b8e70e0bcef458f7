import DiscoConsumers
import Foundation

@testable import DiscoCore

#if HTTP
import DiscoHTTP
#endif

/// Every error that Disco itself reports, by code, for the table in the documentation.
enum ErrorCatalog {
    struct Entry: Sendable {
        let code: String
        /// When it is reported, and what to do.
        let meaning: String
        /// The names of the members that its JSON has in addition to `error`, `kind` and `message`.
        let data: [String]
        let kind: ErrorKind
    }

    /// The entries, sorted by code; made from a sample of each error, so they match the code.
    static var entries: [Entry] {
        (samples + httpSamples).map { error, meaning in
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

    /// The entries as Swift, for the server's `/problems/{code}`.
    static var source: String {
        let rows = entries.map { entry in
            let kind = entry.kind == .internal ? "`internal`" : "\(entry.kind)"
            let title = entry.meaning.replacing("\\", with: "\\\\").replacing("\"", with: "\\\"")
            let line = "            title: \"\(title)\"),\n"
            // As the formatter breaks it.
            let shown =
                line.count <= 121 ? line : "            title:\n                \"\(title)\"\n        ),\n"
            return "        \"\(entry.code)\": Entry(\n            kind: .\(kind),\n" + shown
        }
        return """
            #if HTTP
            // Generated: DISCO_WRITE_DOCS=1 swift test --filter ErrorsTests
            import DiscoCore

            extension ProblemCatalog {
                /// The errors of Disco itself.
                package static let errors: [String: Entry] = [

            """ + rows.joined() + "    ]\n}\n#endif\n"
    }

    private static let id = UUID(uuid: (0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0))

    private static var httpSamples: [(any Error, String)] {
        #if HTTP
        [(NotAuthenticated(), "The request has no valid token. Send one in the header Authorization.")]
        #else
        []
        #endif
    }

    private static var samples: [(any Error, String)] {
        [
            (ValidationError(["f": ["m"]]), "Fields of a command or query are missing or invalid; each is named."),
            (DispatchError.unknownCommand("c", known: []), "No command has this name."),
            (DispatchError.unknownQuery("q", known: []), "No query has this name."),
            (
                DispatchError.unknownConsumer("c", known: []),
                "No consumer has this name, or it feeds none of the read models."
            ),
            (
                DispatchError.nothingToAwait("q"),
                "A query should wait for consumers, but its read model names none. Name them in the ReadModel."
            ),
            (
                DispatchError.noReadModel("q"),
                "A query that reads a read model was registered without one. List it in a ReadModel."
            ),
            (DispatchError.aggregateExists("a-1"), "The aggregate to create already exists."),
            (DispatchError.aggregateNotFound("a-1"), "The aggregate to change does not exist."),
            (
                DispatchError.notRepeatable("c"),
                "An action already ran under this key, and its first result cannot be returned again."
            ),
            (DispatchError.queueFull(capacity: 1), "The queue is full. Send the command again later."),
            (DispatchError.queueClosed, "The command queue is shutting down; the command was not run."),
            (NotAuthorized(name: "c"), "The caller is not authorized to run this command or query."),
            (
                TimeLimitExceeded(name: "c", limit: .seconds(1)),
                "The call exceeded its time limit and was cancelled. Nothing was recorded, unless an action had appended before."
            ),
            (
                ConsumersBehind(position: 1, consumers: []),
                "The read model has not processed the awaited event yet. Query again, or check its consumers."
            ),
            (
                VersionConflict(streams: []),
                "Streams were written meanwhile. Disco retries commands; the caller of a plain append must decide what to do."
            ),
            (ConditionFailed(position: 1, id: id), "A recorded event matches the condition of the append."),
            (DuplicateEvent(id: id), "An event with this id is already recorded, but not as part of the same append."),
            (IdempotencyConflict(key: "k"), "The key was already used for something else. Choose another key."),
            (StreamDeleted(stream: "a-1"), "The stream is deleted or closed and accepts no events."),
            (
                OutcomeUnknown(append: Append([]), underlying: CancellationError()),
                "The connection was lost, and the append may or may not be recorded. Repeating the same append is safe."
            ),
            (
                CheckpointDiverged(consumer: "c", checkpoint: 1, head: 1),
                "A consumer's checkpoint is not in this store's history: the store is a restored backup or another store. "
                    + "Reset the consumer."
            ),
            (
                ConsumerStopped(consumer: "c", stream: "a-1", position: 1, attempts: 1, reason: "r"),
                "A consumer has stopped because of an event, as its failure policy demands. Mend the cause and start it again."
            ),
            (
                RefusedBefore(command: "c"),
                "A policy's command was refused when it was sent for the same event before, and the policy went on."
            ),
            (
                CommandChanged(command: "c", key: "k"),
                "A policy sent another command than at an earlier attempt for the same event. The event is parked."
            ),
            (
                UndecodableEvent(
                    position: 1, stream: "a-1", type: "T", expected: "E", reason: CancellationError()),
                "A recorded event cannot be decoded as its type in the code. Add an upcaster."
            ),
            (SchemaChanged(problems: []), "A change of event types would make recorded events unreadable."),
            (JSONError("m", at: 0), "A text is not JSON; the message says at which byte."),
            (CancellationError(), "The task was cancelled before it finished."),
        ] + codes.map { (EventStoreError($0.code, ""), $0.meaning) }
    }

    /// The errors of the store. `outcome_unknown` and `unknown_consumer` are listed above, with the other errors that
    /// have these codes.
    private static var codes: [(code: EventStoreError.Code, meaning: String)] {
        [
            (.invalidAppend, "The append itself is malformed; see the message."),
            (.invalidArgument, "A name, date or other argument is invalid; see the message."),
            (.closed, "The store was closed."),
            (.busy, "Another process or transaction held the database for too long. Try again."),
            (.full, "The disk is full."),
            (.readOnly, "The file or its folder is not writable."),
            (.unavailable, "The store cannot be opened or reached."),
            (.schema, "The database does not have the schema of this version of Disco."),
            (.corrupt, "The database is damaged, or not a database."),
            (.notDurable, "The database does not provide the durability that Disco requires."),
            (.tooLarge, "An event is larger than the store accepts."),
            (.checkpointMoved, "A checkpoint or its consumer was changed by someone else."),
            (.unknownStream, "No stream has this name."),
            (.erasingNotAllowed, "The store's settings do not allow erasing events."),
            (.unsupported, "The store does not support the operation, for example listing its streams."),
            (.configuration, "A setting is missing or wrong; see the message."),
            (.database, "Any other error that the database reports."),
        ]
    }
}
