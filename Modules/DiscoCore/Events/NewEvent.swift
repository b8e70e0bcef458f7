public import Foundation

/// An event that is not recorded yet.
public struct NewEvent: Hashable, Sendable {
    /// Made by the client, so that an append can be repeated without recording anything twice.
    public var id: UUID
    public var stream: StreamID
    /// At most 255 bytes, for example `MoneyDeposited`.
    public var type: String
    /// From 1 to 2³¹ - 1.
    public var typeVersion: Int
    public var payload: JSONText
    public var metadata: Metadata
    public var tags: [EventTag]

    /// What a store takes as a type's version.
    static let typeVersions = 1...Int(Int32.max)

    public init(
        id: UUID = .timeOrdered(), stream: StreamID, type: String, typeVersion: Int = 1, payload: JSONText,
        metadata: Metadata = .none, tags: [EventTag] = []
    ) {
        self.id = id
        self.stream = stream
        self.type = type
        self.typeVersion = typeVersion
        self.payload = payload
        self.metadata = metadata
        self.tags = tags
    }
}
