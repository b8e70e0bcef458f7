public import Foundation

/// A fact: recorded once, never changed.
public struct RecordedEvent: Hashable, Sendable {
    /// The position to resume from: a read or subscription `after` it returns what follows this event.
    ///
    /// If an ``Upcaster`` splits an event, all parts but the last, read forward, have the position before it, so that a
    /// reader that stops between them gets all of them again and misses none. Consumers, which process the parts
    /// together, see the recorded position on each.
    public let position: Position
    public let stream: StreamID
    /// Its number in its stream, 1 for the first event.
    public let version: Int
    public let id: UUID
    public let type: String
    public let typeVersion: Int
    public let payload: JSONText
    public let metadata: Metadata
    public let tags: [EventTag]
    /// The time by the store's clock, in microseconds; never earlier than that of the previous event.
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
