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

    /// - Parameters:
    ///   - store: where events are recorded and read.
    ///   - upcasters: whatever is read through this client, by consumers too, is in the shapes that they lead to. Two for
    ///     one type and version are a programmer error and trap at startup.
    public init(_ store: any EventStore, upcasters: [Upcaster]) {
        self.store = upcasters.isEmpty ? store : UpcastingEventStore(base: store, upcasters: Upcasters(upcasters))
    }

    /// What the store was opened with.
    public var context: StoreContext { store.context }

    /// Closes the store: what waits ends, later calls throw ``EventStoreError/Code/closed``.
    public func close() async { await store.close() }

    /// Records one event that belongs to no aggregate, in a stream of its own, `type-<event id>`.
    ///
    /// - Throws: ``EventStoreError`` with code ``EventStoreError/Code/invalidAppend`` where the type is no category of
    ///   streams, or what ``append(_:)`` throws.
    @discardableResult
    public func emit(
        _ type: String, _ payload: some Encodable & Sendable, metadata: Metadata = .none, tags: [EventTag] = []
    ) async throws -> Appended {
        let id = context.newID()
        let event = NewEvent(
            id: id, stream: try StreamID(ofItsOwn: id, type: type), type: type,
            payload: try JSONText(encoding: payload), metadata: metadata, tags: tags)
        return try await store.append(Append([event]))
    }

    @discardableResult
    public func append(_ append: Append) async throws -> Appended { try await store.append(append) }

    /// The events that `query` selects, read page by page.
    ///
    /// - Parameters:
    ///   - query: which events.
    ///   - after: only events behind this position.
    ///   - upTo: only events up to this position, which is included.
    ///   - asOf: only events that were recorded at this time or before.
    ///   - direction: backward begins with the last event.
    ///   - limit: the most events; the parts of one that an upcaster has split come together all the same.
    ///   - pageSize: how many events are read from the store at a time.
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
    ///
    /// - Parameters:
    ///   - stream: whose events.
    ///   - types: any of these; empty for every type.
    ///   - tags: all of these; empty for no demand.
    ///   - from: the lowest version.
    ///   - to: the highest version.
    ///   - direction: backward begins with the last event.
    ///   - limit: the most events.
    public func events(
        in stream: StreamID, types: [String] = [], tags: [EventTag] = [], from: Int = 1, to: Int = .max,
        direction: Read.Direction = .forward, limit: Int? = nil
    ) -> EventSequence {
        let query = EventQuery(items: [.init(types: types, tags: tags, stream: stream)])
        guard from <= to else { return EventSequence(store: store, read: Read(query), limit: 0) }
        return EventSequence(
            store: store, read: Read(query, direction: direction, versions: from...to), limit: limit)
    }

    /// Catches up on what `query` selects after `position`, then follows without an end.
    public func subscribe(to query: EventQuery = .all, after position: Position = .start) -> Subscription {
        Subscription(store: store, query: query, after: position)
    }

    /// The last position of the store, 0 where it is empty.
    public func head() async throws -> Position { try await store.page(Read(limit: 0)).head }

    /// The last version of a stream that can be read, 0 where there is none.
    public func version(of stream: StreamID) async throws -> Int {
        var read = Read(.stream(stream), direction: .backward, limit: 1)
        // One that means nothing any more is there all the same.
        read.showsDropped = true
        return try await store.page(read).events.first?.version ?? 0
    }

    public func exists(_ stream: StreamID) async throws -> Bool { try await version(of: stream) > 0 }
}

/// What only some stores can do; others throw ``EventStoreError/Code/unsupported``.
extension EventStoreClient {
    /// Streams in the order of their names, after `after`.
    public func streams(
        category: String? = nil, prefix: String? = nil, after: StreamID? = nil, limit: Int = 1000
    ) async throws -> [StreamInfo] {
        try await ability(store.abilities.catalog, "list its streams")
            .streams(category: category, prefix: prefix, after: after, limit: limit)
    }

    /// The event with this id, nil where there is none.
    public func event(_ id: UUID) async throws -> RecordedEvent? {
        try await ability(store.abilities.catalog, "look up events by id").event(id)
    }

    /// Hides a stream and closes it to appends, until it is restored.
    public func delete(_ stream: StreamID) async throws {
        try await ability(store.abilities.deletion, "delete streams").delete(stream)
    }

    /// Brings a deleted stream back.
    public func restore(_ stream: StreamID) async throws {
        try await ability(store.abilities.deletion, "restore streams").restore(stream)
    }

    /// Blanks every event of a stream for good.
    ///
    /// - Parameters:
    ///   - stream: the stream whose events are blanked.
    ///   - close: whether the stream takes no further events.
    public func erase(_ stream: StreamID, close: Bool = true) async throws {
        try await ability(store.abilities.deletion, "erase streams").erase(stream, close: close)
    }

    /// What was recorded under a key, nil where nothing was.
    ///
    /// - Throws: ``IdempotencyConflict`` where it was used for something else.
    public func recorded(under key: IdempotencyKey) async throws -> Appended? {
        try await ability(store.abilities.keys, "look up keys").recorded(under: key)
    }

    /// Forgets the keys that were stored before `date`: a request that is repeated later takes effect again.
    ///
    /// - Returns: how many they were.
    @discardableResult
    public func forgetKeys(storedBefore date: Date) async throws -> Int {
        try await ability(store.abilities.keys, "forget keys").forgetKeys(storedBefore: date)
    }

    /// How many events lie after one position, up to another: positions do not tell.
    public func count(after: Position = .start, upTo: Position) async throws -> Int {
        try await ability(store.abilities.counting, "count its events").events(after: after, upTo: upTo)
    }

    /// Looks through the whole store for damage.
    ///
    /// - Parameter progress: called after each page with how far it has come, and how far there is to go.
    public func verify(
        progress: (_ through: Position, _ head: Position) -> Void = { _, _ in }
    ) async throws -> [Finding] {
        let verification = try ability(store.abilities.verification, "verify itself")
        var findings: [Finding] = []
        var position = Position.start
        while true {
            let page = try await verification.verify(after: position, limit: 1000)
            findings += page.findings
            progress(page.through, page.head)
            if page.through >= page.head || page.through <= position { return findings }
            position = page.through
        }
    }

    private func ability<Ability>(_ ability: Ability?, _ what: String) throws -> Ability {
        guard let ability else { throw EventStoreError(.unsupported, "This store cannot \(what).") }
        return ability
    }
}
