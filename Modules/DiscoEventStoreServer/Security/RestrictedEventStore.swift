#if HTTP
import DiscoCore
import DiscoHTTPSupport
import Foundation
import HTTPTypes

/// A store as a caller sees it that may not use everything.
///
/// With stream prefixes, the caller learns how many events the store has and when the number grows, and whether an event
/// has an id that it already knows; it learns nothing else about other streams. Without the scope `read`, it learns
/// nothing from conflicts but versions.
struct RestrictedEventStore: EventStore {
    let base: any EventStore
    let caller: Caller
    let prefixes: StreamPrefixes

    private init(_ base: any EventStore, _ caller: Caller) {
        self.base = base
        self.caller = caller
        prefixes = StreamPrefixes(caller.prefixes)
    }

    /// The store itself, if the caller may see all of it.
    static func view(of store: any EventStore, for caller: Caller) -> any EventStore {
        caller.prefixes.isEmpty && caller.scopes.contains(.read) ? store : RestrictedEventStore(store, caller)
    }

    var context: StoreContext { base.context }
    func identity() async throws -> StoreIdentity { try await base.identity() }
    func wait(beyond position: Position) async throws { try await base.wait(beyond: position) }
    /// Only the server closes its store.
    func close() async {}

    func append(_ append: Append) async throws -> Appended {
        try append.check()
        for event in append.events { try require(event.stream) }
        for stream in append.expect.keys.sorted(by: { $0.name.utf8.lexicographicallyPrecedes($1.name.utf8) }) {
            try require(stream)
        }
        if let condition = append.condition, !prefixes.covers(condition.query) {
            throw Problem(
                .forbidden, "condition_not_allowed",
                "The append's condition could match events outside the token's stream prefixes. In each item of its "
                    + "query, name a stream, or a category of which the token allows all streams.")
        }
        var scoped = append
        scoped.key = append.key.map(scopedKey)
        do {
            let appended = try await base.append(scoped)
            guard contains(appended) else {
                // The key, or an id, was used when the token allowed other streams.
                if let key = append.key { throw IdempotencyConflict(key: key.key) }
                throw DuplicateEvent(id: append.events[0].id)
            }
            return appended
        } catch is IdempotencyConflict {
            throw IdempotencyConflict(key: append.key?.key ?? "")
        } catch let conflict as VersionConflict {
            throw VersionConflict(streams: conflict.streams.map(seen))
        } catch let unknown as OutcomeUnknown {
            throw OutcomeUnknown(append: append, underlying: unknown.underlying)
        }
    }

    /// A conflict without the events that the caller may not read.
    private func seen(_ stream: VersionConflict.Stream) -> VersionConflict.Stream {
        if caller.scopes.contains(.read), prefixes.contains(stream.stream) { return stream }
        return .init(stream: stream.stream, expected: stream.expected, actual: stream.actual)
    }

    func page(_ read: Read) async throws -> Page {
        var read = try read.checked()
        let isExact: Bool
        (read.query, isExact) = prefixes.narrowed(read.query)
        var page = isExact || read.limit == 0 ? try await base.page(read) : try await filtered(read)
        page.events.removeAll { !prefixes.contains($0.stream) }
        guard !prefixes.isEmpty else { return page }
        // When the last event of the store was recorded is nobody's business; that time has passed is.
        if !read.settles { page.settled = nil }
        if page.throughID != nil, page.events.last?.position != page.through, try await !isInside(page.through) {
            page.throughID = nil
        }
        return page
    }

    /// A page of the events inside, for a query that also selects others: reads on until the page is full, but not for
    /// ever.
    private func filtered(_ read: Read) async throws -> Page {
        var next = read
        next.limit = max(read.limit, 500)
        var events: [RecordedEvent] = []
        var bytes = 0
        var rounds = 0
        while true {
            var page = try await base.page(next)
            for (index, event) in page.events.enumerated() where prefixes.contains(event.stream) {
                events.append(event)
                bytes += event.payload.bytes.count
                guard events.count >= read.limit || bytes >= read.byteLimit else { continue }
                if page.hasMore || index < page.events.count - 1 {
                    (page.through, page.throughID, page.hasMore) = (event.position, event.id, true)
                }
                page.events = events
                return page
            }
            rounds += 1
            if !page.hasMore || rounds == 20 {
                page.events = events
                return page
            }
            switch read.direction {
            case .forward: next.after = page.through
            case .backward: next.upTo = Position(rawValue: page.through.rawValue - 1)
            }
        }
    }

    /// Whether there is a readable event inside at a position.
    private func isInside(_ position: Position) async throws -> Bool {
        guard position > .start else { return false }
        let (query, _) = prefixes.narrowed(.all)
        let read = Read(query, after: Position(rawValue: position.rawValue - 1), upTo: position, limit: 1)
        return try await base.page(read).events.contains { prefixes.contains($0.stream) }
    }

    // MARK: What the abilities need too

    /// Refuses a stream that the caller has named and may not use, whether it exists or not.
    func require(_ stream: StreamID) throws {
        guard prefixes.contains(stream) else {
            throw Problem(
                .forbidden, "stream_not_allowed", "The token does not allow the stream \(stream.name.cut(to: 80)).",
                data: ["stream": .string(stream.name)])
        }
    }

    func contains(_ appended: Appended) -> Bool { appended.events.allSatisfy { prefixes.contains($0.stream) } }

    /// The key under which the store keeps the caller's key: another caller's key is another one, whatever its text.
    func scopedKey(_ key: IdempotencyKey) -> IdempotencyKey {
        if prefixes.isEmpty { return key }
        let digits = Secret.digits(of: Secret.hash(key.key.utf8))
        return IdempotencyKey("token:\(caller.name):\(digits)", fingerprint: key.fingerprint)
    }
}
#endif
