public import Foundation

/// An append was refused because a stream was not as expected.
public struct VersionConflict: Error, Hashable, Sendable {
    public struct Stream: Hashable, Sendable {
        public let stream: StreamID
        public let expected: ExpectedVersion
        /// The stream's last version, or 0 if it does not exist or can no longer be read.
        public let actual: Int
        /// The events that the caller has not seen, if it expected `.exactly` a version that is too low: at most 100
        /// events or 256 KiB.
        public let unseen: [RecordedEvent]
        /// Whether `unseen` is complete and nothing that the caller had seen was erased since: the caller may continue
        /// from what it has.
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

    /// Every stream that was not as expected.
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

/// An append was refused because an event that its condition excludes is recorded.
public struct ConditionFailed: Error, Hashable, Sendable {
    /// The position of the first matching event.
    public let position: Position
    public let id: UUID

    public init(position: Position, id: UUID) {
        self.position = position
        self.id = id
    }
}

/// An append was refused because an event with this id is already recorded, but not by this same append.
public struct DuplicateEvent: Error, Hashable, Sendable {
    public let id: UUID

    public init(id: UUID) { self.id = id }
}

/// An append was refused because a stream that it writes to or has an expectation for was deleted or closed.
public struct StreamDeleted: Error, Hashable, Sendable {
    public let stream: StreamID

    public init(stream: StreamID) { self.stream = stream }
}

/// An append was refused because its key was already used for other content.
public struct IdempotencyConflict: Error, Hashable, Sendable {
    public let key: String

    public init(key: String) { self.key = key }
}

/// It is unknown whether the append was recorded. Repeating the identical append is always safe.
public struct OutcomeUnknown: Error, Sendable {
    public let append: Append
    public let underlying: any Error

    public init(append: Append, underlying: any Error) {
        self.append = append
        self.underlying = underlying
    }
}

/// A consumer's checkpoint is not in this store's history: it is from another store, or this one was restored from a
/// backup.
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
