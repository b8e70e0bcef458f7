public import Foundation

/// What people use to record and read events; wraps any ``EventStore``, local or remote.
///
/// ```swift
/// let client = EventStoreClient(store)
/// try await client.emit("DoorOpened", ["door": "front"] as JSON)
/// for try await event in client.events(.types("DoorOpened")) { print(event.payload) }
/// ```
public struct EventStoreClient: Sendable {
    public let store: any EventStore

    public init(_ store: any EventStore) { self.store = store }

    /// Records one event that belongs to no aggregate, in a stream of its own, `type-<event id>`.
    @discardableResult
    public func emit(
        _ type: String, _ payload: some Encodable & Sendable, metadata: Metadata = .none, tags: [Tag] = []
    ) async throws -> Appended {
        let id = UUID.timeOrdered()
        let event = NewEvent(
            id: id, stream: StreamID(category: type, id: id.lowercased), type: type,
            payload: try JSONText(encoding: payload), metadata: metadata, tags: tags)
        return try await store.append(Append([event]))
    }

    @discardableResult
    public func append(_ append: Append) async throws -> Appended { try await store.append(append) }

    /// The events that `query` selects, read page by page.
    public func events(
        _ query: EventQuery = .all, after: Position = .start, upTo: Position? = nil, asOf: Date? = nil,
        direction: Read.Direction = .forward, limit: Int? = nil, pageSize: Int = 1000
    ) -> EventSequence {
        EventSequence(
            store: store,
            read: Read(query, direction: direction, after: after, upTo: upTo, asOf: asOf, limit: pageSize), limit: limit
        )
    }

    /// The events of one stream, from and to the given versions.
    public func stream(
        _ stream: StreamID, from: Int = 1, to: Int = .max, direction: Read.Direction = .forward, limit: Int? = nil
    ) -> EventSequence {
        guard from <= to else { return EventSequence(store: store, read: Read(.stream(stream)), limit: 0) }
        return EventSequence(
            store: store, read: Read(.stream(stream), direction: direction, versions: from...to), limit: limit)
    }

    /// Catches up on what `query` selects after `position`, then follows without an end.
    public func subscribe(to query: EventQuery = .all, after position: Position = .start) -> Subscription {
        Subscription(store: store, query: query, after: position)
    }

    /// The last position of the store, 0 where it is empty.
    public func head() async throws -> Position { try await store.page(Read(limit: 0)).head }

    /// The last version of a stream that can be read, 0 where there is none.
    public func version(of stream: StreamID) async throws -> Int {
        try await store.page(Read(.stream(stream), direction: .backward, limit: 1)).events.first?.version ?? 0
    }

    public func exists(_ stream: StreamID) async throws -> Bool { try await version(of: stream) > 0 }
}
