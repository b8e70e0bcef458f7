#if SQLite && Configuration
public import Configuration
import DiscoCore
public import DiscoEventStore
import DiscoMigrations

extension SQLiteEventStore.Settings {
    /// ## Configuration keys
    /// - `disco.eventStore.sqlite.path` (string, default `events.sqlite`): the file.
    /// - `disco.eventStore.sqlite.durability` (`full` or `process-crash`, default `full`): what an acknowledged
    ///   append survives.
    /// - `disco.eventStore.sqlite.busyTimeout` (seconds, default 10): how long to wait for another process.
    /// - `disco.eventStore.sqlite.allowsErasing` (flag, default false): whether streams may be erased permanently.
    ///
    /// - Parameter config: the root of the configuration.
    /// - Throws: ``/DiscoCore/EventStoreError`` with code ``/DiscoCore/EventStoreError/Code/configuration``.
    public init(config: ConfigReader) throws {
        let settings = SettingsReader(config)
        self.init(path: try settings.text("eventStore.sqlite.path", default: "events.sqlite"))
        let durability = try settings.choice(
            "eventStore.sqlite.durability", default: durability.rawValue,
            among: SQLiteEventStore.Durability.allCases.map(\.rawValue))
        self.durability = SQLiteEventStore.Durability(rawValue: durability) ?? self.durability
        busyTimeout = try settings.seconds("eventStore.sqlite.busyTimeout", default: busyTimeout)
        allowsErasing = try settings.flag("eventStore.sqlite.allowsErasing", default: allowsErasing)
    }
}

extension EventStoreAdapter {
    /// Opens a ``/DiscoEventStoreSQLite/SQLiteEventStore``; requires `import DiscoEventStoreSQLite`.
    ///
    /// ``/DiscoEventStoreSQLite/SQLiteEventStore/Settings/init(config:)`` lists the keys.
    public static let sqlite = EventStoreAdapter(
        name: "sqlite",
        keys: ["path", "durability", "busyTimeout", "allowsErasing"].map { "disco.eventStore.sqlite." + $0 },
        pendingMigrations: { config in
            try SQLiteMigrator.pending(
                in: SQLiteFile.absolute(SQLiteEventStore.Settings(config: config).path), Migration.sqliteEventStore)
        },
        open: { config, context in
            try await SQLiteEventStore.open(SQLiteEventStore.Settings(config: config), context: context)
        })
}

extension SQLiteReadModelStore.Settings {
    /// ## Configuration keys
    /// - `disco.readModels.sqlite.path` (string, default: the path of the events with `.read-models` appended): the
    ///   file.
    /// - `disco.readModels.sqlite.busyTimeout` (seconds, default 10): how long to wait for another process.
    ///
    /// - Parameter config: the root of the configuration.
    /// - Throws: ``/DiscoCore/EventStoreError`` with code ``/DiscoCore/EventStoreError/Code/configuration``.
    public init(config: ConfigReader) throws {
        let settings = SettingsReader(config)
        let events = try settings.text("eventStore.sqlite.path", default: "events.sqlite")
        self.init(path: try settings.text("readModels.sqlite.path", default: events + ".read-models"))
        busyTimeout = try settings.seconds("readModels.sqlite.busyTimeout", default: busyTimeout)
    }
}

extension ReadModelStoreAdapter {
    /// Opens a ``/DiscoEventStoreSQLite/SQLiteReadModelStore``; requires `import DiscoEventStoreSQLite`.
    ///
    /// ``/DiscoEventStoreSQLite/SQLiteReadModelStore/Settings/init(config:)`` lists the keys.
    public static let sqlite = ReadModelStoreAdapter(
        name: "sqlite",
        keys: ["path", "busyTimeout"].map { "disco.readModels.sqlite." + $0 } + ["disco.eventStore.sqlite.path"]
    ) { config, context in
        try await SQLiteReadModelStore.open(SQLiteReadModelStore.Settings(config: config), context: context)
    }

    /// Opens a ``/DiscoEventStoreSQLite/SQLiteReadModelStore`` in memory, whose data is lost when the process ends;
    /// requires `import DiscoEventStoreSQLite`.
    public static let memory = ReadModelStoreAdapter(name: "memory") { _, context in
        try await SQLiteReadModelStore.open(.inMemory, context: context)
    }
}
#endif
