public import Foundation

/// A fact: recorded once, never changed.
public struct RecordedEvent: Hashable, Sendable {
    public let position: Position
    public let stream: StreamID
    /// Its place in its stream, 1 for the first event.
    public let version: Int
    public let id: UUID
    public let type: String
    public let typeVersion: Int
    public let payload: JSONText
    public let metadata: Metadata
    public let tags: [Tag]
    /// The store's clock, in microseconds; never earlier than that of the event before.
    public let recordedAt: Date

    public init(
        position: Position, stream: StreamID, version: Int, id: UUID, type: String, typeVersion: Int = 1,
        payload: JSONText, metadata: Metadata = .none, tags: [Tag] = [], recordedAt: Date
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

    /// The event as one JSON object, as the apps print it.
    public var json: JSON {
        get throws {
            var metadata = try self.metadata.values?.value().object ?? JSON.Object()
            metadata["correlation_id"] = self.metadata.correlationID.map { .string($0.lowercased) }
            metadata["causation_id"] = self.metadata.causationID.map { .string($0.lowercased) }
            return [
                "position": .number(JSON.Number(position.rawValue)), "stream": .string(stream.name),
                "version": .number(JSON.Number(version)), "id": .string(id.lowercased), "type": .string(type),
                "payload": try payload.value(), "metadata": .object(metadata),
                "tags": .array(tags.map { .string($0.name) }), "recorded_at": .string(Timestamp.text(of: recordedAt)),
            ]
        }
    }
}
