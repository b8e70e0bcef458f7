public import DiscoCore

/// What every event store must show. An adapter's test file only names its store:
///
/// ```swift
/// @Test(arguments: EventStoreConformance.cases)
/// func conforms(to aCase: EventStoreConformance.Case) async throws {
///     let verdict = try await aCase.run(on: EventStoreConformance { options in try await MyStore.open(context: options.context) })
///     if case .skipped(let lacking) = verdict { try Test.cancel("\(lacking)") }
/// }
/// ```
///
/// It imports no test framework: what is not as required throws a ``ConformanceFailure`` with its place in the source.
public struct EventStoreConformance: Sendable {
    public typealias Case = ConformanceCase<EventStoreConformance>

    /// How a store is wanted for a case.
    public struct Options: Sendable {
        /// What the store is opened with. A store whose clock can be set takes its recorded times from
        /// ``/DiscoCore/StoreContext/now``.
        public var context = StoreContext.system
        public var allowsErasing = false
    }

    private let open: @Sendable (Options) async throws -> any EventStore
    private let second: (@Sendable (any EventStore) async throws -> any EventStore)?
    private let disturb: (@Sendable (any EventStore) async throws -> Void)?
    private let isDurable: Bool
    private let hasSettableClock: Bool

    /// - Parameters:
    ///   - isDurable: whether what a closed store has recorded is there when `second` opens its data again.
    ///   - hasSettableClock: whether `open` can heed ``Options/context``.
    ///   - open: a fresh, empty store at each call.
    ///   - second: another store on the data of the one given, which may be open still, or closed. Nil where that
    ///     cannot be.
    ///   - disturb: cuts the store's connections, or restarts its server. Nil where there is no such thing.
    public init(
        isDurable: Bool = true, hasSettableClock: Bool = true,
        open: @escaping @Sendable (Options) async throws -> any EventStore,
        second: (@Sendable (any EventStore) async throws -> any EventStore)? = nil,
        disturb: (@Sendable (any EventStore) async throws -> Void)? = nil
    ) {
        self.isDurable = isDurable
        self.hasSettableClock = hasSettableClock
        self.open = open
        self.second = second
        self.disturb = disturb
    }

    /// Every case, in the order of the promises.
    public static let cases: [Case] =
        appendCases + valueCases + edgeCases + concurrencyCases + readingCases + orderCases + conditionCases
        + settledCases + followingCases + snapshotCases
        + administrationCases + troubleCases

    /// A fresh store, closed afterwards.
    func withStore(_ options: Options = Options(), _ body: @Sendable (EventStoreClient) async throws -> Void)
        async throws
    {
        try await Self.closing(try await open(options)) { try await body(EventStoreClient($0)) }
    }

    /// Two stores on one fresh database, both open.
    func withBoth(_ body: @Sendable (EventStoreClient, EventStoreClient) async throws -> Void) async throws {
        let second = try demand(second, "a second store on the same data")
        try await withStore { client in
            try await Self.closing(try await second(client.store)) { try await body(client, EventStoreClient($0)) }
        }
    }

    /// A store that is closed after `before`, and opened again for `after`.
    func acrossRestart<Kept: Sendable>(
        _ before: @Sendable (EventStoreClient) async throws -> Kept,
        _ after: @Sendable (EventStoreClient, Kept) async throws -> Void
    ) async throws {
        if !isDurable { throw Lacking("durability: it ends with its process") }
        let second = try demand(second, "opening its data again")
        let store = try await open(Options())
        let kept = try await Self.closing(store) { try await before(EventStoreClient($0)) }
        try await Self.closing(try await second(store)) { try await after(EventStoreClient($0), kept) }
    }

    func requireSettableClock() throws {
        if !hasSettableClock { throw Lacking("a clock that can be set") }
    }

    func disturb(_ store: any EventStore) async throws {
        try await demand(disturb, "connections that could be cut")(store)
    }

    private static func closing<Result>(
        _ store: any EventStore, _ body: (any EventStore) async throws -> Result
    ) async throws -> Result {
        do {
            let result = try await body(store)
            await store.close()
            return result
        } catch {
            await store.close()
            throw error
        }
    }
}

func event(
    _ stream: StreamID, _ type: String = "Happened", _ payload: JSONText = "{}", tags: [EventTag] = []
) -> NewEvent {
    NewEvent(stream: stream, type: type, payload: payload, tags: tags)
}
