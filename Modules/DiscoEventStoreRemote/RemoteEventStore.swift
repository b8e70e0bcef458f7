#if HTTP
public import DiscoCore
import DiscoEventStore

/// An event store in another process: the client of `EventStoreServer`, with every guarantee of the store behind it.
///
/// ```swift
/// let store = try await RemoteEventStore.open(.init(url: "https://events.example:8080", token: token))
/// let client = EventStoreClient(store)
/// ```
///
/// Opening it does not contact the server. Concurrent appends share requests, and on the server they share commits with
/// those of other processes. A request that fails on the way is repeated until it succeeds or
/// ``Settings/requestTimeout`` is over: appends under the same event ids, so that they are recorded once. Restarts of
/// the server within that time go unnoticed.
public final class RemoteEventStore: EventStore {
    public let settings: Settings
    public let context: StoreContext
    let server: RemoteServer
    private let hub: WakeUpHub
    private let lane: AppendLane
    private let pages: RemotePages
    private let heads: RemoteHeads
    private let known: RemoteIdentity

    /// - Throws: ``/DiscoCore/EventStoreError`` with code ``/DiscoCore/EventStoreError/Code/configuration`` if the
    ///   settings are invalid or name files that cannot be read.
    public static func open(_ settings: Settings, context: StoreContext = .system) async throws -> RemoteEventStore {
        RemoteEventStore(settings, try RemoteServer(settings, context))
    }

    private init(_ settings: Settings, _ server: RemoteServer) {
        self.settings = settings
        self.server = server
        context = server.context
        let hub = WakeUpHub()
        self.hub = hub
        lane = AppendLane(
            name: "disco-append",
            appenders: (0..<settings.requestsInFlight).map { _ in RemoteAppender(server: server, hub: hub) })
        pages = RemotePages(server: server, hub: hub)
        heads = RemoteHeads(server: server, hub: hub)
        known = RemoteIdentity(server: server)
    }

    public var abilities: StoreAbilities {
        StoreAbilities(
            catalog: self, deletion: self, snapshots: self, verification: self, keys: self, counting: self)
    }

    public func append(_ append: Append) async throws -> Appended { try await lane.append(append) }

    public func page(_ read: Read) async throws -> Page { try await pages.page(try read.checked()) }

    public func wait(beyond position: Position) async throws {
        heads.follow()
        try await hub.wait(beyond: position)
    }

    /// The identity of the server's store; asked for anew after the connection was lost.
    public func identity() async throws -> StoreIdentity { try await known.identity() }

    /// Runs a change other than an append, after which pages read ahead may be wrong.
    func changing(_ change: () async throws -> Void) async throws {
        defer { pages.forget() }
        try await change()
    }

    public func close() async {
        hub.close()
        await heads.close()
        await lane.close()
        pages.forget()
        await server.close()
    }
}

/// The identity of the server's store.
struct RemoteIdentity: Sendable {
    private let known = Locked<(identity: StoreIdentity, losses: Int)?>(nil)
    let server: RemoteServer

    func identity() async throws -> StoreIdentity {
        // A server that was away may come back with a restored backup.
        let losses = server.losses
        if let known = known.withLock({ $0 }), known.losses == losses { return known.identity }
        let identity = try StoreIdentity(wire: try await server.send(.init(.get, ["identity"])))
        known.withLock { $0 = (identity, losses) }
        return identity
    }
}
#else
@available(*, unavailable, message: "Enable the `HTTP` trait in the dependency on disco to use this type.")
public struct RemoteEventStore {}
#endif
