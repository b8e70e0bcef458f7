public import DiscoCore
public import Foundation

/// An event store that lives and dies with its process; for tests and demonstrations.
///
/// It keeps every promise of a store but durability. Each instance is one store.
public final class InMemoryEventStore: EventStore, StreamCatalog {
    private struct State: Sendable {
        var log = EventLog()
        var closed = false
    }

    private let state = Locked(State())
    private let hub = WakeUpHub()
    private let clock: StoreClock
    private let storeIdentity = StoreIdentity(store: .timeOrdered(), epoch: 1)

    public init(clock: StoreClock = .system) { self.clock = clock }

    public var abilities: StoreAbilities { StoreAbilities(catalog: self) }

    public func identity() async throws -> StoreIdentity { storeIdentity }

    public func append(_ append: Append) async throws -> Appended {
        try Task.checkCancellation()
        try append.check()
        let (appended, head) = try state.withLock { state in
            if state.closed { throw EventStoreError.closed }
            return (try state.log.append(append, clock: clock), state.log.head)
        }
        hub.advance(to: head)
        return appended
    }

    public func page(_ read: Read) async throws -> Page {
        try Task.checkCancellation()
        return try state.withLock { state in
            if state.closed { throw EventStoreError.closed }
            return state.log.page(read)
        }
    }

    public func wait(beyond position: Position) async throws { try await hub.wait(beyond: position) }

    public func close() async {
        state.withLock { $0.closed = true }
        hub.close()
    }

    public func streams(
        category: String?, prefix: String?, after: StreamID?, limit: Int
    ) async throws -> [StreamInfo] {
        try state.withLock { state in
            if state.closed { throw EventStoreError.closed }
            return state.log.streams(category: category, prefix: prefix, after: after, limit: limit)
        }
    }

    public func event(_ id: UUID) async throws -> RecordedEvent? {
        try state.withLock { state in
            if state.closed { throw EventStoreError.closed }
            return state.log.event(id)
        }
    }
}
