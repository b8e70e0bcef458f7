#if HTTP
// Generated: DISCO_WRITE_DOCS=1 swift test --filter ErrorsTests
import DiscoCore

extension ProblemCatalog {
    /// The errors of Disco itself.
    package static let errors: [String: Entry] = [
        "aggregate_exists": Entry(
            kind: .conflict,
            title: "The aggregate to create already exists."),
        "aggregate_not_found": Entry(
            kind: .notFound,
            title: "The aggregate to change does not exist."),
        "cancelled": Entry(
            kind: .exhausted,
            title: "The task was cancelled before it finished."),
        "checkpoint_diverged": Entry(
            kind: .`internal`,
            title:
                "A consumer's checkpoint is not in this store's history: the store is a restored backup or another store. Reset the consumer."
        ),
        "checkpoint_moved": Entry(
            kind: .conflict,
            title: "A checkpoint or its consumer was changed by someone else."),
        "closed": Entry(
            kind: .unavailable,
            title: "The store was closed."),
        "command_changed": Entry(
            kind: .`internal`,
            title: "A policy sent another command than at an earlier attempt for the same event. The event is parked."),
        "condition_failed": Entry(
            kind: .conflict,
            title: "A recorded event matches the condition of the append."),
        "configuration": Entry(
            kind: .`internal`,
            title: "A setting is missing or wrong; see the message."),
        "consumer_stopped": Entry(
            kind: .`internal`,
            title:
                "A consumer has stopped because of an event, as its failure policy demands. Mend the cause and start it again."
        ),
        "consumers_behind": Entry(
            kind: .exhausted,
            title: "The read model has not processed the awaited event yet. Query again, or check its consumers."),
        "corrupt": Entry(
            kind: .`internal`,
            title: "The database is damaged, or not a database."),
        "database": Entry(
            kind: .`internal`,
            title: "Any other error that the database reports."),
        "duplicate_event": Entry(
            kind: .conflict,
            title: "An event with this id is already recorded, but not as part of the same append."),
        "erasing_not_allowed": Entry(
            kind: .unauthorized,
            title: "The store's settings do not allow erasing events."),
        "idempotency_conflict": Entry(
            kind: .conflict,
            title: "The key was already used for something else. Choose another key."),
        "invalid_append": Entry(
            kind: .invalid,
            title: "The append itself is malformed; see the message."),
        "invalid_argument": Entry(
            kind: .invalid,
            title: "A name, date or other argument is invalid; see the message."),
        "invalid_json": Entry(
            kind: .invalid,
            title: "A text is not JSON; the message says at which byte."),
        "no_read_model": Entry(
            kind: .`internal`,
            title: "A query that reads a read model was registered without one. List it in a ReadModel."),
        "not_authenticated": Entry(
            kind: .unauthorized,
            title: "The request has no valid token. Send one in the header Authorization."),
        "not_authorized": Entry(
            kind: .unauthorized,
            title: "The caller is not authorized to run this command or query."),
        "not_durable": Entry(
            kind: .`internal`,
            title: "The database does not provide the durability that Disco requires."),
        "not_repeatable": Entry(
            kind: .conflict,
            title: "An action already ran under this key, and its first result cannot be returned again."),
        "nothing_to_await": Entry(
            kind: .invalid,
            title: "A query should wait for consumers, but its read model names none. Name them in the ReadModel."),
        "outcome_unknown": Entry(
            kind: .unknownOutcome,
            title:
                "The connection was lost, and the append may or may not be recorded. Repeating the same append is safe."
        ),
        "queue_closed": Entry(
            kind: .unavailable,
            title: "The command queue is shutting down; the command was not run."),
        "queue_full": Entry(
            kind: .exhausted,
            title: "The queue is full. Send the command again later."),
        "refused_before": Entry(
            kind: .conflict,
            title:
                "A policy's command was refused when it was sent for the same event before, and the policy went on."
        ),
        "schema": Entry(
            kind: .`internal`,
            title: "The database does not have the schema of this version of Disco."),
        "schema_changed": Entry(
            kind: .conflict,
            title: "A change of event types would make recorded events unreadable."),
        "store_busy": Entry(
            kind: .unavailable,
            title: "Another process or transaction held the database for too long. Try again."),
        "store_full": Entry(
            kind: .unavailable,
            title: "The disk is full."),
        "store_read_only": Entry(
            kind: .unavailable,
            title: "The file or its folder is not writable."),
        "store_unavailable": Entry(
            kind: .unavailable,
            title: "The store cannot be opened or reached."),
        "stream_deleted": Entry(
            kind: .gone,
            title: "The stream is deleted or closed and accepts no events."),
        "time_limit_exceeded": Entry(
            kind: .exhausted,
            title:
                "The call exceeded its time limit and was cancelled. Nothing was recorded, unless an action had appended before."
        ),
        "too_large": Entry(
            kind: .invalid,
            title: "An event is larger than the store accepts."),
        "undecodable_event": Entry(
            kind: .`internal`,
            title: "A recorded event cannot be decoded as its type in the code. Add an upcaster."),
        "unknown_command": Entry(
            kind: .notFound,
            title: "No command has this name."),
        "unknown_consumer": Entry(
            kind: .notFound,
            title: "No consumer has this name, or it feeds none of the read models."),
        "unknown_query": Entry(
            kind: .notFound,
            title: "No query has this name."),
        "unknown_stream": Entry(
            kind: .notFound,
            title: "No stream has this name."),
        "unsupported": Entry(
            kind: .`internal`,
            title: "The store does not support the operation, for example listing its streams."),
        "validation": Entry(
            kind: .invalid,
            title: "Fields of a command or query are missing or invalid; each is named."),
        "version_conflict": Entry(
            kind: .conflict,
            title:
                "Streams were written meanwhile. Disco retries commands; the caller of a plain append must decide what to do."
        ),
    ]
}
#endif
