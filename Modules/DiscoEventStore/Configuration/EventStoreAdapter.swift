#if Configuration
public import Configuration
public import DiscoCore

/// A kind of event store that configuration can select. An app lists the adapters that it links:
///
/// ```swift
/// let config = ConfigReader(provider: EnvironmentVariablesProvider())
/// let store = try await EventStoreAdapter.chosen(by: config, among: [.memory, .sqlite]).open(config)
/// ```
///
/// ## Configuration keys
/// - `disco.eventStore.adapter` (string, default `sqlite`): the name of an adapter.
///
/// Each adapter's settings list its own keys. The environment variable for `disco.eventStore.adapter` is
/// `DISCO_EVENT_STORE_ADAPTER`; other keys follow the same pattern.
public struct EventStoreAdapter: Sendable {
    public let name: String
    /// The keys of its settings, for example `disco.eventStore.sqlite.path`.
    public let keys: [String]
    private let make: @Sendable (ConfigReader, StoreContext) async throws -> any EventStore
    private let pending: @Sendable (ConfigReader) async throws -> [String]

    /// - Parameters:
    ///   - name: the configuration value that selects the adapter.
    ///   - keys: the keys of the adapter's settings, from the root of the configuration.
    ///   - pendingMigrations: returns the names of the migrations that the store's database still needs; opening
    ///     the store applies them.
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

    /// Returns the names of the migrations that the database still needs, in order, without changing anything.
    public func pendingMigrations(_ config: ConfigReader) async throws -> [String] { try await pending(config) }

    /// Opens the store as configured.
    ///
    /// - Throws: ``/DiscoCore/EventStoreError`` with code ``/DiscoCore/EventStoreError/Code/configuration``, or any
    ///   error from opening the store.
    public func open(_ config: ConfigReader, context: StoreContext = .system) async throws -> any EventStore {
        try await make(config, context)
    }

    /// Returns the adapter that the configuration selects.
    ///
    /// - Throws: ``/DiscoCore/EventStoreError`` with code ``/DiscoCore/EventStoreError/Code/configuration``; the
    ///   message names the key, its value and the allowed values.
    public static func chosen(by config: ConfigReader, among adapters: [EventStoreAdapter]) throws
        -> EventStoreAdapter
    {
        let name = try SettingsReader(config).choice(
            "eventStore.adapter", default: "sqlite", among: adapters.map(\.name))
        guard let adapter = adapters.first(where: { $0.name == name }) else {
            preconditionFailure("The chosen name is not the name of an adapter.")
        }
        return adapter
    }

    /// Opens an ``InMemoryEventStore``, whose data is lost when the process ends.
    public static let memory = EventStoreAdapter(name: "memory") { _, context in
        InMemoryEventStore(context: context)
    }
}
#else
@available(*, unavailable, message: "Enable the `Configuration` trait in the dependency on disco to use this type.")
public struct EventStoreAdapter {}
#endif
