public import Foundation

/// A fact: recorded once, never changed.
public struct RecordedEvent: Hashable, Sendable {
    /// Where to resume after it: a read or subscription `after` this position brings what follows.
    ///
    /// Of the parts that an ``Upcaster`` makes of one event all but the last, read forward, have the position before it, so that whoever
    /// stops between them gets all of them again, and misses none. Consumers, which process them together, see the
    /// position at which the event was recorded on each.
    public let position: Position
    public let stream: StreamID
    /// Its place in its stream, 1 for the first event.
    public let version: Int
    public let id: UUID
    public let type: String
    public let typeVersion: Int
    public let payload: JSONText
    public let metadata: Metadata
    public let tags: [EventTag]
    /// The store's clock, in microseconds; never earlier than that of the event before.
    public let recordedAt: Date

    public init(
        position: Position, stream: StreamID, version: Int, id: UUID, type: String, typeVersion: Int = 1,
        payload: JSONText, metadata: Metadata = .none, tags: [EventTag] = [], recordedAt: Date
    ) {
        self.position = position
        self.stream = stream
        self.version = version
        self.id = id
        self.type = type
        self.typeVersion = typeVersion
        self.payload = payload
        self.metadata = metadata
        self.tags = tags
        self.recordedAt = recordedAt
    }
}
