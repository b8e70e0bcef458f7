#if Postgres && Configuration
public import Configuration
import DiscoCore
public import DiscoEventStore
import DiscoMigrations

extension PostgresEventStore.Settings {
    /// ## Configuration keys
    /// Below `disco.eventStore.postgres`:
    /// - `url` (string, secret, required): how to reach the database.
    /// - `schema` (string, default `disco`): the schema that holds the store.
    /// - `migrates` (flag, default true): whether tables are created and migrated when the store is opened.
    /// - `readers` (number, default 4): the number of connections for reading.
    /// - `connectTimeout` (seconds, default 5), `requestTimeout` (seconds, default 10).
    /// - `preparesStatements` (flag, default true): set to false for PgBouncer in transaction mode.
    /// - `notifications` (`on` or `off`, default `on`), `listenURL` (string, secret, default: the URL): where to
    ///   LISTEN, bypassing a pooler.
    /// - `allowsErasing` (flag, default false), `allowsWeakDurability` (flag, default false).
    ///
    /// - Parameter config: the root of the configuration.
    /// - Throws: ``/DiscoCore/EventStoreError`` with code ``/DiscoCore/EventStoreError/Code/configuration``.
    public init(config: ConfigReader) throws {
        let settings = SettingsReader(config)
        let keys = "eventStore.postgres"
        self.init(url: try settings.url(keys), schema: try settings.text(keys + ".schema", default: "disco"))
        try settings.read(&connection, keys)
        migrates = try settings.flag(keys + ".migrates", default: migrates)
        readers = try settings.number(keys + ".readers", default: readers, in: 1...1000)
        allowsErasing = try settings.flag(keys + ".allowsErasing", default: allowsErasing)
        allowsWeakDurability = try settings.flag(keys + ".allowsWeakDurability", default: allowsWeakDurability)
    }
}

extension PostgresReadModelStore.Settings {
    /// ## Configuration keys
    /// Below `disco.readModels.postgres`:
    /// - `url` (string, secret, default: the event store's URL): how to reach the database.
    /// - `schema` (string, default `disco_read_models`): the schema that holds the read models.
    /// - `migrates` (flag, default true), `readers` (number, default 4): the number of connections for queries and
    ///   consumers.
    /// - `idleTimeout` (seconds, default 15): how long a transaction may pause between two statements.
    /// - `connectTimeout`, `requestTimeout`, `preparesStatements`, `notifications`, `listenURL`: as for the event
    ///   store.
    ///
    /// - Parameter config: the root of the configuration.
    /// - Throws: ``/DiscoCore/EventStoreError`` with code ``/DiscoCore/EventStoreError/Code/configuration``.
    public init(config: ConfigReader) throws {
        let settings = SettingsReader(config)
        let keys = "readModels.postgres"
        self.init(
            url: try settings.url(keys, default: try settings.secret("eventStore.postgres.url")),
            schema: try settings.text(keys + ".schema", default: "disco_read_models"))
        try settings.read(&connection, keys)
        migrates = try settings.flag(keys + ".migrates", default: migrates)
        readers = try settings.number(keys + ".readers", default: readers, in: 1...1000)
        idleTimeout = try settings.seconds(keys + ".idleTimeout", default: idleTimeout)
    }
}

extension SettingsReader {
    fileprivate func url(_ keys: String, default other: String? = nil) throws -> String {
        guard let url = try secret(keys + ".url") ?? other else {
            throw Self.missing(keys + ".url", "postgresql://role@host:port/database")
        }
        return url
    }

    fileprivate func read(_ connection: inout PostgresConnectionSettings, _ keys: String) throws {
        connection.connectTimeout = try seconds(keys + ".connectTimeout", default: connection.connectTimeout)
        connection.requestTimeout = try seconds(keys + ".requestTimeout", default: connection.requestTimeout)
        connection.preparesStatements = try flag(
            keys + ".preparesStatements", default: connection.preparesStatements)
        if try choice(keys + ".notifications", default: "on", among: ["on", "off"]) == "off" {
            connection.notifications = .off
        } else if let url = try secret(keys + ".listenURL") {
            connection.notifications = .url(url)
        }
    }

    fileprivate static let connectionKeys = [
        "url", "schema", "migrates", "readers", "connectTimeout", "requestTimeout", "preparesStatements",
        "notifications", "listenURL",
    ]
}

extension EventStoreAdapter {
    /// Opens a ``/DiscoEventStorePostgres/PostgresEventStore``; requires `import DiscoEventStorePostgres`.
    ///
    /// ``/DiscoEventStorePostgres/PostgresEventStore/Settings/init(config:)`` lists the keys.
    public static let postgres = EventStoreAdapter(
        name: "postgres",
        keys: (SettingsReader.connectionKeys + ["allowsErasing", "allowsWeakDurability"])
            .map { "disco.eventStore.postgres." + $0 },
        pendingMigrations: { config in
            let settings = try PostgresEventStore.Settings(config: config)
            try settings.check()
            let pool = PostgresPool(name: "disco-migrate", size: 1, settings.connection.options)
            do {
                let names = try await pool.run { connection in
                    try PostgresMigrator(
                        schema: settings.tables, migrates: settings.migrates,
                        migrations: Migration.postgresEventStore
                    ).pending(connection).map(\.name)
                }
                await pool.close()
                return names
            } catch {
                await pool.close()
                throw error
            }
        },
        open: { config, context in
            try await PostgresEventStore.open(PostgresEventStore.Settings(config: config), context: context)
        })
}

extension ReadModelStoreAdapter {
    /// Opens a ``/DiscoEventStorePostgres/PostgresReadModelStore``; requires `import DiscoEventStorePostgres`.
    ///
    /// ``/DiscoEventStorePostgres/PostgresReadModelStore/Settings/init(config:)`` lists the keys.
    public static let postgres = ReadModelStoreAdapter(
        name: "postgres",
        keys: SettingsReader.connectionKeys.map { "disco.readModels.postgres." + $0 }
            + ["disco.readModels.postgres.idleTimeout", "disco.eventStore.postgres.url"]
    ) { config, context in
        try await PostgresReadModelStore.open(PostgresReadModelStore.Settings(config: config), context: context)
    }
}
#endif
