public import Foundation

/// An append was refused because a stream was not as expected.
public struct VersionConflict: Error, Hashable, Sendable {
    public struct Stream: Hashable, Sendable {
        public let stream: StreamID
        public let expected: ExpectedVersion
        /// The stream's last version, 0 where there is none or nothing of it can be read any more.
        public let actual: Int
        /// The events the caller has not seen, where it expected `.exactly` a version that is too low: at most 100, or
        /// 256 KiB.
        public let unseen: [RecordedEvent]
        /// Whether `unseen` is all of them, and nothing the caller had seen was erased since: it may go on from what it
        /// has.
        public let complete: Bool

        public init(
            stream: StreamID, expected: ExpectedVersion, actual: Int, unseen: [RecordedEvent] = [],
            complete: Bool = false
        ) {
            self.stream = stream
            self.expected = expected
            self.actual = actual
            self.unseen = unseen
            self.complete = complete
        }
    }

    /// Every stream that was refused.
    public let streams: [Stream]

    public init(streams: [Stream]) { self.streams = streams }

    public static let mostUnseen = 100
    public static let mostUnseenBytes = 256 << 10
}

extension VersionConflict: CustomStringConvertible {
    public var description: String {
        streams.map { stream in
            let expected =
                switch stream.expected {
                case .any: "anything"
                case .noStream: "no stream"
                case .streamExists: "an existing stream"
                case .exactly(let version): "version \(version)"
                }
            let found =
                switch (stream.expected, stream.actual) {
                case (_, 0): "none"
                case (.exactly, let actual): "\(actual)"
                case (_, let actual): "version \(actual)"
                }
            return "\(stream.stream): expected \(expected), found \(found)"
        }.joined(separator: "; ")
    }
}

/// An append was refused because an event that its condition excludes is there.
public struct ConditionFailed: Error, Hashable, Sendable {
    /// The first match.
    public let position: Position
    public let id: UUID

    public init(position: Position, id: UUID) {
        self.position = position
        self.id = id
    }
}

/// An append was refused because an event with this id is recorded already, and not as this whole append.
public struct DuplicateEvent: Error, Hashable, Sendable {
    public let id: UUID

    public init(id: UUID) { self.id = id }
}

/// An append was refused because a stream that it writes, or expects something of, was deleted or closed.
public struct StreamDeleted: Error, Hashable, Sendable {
    public let stream: StreamID

    public init(stream: StreamID) { self.stream = stream }
}

/// An append was refused because its key was used before for other content.
public struct IdempotencyConflict: Error, Hashable, Sendable {
    public let key: String

    public init(key: String) { self.key = key }
}

/// Whether the append was recorded could not be learnt. Repeating the very same append is always safe.
public struct OutcomeUnknown: Error, Sendable {
    public let append: Append
    public let underlying: any Error

    public init(append: Append, underlying: any Error) {
        self.append = append
        self.underlying = underlying
    }
}

/// A consumer's checkpoint does not lie in this store's history: a restored backup, or another store.
public struct CheckpointDiverged: Error, Hashable, Sendable {
    public let consumer: String
    public let checkpoint: Position
    public let head: Position

    public init(consumer: String, checkpoint: Position, head: Position) {
        self.consumer = consumer
        self.checkpoint = checkpoint
        self.head = head
    }
}

extension CheckpointDiverged: CustomStringConvertible {
    public var description: String {
        "The checkpoint of \(consumer) is at position \(checkpoint), which is not in the history of this store (head \(head)): "
            + "it was written with another store, or this one was restored from a backup. Reset the consumer."
    }
}
