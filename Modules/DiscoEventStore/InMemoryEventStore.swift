public import DiscoCore
public import Foundation

/// An event store in memory, for tests and demos; its data is lost when the process ends.
///
/// It keeps every promise of an event store except durability. Each instance is a separate store.
public final class InMemoryEventStore: EventStore {
    private struct State: Sendable {
        var log = EventLog()
        var snapshots: [SnapshotKey: Snapshot] = [:]
        var closed = false
    }

    private let state = Locked(State())
    private let hub = WakeUpHub()
    public let settings: Settings
    public let context: StoreContext
    private let storeIdentity: StoreIdentity

    public struct Settings: Sendable {
        /// Whether streams may be erased permanently.
        public var allowsErasing: Bool

        public init(allowsErasing: Bool = false) { self.allowsErasing = allowsErasing }
    }

    public init(_ settings: Settings = Settings(), context: StoreContext = .system) {
        self.settings = settings
        self.context = context
        storeIdentity = StoreIdentity(store: context.newID(), epoch: 1)
    }

    public var abilities: StoreAbilities {
        StoreAbilities(
            catalog: self, deletion: self, snapshots: self, verification: self, keys: self, counting: self)
    }

    public func identity() async throws -> StoreIdentity { storeIdentity }

    public func append(_ append: Append) async throws -> Appended {
        try append.check()
        let (appended, head) = try unlessClosed { state in
            (try state.log.append(append, context: context), state.log.head)
        }
        hub.advance(to: head)
        return appended
    }

    public func page(_ read: Read) async throws -> Page {
        let read = try read.checked()
        return try unlessClosed { state in
            if read.settles { state.log.settle(context) }
            return state.log.page(read)
        }
    }

    public func wait(beyond position: Position) async throws { try await hub.wait(beyond: position) }

    public func close() async {
        state.withLock { $0.closed = true }
        hub.close()
    }

    private func unlessClosed<Result>(_ body: (inout State) throws -> sending Result) throws -> sending Result {
        try Task.checkCancellation()
        return try state.withLock { state in
            if state.closed { throw EventStoreError.closed }
            return try body(&state)
        }
    }
}

extension InMemoryEventStore: StreamCatalog {
    public func streams(
        category: String?, prefix: String?, after: StreamID?, limit: Int
    ) async throws -> [StreamInfo] {
        try NameCheck.argument.check(category: category, prefix: prefix, after: after)
        return try unlessClosed { $0.log.streams(category: category, prefix: prefix, after: after, limit: limit) }
    }

    public func event(_ id: UUID) async throws -> RecordedEvent? { try unlessClosed { $0.log.event(id) } }
}

extension InMemoryEventStore: StreamDeletion {
    public func delete(_ stream: StreamID) async throws {
        try NameCheck.argument.check(stream)
        try unlessClosed { try $0.log.change(stream) { $0.isHidden = true } }
    }

    public func isDeleted(_ stream: StreamID) async throws -> Bool {
        try NameCheck.argument.check(stream)
        return try unlessClosed { $0.log.isHidden(stream) }
    }

    public func restore(_ stream: StreamID) async throws {
        try NameCheck.argument.check(stream)
        try unlessClosed { state in
            try state.log.change(stream) { known in
                if known.isClosed { throw StreamDeleted(stream: stream) }
                known.isHidden = false
            }
        }
    }

    public func erase(_ stream: StreamID, close: Bool) async throws {
        try NameCheck.argument.check(stream)
        guard settings.allowsErasing else { throw EventStoreError.erasingNotAllowed("Settings.allowsErasing") }
        try unlessClosed { state in
            try state.log.erase(stream, close: close)
            state.snapshots = state.snapshots.filter { $0.key.stream != stream }
        }
    }
}

extension InMemoryEventStore: SnapshotStore {
    public func snapshot(_ key: SnapshotKey) async throws -> Snapshot? {
        try key.check()
        return try unlessClosed { $0.snapshots[key] }
    }

    public func save(_ snapshot: Snapshot) async throws {
        try snapshot.key.check()
        try unlessClosed { state in
            guard state.log.isReadable(snapshot.key.stream, snapshot.version) else { return }
            if let present = state.snapshots[snapshot.key], present.version > snapshot.version { return }
            state.snapshots[snapshot.key] = snapshot
        }
    }

    public func delete(_ key: SnapshotKey) async throws {
        try key.check()
        try unlessClosed { $0.snapshots[key] = nil }
    }
}

extension InMemoryEventStore: IdempotencyKeyStore {
    public func recorded(under key: IdempotencyKey) async throws -> Appended? {
        try NameCheck.argument.check(key)
        return try unlessClosed { try $0.log.recorded(under: key) }
    }

    public func forgetKeys(storedBefore date: Date, ofPolicies: Bool) async throws -> Int {
        let date = try NameCheck.argument.checked(date, "date before which keys are forgotten")
        return try unlessClosed { $0.log.forgetKeys(storedBefore: date, ofPolicies: ofPolicies) }
    }
}

extension InMemoryEventStore: StoreVerification {
    public func verify(after position: Position, limit: Int) async throws -> VerifiedPage {
        try unlessClosed { $0.log.verify(after: max(.start, position), limit: limit) }
    }
}

extension InMemoryEventStore: EventCounting {
    public func events(after: Position, upTo: Position) async throws -> Int {
        Self.gaplessCount(after: after, upTo: upTo, head: try unlessClosed { $0.log.head })
    }
}
