public import DiscoCore

/// The conformance suite for event stores.
///
/// An adapter's test file only names its store:
///
/// ```swift
/// @Test(arguments: EventStoreConformance.cases)
/// func conforms(to aCase: EventStoreConformance.Case) async throws {
///     let suite = EventStoreConformance { options in try await MyStore.open(context: options.context) }
///     let verdict = try await aCase.run(on: suite)
///     if case .skipped(let lacking) = verdict { try Test.cancel("\(lacking)") }
/// }
/// ```
///
/// The suite imports no test framework: a failed check throws a ``ConformanceFailure`` with its file and line.
public struct EventStoreConformance: Sendable {
    public typealias Case = ConformanceCase<EventStoreConformance>

    /// The options that a case opens its store with.
    public struct Options: Sendable {
        /// The context to open the store with. A store with a settable clock takes its recorded times from
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
    ///   - isDurable: whether the data of a closed store is still there when `second` reopens it.
    ///   - hasSettableClock: whether `open` uses the clock of ``Options/context``.
    ///   - open: opens a fresh, empty store at each call.
    ///   - second: opens another store on the data of the given one, which may be open or closed; nil if the adapter
    ///     cannot do that.
    ///   - disturb: cuts the store's connections or restarts its server; nil if it has neither.
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

    /// All cases of the suite.
    public static let cases: [Case] =
        appendCases + valueCases + edgeCases + concurrencyCases + readingCases + orderCases + conditionCases
        + settledCases + followingCases + snapshotCases
        + administrationCases + troubleCases

    /// Runs `body` on a fresh store, then closes the store.
    func withStore(_ options: Options = Options(), _ body: @Sendable (EventStoreClient) async throws -> Void)
        async throws
    {
        try await Self.closing(try await open(options)) { try await body(EventStoreClient($0)) }
    }

    /// Runs `body` on two open stores that share one fresh database.
    func withBoth(_ body: @Sendable (EventStoreClient, EventStoreClient) async throws -> Void) async throws {
        let second = try demand(second, "a second store on the same data")
        try await withStore { client in
            try await Self.closing(try await second(client.store)) { try await body(client, EventStoreClient($0)) }
        }
    }

    /// Closes a store after `before` and reopens its data for `after`.
    func acrossRestart<Kept: Sendable>(
        _ before: @Sendable (EventStoreClient) async throws -> Kept,
        _ after: @Sendable (EventStoreClient, Kept) async throws -> Void
    ) async throws {
        if !isDurable { throw Lacking("durability: its data ends with the process") }
        let second = try demand(second, "a way to reopen its data")
        let store = try await open(Options())
        let kept = try await Self.closing(store) { try await before(EventStoreClient($0)) }
        try await Self.closing(try await second(store)) { try await after(EventStoreClient($0), kept) }
    }

    func requireSettableClock() throws {
        if !hasSettableClock { throw Lacking("a settable clock") }
    }

    func disturb(_ store: any EventStore) async throws {
        try await demand(disturb, "a way to cut its connections")(store)
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
