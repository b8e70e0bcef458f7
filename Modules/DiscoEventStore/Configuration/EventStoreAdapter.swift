#if Configuration
    public import Configuration
    public import DiscoCore

    /// A kind of event store that configuration may choose. An app lists those that it links:
    ///
    /// ```swift
    /// let config = ConfigReader(provider: EnvironmentVariablesProvider())
    /// let store = try await EventStoreAdapter.chosen(by: config, among: [.memory, .sqlite]).open(config)
    /// ```
    ///
    /// ## Configuration keys
    /// - `disco.eventStore.adapter` (string, default `sqlite`): the name of an adapter.
    ///
    /// Each adapter's settings list its own keys. In the environment `disco.eventStore.adapter` is
    /// `DISCO_EVENT_STORE_ADAPTER`, and likewise for all keys.
    public struct EventStoreAdapter: Sendable {
        public let name: String
        /// The keys of its settings, for example `disco.eventStore.sqlite.path`.
        public let keys: [String]
        private let make: @Sendable (ConfigReader, StoreContext) async throws -> any EventStore
        private let pending: @Sendable (ConfigReader) async throws -> [String]

        /// - Parameters:
        ///   - name: the value of the configuration that chooses it.
        ///   - keys: those of the adapter's settings, from the root of the configuration.
        ///   - pendingMigrations: the names of the migrations that the store's database still needs; opening applies
        ///     them.
        ///   - open: reads the adapter's settings, from the root of the configuration, and opens the store.
        public init(
            name: String, keys: [String] = [],
            pendingMigrations: @escaping @Sendable (ConfigReader) async throws -> [String] = { _ in [] },
            open: @escaping @Sendable (ConfigReader, StoreContext) async throws -> any EventStore
        ) {
            self.name = name
            self.keys = keys
            pending = pendingMigrations
            make = open
        }

        /// The names of the migrations that the database still needs, in their order; nothing is changed.
        public func pendingMigrations(_ config: ConfigReader) async throws -> [String] { try await pending(config) }

        /// Opens the store with what the configuration says.
        ///
        /// - Throws: ``/DiscoCore/EventStoreError`` with code ``/DiscoCore/EventStoreError/Code/configuration``, or what opening the store
        ///   throws.
        public func open(_ config: ConfigReader, context: StoreContext = .system) async throws -> any EventStore {
            try await make(config, context)
        }

        /// The adapter that the configuration names.
        ///
        /// - Throws: ``/DiscoCore/EventStoreError`` with code ``/DiscoCore/EventStoreError/Code/configuration``, which names the key, its
        ///   value and what is allowed.
        public static func chosen(by config: ConfigReader, among adapters: [EventStoreAdapter]) throws
            -> EventStoreAdapter
        {
            let name = try SettingsReader(config).choice(
                "eventStore.adapter", default: "sqlite", among: adapters.map(\.name))
            guard let adapter = adapters.first(where: { $0.name == name }) else {
                preconditionFailure("A choice is one of those it was made among.")
            }
            return adapter
        }

        /// ``InMemoryEventStore``, which ends with its process.
        public static let memory = EventStoreAdapter(name: "memory") { _, context in
            InMemoryEventStore(context: context)
        }
    }
#else
    @available(*, unavailable, message: "Enable the `Configuration` trait in the dependency on disco to use this type.")
    public struct EventStoreAdapter {}
#endif
