/// What went wrong technically; what callers branch on has types of its own.
public struct EventStoreError: Error, Sendable {
    /// Open: an adapter may add its own.
    public struct Code: Hashable, Sendable {
        /// Snake case, for example `store_busy`.
        public let name: String
        public let kind: ErrorKind

        public init(_ name: String, _ kind: ErrorKind) {
            self.name = name
            self.kind = kind
        }

        /// By name.
        public static func == (one: Code, other: Code) -> Bool { one.name == other.name }
        public func hash(into hasher: inout Hasher) { hasher.combine(name) }

        /// The append itself is malformed; see the message.
        public static let invalidAppend = Code("invalid_append", .invalid)
        /// A name, date or other argument is invalid; see the message.
        public static let invalidArgument = Code("invalid_argument", .invalid)
        /// The store was closed.
        public static let closed = Code("closed", .unavailable)
        /// Whether a change was made could not be learnt. For appends there is ``OutcomeUnknown``, which can be
        /// repeated.
        public static let outcomeUnknown = Code("outcome_unknown", .unknownOutcome)
        /// Others held the database for too long; try again.
        public static let busy = Code("store_busy", .unavailable)
        /// The disk is full.
        public static let full = Code("store_full", .unavailable)
        /// The file or its folder cannot be written.
        public static let readOnly = Code("store_read_only", .unavailable)
        /// The store cannot be opened or reached.
        public static let unavailable = Code("store_unavailable", .unavailable)
        /// The database has another schema than this version of Disco.
        public static let schema = Code("schema", .internal)
        /// The database is damaged, or not a database.
        public static let corrupt = Code("corrupt", .internal)
        /// The store would not be as durable as it promises.
        public static let notDurable = Code("not_durable", .internal)
        /// An event is larger than the store takes.
        public static let tooLarge = Code("too_large", .invalid)
        /// A checkpoint or its consumer was changed by someone else.
        public static let checkpointMoved = Code("checkpoint_moved", .conflict)
        /// There is no stream of this name.
        public static let unknownStream = Code("unknown_stream", .notFound)
        /// There is no consumer of this name.
        public static let unknownConsumer = Code("unknown_consumer", .notFound)
        /// The store's settings do not allow events to be erased.
        public static let erasingNotAllowed = Code("erasing_not_allowed", .unauthorized)
        /// This store cannot do what was asked, for example list its streams.
        public static let unsupported = Code("unsupported", .internal)
        /// A setting is missing or wrong; see the message.
        public static let configuration = Code("configuration", .internal)
        /// Anything else the database reports.
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
            "This store keeps every event: allow erasing in its settings (\(setting)) to blank a stream for good.")
    }

    public static let closed = EventStoreError(.closed, "The event store has been closed.")
}

extension EventStoreError.Code: CustomStringConvertible {
    public var description: String { name }
}

extension EventStoreError: CustomStringConvertible {
    public var description: String { message }
}
