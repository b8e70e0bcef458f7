/// A technical error. Errors that callers branch on have their own types.
public struct EventStoreError: Error, Sendable {
    /// An error code. Adapters may add their own.
    public struct Code: Hashable, Sendable {
        /// Snake case, for example `store_busy`.
        public let name: String
        public let kind: ErrorKind

        public init(_ name: String, _ kind: ErrorKind) {
            self.name = name
            self.kind = kind
        }

        /// Compares names only.
        public static func == (one: Code, other: Code) -> Bool { one.name == other.name }
        public func hash(into hasher: inout Hasher) { hasher.combine(name) }

        /// The append itself is malformed; see the message.
        public static let invalidAppend = Code("invalid_append", .invalid)
        /// A name, date or other argument is invalid; see the message.
        public static let invalidArgument = Code("invalid_argument", .invalid)
        /// The store was closed.
        public static let closed = Code("closed", .unavailable)
        /// It is unknown whether a change was made. Appends throw ``OutcomeUnknown`` instead, which has the append to
        /// repeat.
        public static let outcomeUnknown = Code("outcome_unknown", .unknownOutcome)
        /// Another process or transaction held the database for too long. Try again.
        public static let busy = Code("store_busy", .unavailable)
        /// The disk is full.
        public static let full = Code("store_full", .unavailable)
        /// The file or its folder is not writable.
        public static let readOnly = Code("store_read_only", .unavailable)
        /// The store cannot be opened or reached.
        public static let unavailable = Code("store_unavailable", .unavailable)
        /// The database does not have the schema of this version of Disco.
        public static let schema = Code("schema", .internal)
        /// The database is damaged, or not a database.
        public static let corrupt = Code("corrupt", .internal)
        /// The database does not provide the durability that Disco requires.
        public static let notDurable = Code("not_durable", .internal)
        /// An event is larger than the store accepts.
        public static let tooLarge = Code("too_large", .invalid)
        /// A checkpoint or its consumer was changed by someone else.
        public static let checkpointMoved = Code("checkpoint_moved", .conflict)
        /// No stream has this name.
        public static let unknownStream = Code("unknown_stream", .notFound)
        /// No consumer has this name.
        public static let unknownConsumer = Code("unknown_consumer", .notFound)
        /// The store's settings do not allow erasing events.
        public static let erasingNotAllowed = Code("erasing_not_allowed", .unauthorized)
        /// The store does not support the operation, for example listing its streams.
        public static let unsupported = Code("unsupported", .internal)
        /// A setting is missing or wrong; see the message.
        public static let configuration = Code("configuration", .internal)
        /// Any other error that the database reports.
        public static let database = Code("database", .internal)
    }

    public let code: Code
    /// A sentence for people, with what to do.
    public let message: String
    public let underlying: (any Error)?

    public init(_ code: Code, _ message: String, underlying: (any Error)? = nil) {
        self.code = code
        self.message = message
        self.underlying = underlying
    }

    public static func unknownStream(_ stream: StreamID) -> EventStoreError {
        EventStoreError(.unknownStream, "There is no stream \(stream).")
    }

    /// - Parameter setting: the name of the setting that allows it.
    public static func erasingNotAllowed(_ setting: String) -> EventStoreError {
        EventStoreError(
            .erasingNotAllowed,
            "This store does not allow erasing. To erase a stream, allow it in the store's settings (\(setting)).")
    }

    public static let closed = EventStoreError(.closed, "The event store is closed.")
}

extension EventStoreError.Code: CustomStringConvertible {
    public var description: String { name }
}

extension EventStoreError: CustomStringConvertible {
    public var description: String { message }
}
