/// What went wrong technically; what callers branch on has types of its own.
public struct EventStoreError: Error, Sendable {
    /// Open: an adapter may add its own.
    public struct Code: RawRepresentable, Hashable, Sendable {
        public let rawValue: String
        public init(rawValue: String) { self.rawValue = rawValue }

        /// The append itself is malformed; see the message.
        public static let invalidAppend = Code(rawValue: "invalid_append")
        /// A name, date or other argument is invalid; see the message.
        public static let invalidArgument = Code(rawValue: "invalid_argument")
        /// The store was closed.
        public static let closed = Code(rawValue: "closed")
        /// Whether a change was made could not be learnt. For appends there is ``OutcomeUnknown``, which can be
        /// repeated.
        public static let outcomeUnknown = Code(rawValue: "outcome_unknown")
        /// Others held the database for too long; try again.
        public static let busy = Code(rawValue: "store_busy")
        /// The disk is full.
        public static let full = Code(rawValue: "store_full")
        /// The file or its folder cannot be written.
        public static let readOnly = Code(rawValue: "store_read_only")
        /// The store cannot be opened or reached.
        public static let unavailable = Code(rawValue: "store_unavailable")
        /// The database has another schema than this version of Disco.
        public static let schema = Code(rawValue: "schema")
        /// The database is damaged, or not a database.
        public static let corrupt = Code(rawValue: "corrupt")
        /// The store would not be as durable as it promises.
        public static let notDurable = Code(rawValue: "not_durable")
        /// An event is larger than the store takes.
        public static let tooLarge = Code(rawValue: "too_large")
        /// A checkpoint or its consumer was changed by someone else.
        public static let checkpointMoved = Code(rawValue: "checkpoint_moved")
        /// There is no stream of this name.
        public static let unknownStream = Code(rawValue: "unknown_stream")
        /// There is no consumer of this name.
        public static let unknownConsumer = Code(rawValue: "unknown_consumer")
        /// The store's settings do not allow events to be erased.
        public static let erasingNotAllowed = Code(rawValue: "erasing_not_allowed")
        /// This store cannot do what was asked, for example list its streams.
        public static let unsupported = Code(rawValue: "unsupported")
        /// A setting is missing or wrong; see the message.
        public static let configuration = Code(rawValue: "configuration")
        /// Anything else the database reports.
        public static let database = Code(rawValue: "database")
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

    package static func unknownStream(_ stream: StreamID) -> EventStoreError {
        EventStoreError(.unknownStream, "There is no stream \(stream).")
    }

    package static func erasingNotAllowed(_ setting: String) -> EventStoreError {
        EventStoreError(
            .erasingNotAllowed,
            "This store keeps every event: allow erasing in its settings (\(setting)) to blank a stream for good.")
    }

    package static let closed = EventStoreError(.closed, "The event store has been closed.")
}

extension EventStoreError: CustomStringConvertible {
    public var description: String { message }
}

extension EventStoreError.Code {
    /// Those of Disco itself, with when they are reported. `outcome_unknown` and `unknown_consumer` are listed with the
    /// other errors that have these codes.
    static var all: [(code: EventStoreError.Code, meaning: String)] {
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
