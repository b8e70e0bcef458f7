#if Configuration
public import Configuration
public import DiscoCore

/// A kind of read model store that configuration can select; see ``EventStoreAdapter``.
///
/// ## Configuration keys
/// - `disco.readModels.adapter` (string, default: the value of `disco.eventStore.adapter`, or `sqlite` if that is
///   `remote`, because read models are local): the name of an adapter.
public struct ReadModelStoreAdapter: Sendable {
    public let name: String
    /// The keys of its settings, for example `disco.readModels.sqlite.path`.
    public let keys: [String]
    private let make: @Sendable (ConfigReader, StoreContext) async throws -> any ReadModelStore

    /// - Parameters:
    ///   - name: the configuration value that selects the adapter.
    ///   - keys: the keys of the adapter's settings, from the root of the configuration.
    ///   - open: reads the adapter's settings, from the root of the configuration, and opens the store.
    public init(
        name: String, keys: [String] = [],
        open: @escaping @Sendable (ConfigReader, StoreContext) async throws -> any ReadModelStore
    ) {
        self.name = name
        self.keys = keys
        make = open
    }

    /// Opens the store as configured.
    ///
    /// - Throws: ``/DiscoCore/EventStoreError`` with code ``/DiscoCore/EventStoreError/Code/configuration``, or any
    ///   error from opening the store.
    public func open(_ config: ConfigReader, context: StoreContext = .system) async throws -> any ReadModelStore {
        try await make(config, context)
    }

    /// Returns the adapter that the configuration selects.
    ///
    /// - Throws: ``/DiscoCore/EventStoreError`` with code ``/DiscoCore/EventStoreError/Code/configuration``.
    public static func chosen(
        by config: ConfigReader, among adapters: [ReadModelStoreAdapter]
    ) throws -> ReadModelStoreAdapter {
        let settings = SettingsReader(config)
        let events = try settings.text("eventStore.adapter", default: "sqlite")
        let name = try settings.choice(
            "readModels.adapter", default: events == "remote" ? "sqlite" : events, among: adapters.map(\.name))
        guard let adapter = adapters.first(where: { $0.name == name }) else {
            preconditionFailure("The chosen name is not the name of an adapter.")
        }
        return adapter
    }
}
#else
@available(*, unavailable, message: "Enable the `Configuration` trait in the dependency on disco to use this type.")
public struct ReadModelStoreAdapter {}
#endif
