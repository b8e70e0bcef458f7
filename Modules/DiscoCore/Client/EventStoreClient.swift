public import Foundation

/// Records and reads events in any ``EventStore``, local or remote.
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
    ///   - store: the store that records and reads events.
    ///   - upcasters: convert everything that is read through this client, also by consumers. Two upcasters for the
    ///     same type and version are a programmer error and trap at startup.
    public init(_ store: any EventStore, upcasters: [Upcaster]) {
        self.store = upcasters.isEmpty ? store : UpcastingEventStore(base: store, upcasters: Upcasters(upcasters))
    }

    /// The store without the client's upcasters.
    package var recordedStore: any EventStore { (store as? UpcastingEventStore)?.base ?? store }

    /// The context that the store was opened with.
    public var context: StoreContext { store.context }

    /// Closes the store: pending waits end, and later calls throw ``EventStoreError/Code/closed``.
    public func close() async { await store.close() }

    /// Records one event outside any aggregate, in its own stream `<type>-<event id>`.
    ///
    /// - Throws: ``EventStoreError`` with code ``EventStoreError/Code/invalidAppend`` if the type is not a valid stream
    ///   category, or what ``append(_:)`` throws.
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
    ///   - query: the events to select.
    ///   - after: only events after this position.
    ///   - upTo: only events up to and including this position.
    ///   - asOf: only events recorded at or before this time.
    ///   - direction: `.backward` starts with the last event.
    ///   - limit: the maximum number of events. All parts of an event split by an upcaster are returned, even beyond
    ///     the limit.
    ///   - pageSize: the number of events read from the store at a time.
    public func events(
        _ query: EventQuery = .all, after: Position = .start, upTo: Position? = nil, asOf: Date? = nil,
        direction: Read.Direction = .forward, limit: Int? = nil, pageSize: Int = 1000
    ) -> EventSequence {
        EventSequence(
            store: store,
            read: Read(query, direction: direction, after: after, upTo: upTo, asOf: asOf, limit: pageSize), limit: limit
        )
    }

    /// The events of one stream within a range of versions.
    ///
    /// - Parameters:
    ///   - stream: the stream to read.
    ///   - types: only events of any of these types; empty for all types.
    ///   - tags: only events with all of these tags; empty for no restriction.
    ///   - from: the lowest version.
    ///   - to: the highest version.
    ///   - direction: `.backward` starts with the last event.
    ///   - limit: the maximum number of events.
    public func events(
        in stream: StreamID, types: [String] = [], tags: [EventTag] = [], from: Int = 1, to: Int = .max,
        direction: Read.Direction = .forward, limit: Int? = nil
    ) -> EventSequence {
        let query = EventQuery(items: [.init(types: types, tags: tags, stream: stream)])
        guard from <= to else { return EventSequence(store: store, read: Read(query), limit: 0) }
        return EventSequence(
            store: store, read: Read(query, direction: direction, versions: from...to), limit: limit)
    }

    /// Delivers the events that `query` selects after `position`, then follows new ones indefinitely.
    public func subscribe(to query: EventQuery = .all, after position: Position = .start) -> Subscription {
        Subscription(store: store, query: query, after: position)
    }

    /// The last position of the store, or 0 if it is empty.
    public func head() async throws -> Position { try await store.page(Read(limit: 0)).head }

    /// The last readable version of a stream, or 0 if there is none.
    public func version(of stream: StreamID) async throws -> Int {
        var read = Read(.stream(stream), direction: .backward, limit: 1)
        // An event dropped by an upcaster still counts.
        read.showsDropped = true
        return try await store.page(read).events.first?.version ?? 0
    }

    public func exists(_ stream: StreamID) async throws -> Bool { try await version(of: stream) > 0 }
}

/// Operations that only some stores support; the others throw ``EventStoreError/Code/unsupported``.
extension EventStoreClient {
    /// Lists streams in name order, starting after `after`.
    public func streams(
        category: String? = nil, prefix: String? = nil, after: StreamID? = nil, limit: Int = 1000
    ) async throws -> [StreamInfo] {
        try await ability(store.abilities.catalog, "list its streams")
            .streams(category: category, prefix: prefix, after: after, limit: limit)
    }

    /// The event with this id, or `nil` if there is none.
    public func event(_ id: UUID) async throws -> RecordedEvent? {
        try await ability(store.abilities.catalog, "look up events by id").event(id)
    }

    /// Hides a stream and closes it to appends until it is restored.
    public func delete(_ stream: StreamID) async throws {
        try await ability(store.abilities.deletion, "delete streams").delete(stream)
    }

    /// Restores a deleted stream.
    public func restore(_ stream: StreamID) async throws {
        try await ability(store.abilities.deletion, "restore streams").restore(stream)
    }

    /// Permanently blanks every event of a stream.
    ///
    /// - Parameters:
    ///   - stream: the stream whose events are blanked.
    ///   - close: whether to close the stream to further events.
    public func erase(_ stream: StreamID, close: Bool = true) async throws {
        try await ability(store.abilities.deletion, "erase streams").erase(stream, close: close)
    }

    /// Returns what was recorded under a key, or `nil` if nothing was.
    ///
    /// - Throws: ``IdempotencyConflict`` if the key was used for other content.
    public func recorded(under key: IdempotencyKey) async throws -> Appended? {
        try await ability(store.abilities.keys, "look up keys").recorded(under: key)
    }

    /// Forgets the keys stored before `date`: a request repeated later takes effect again.
    ///
    /// - Parameters:
    ///   - date: keys stored before it are forgotten.
    ///   - ofPolicies: whether to forget the keys of policies' commands, which are kept otherwise: an event that is
    ///     parked may be tried again at any time.
    /// - Returns: the number of keys forgotten.
    @discardableResult
    public func forgetKeys(storedBefore date: Date, ofPolicies: Bool = false) async throws -> Int {
        try await ability(store.abilities.keys, "forget keys")
            .forgetKeys(storedBefore: date, ofPolicies: ofPolicies)
    }

    /// Counts the events after one position, up to and including another. Subtracting positions does not give this
    /// number.
    public func count(after: Position = .start, upTo: Position) async throws -> Int {
        try await ability(store.abilities.counting, "count its events").events(after: after, upTo: upTo)
    }

    /// Checks the whole store for damage.
    ///
    /// - Parameter progress: called after each page with the position reached and the last position of the store.
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
