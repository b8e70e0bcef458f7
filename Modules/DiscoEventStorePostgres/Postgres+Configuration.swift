#if Postgres && Configuration
    public import Configuration
    import DiscoCore
    public import DiscoEventStore
    import DiscoMigrations

    extension PostgresSettings {
        /// ## Configuration keys
        /// Below `disco.eventStore.postgres`:
        /// - `url` (string, secret, required): how to reach the database.
        /// - `schema` (string, default `disco`): the schema that holds the store.
        /// - `migrates` (flag, default true): whether tables are made and migrated when the store is opened.
        /// - `readers` (number, default 4): connections for reading.
        /// - `connectTimeout` (seconds, default 5), `requestTimeout` (seconds, default 10).
        /// - `preparesStatements` (flag, default true): off for PgBouncer in transaction mode.
        /// - `notifications` (`on` or `off`, default `on`), `listenURL` (string, secret, default: the URL): LISTEN past
        ///   a pooler.
        /// - `allowsErasing` (flag, default false), `allowsWeakDurability` (flag, default false).
        ///
        /// - Parameter config: the root of the configuration.
        /// - Throws: ``EventStoreError`` with code ``EventStoreError/Code/configuration``.
        public init(config: ConfigReader) throws {
            try self.init(SettingsReader(config), "eventStore.postgres", schema: "disco")
        }

        /// Below `eventStore.postgres` or `readModels.postgres`.
        static let keys = [
            "url", "schema", "migrates", "readers", "connectTimeout", "requestTimeout", "preparesStatements",
            "allowsErasing", "allowsWeakDurability", "notifications", "listenURL",
        ]

        init(_ settings: SettingsReader, _ keys: String, schema: String, url: String? = nil) throws {
            guard let url = try settings.secret(keys + ".url") ?? url else {
                throw SettingsReader.missing(keys + ".url", "postgresql://role@host:port/database")
            }
            self.init(url: url, schema: try settings.text(keys + ".schema", default: schema))
            migrates = try settings.flag(keys + ".migrates", default: migrates)
            readers = try settings.number(keys + ".readers", default: readers, in: 1...1000)
            connectTimeout = try settings.seconds(keys + ".connectTimeout", default: connectTimeout)
            requestTimeout = try settings.seconds(keys + ".requestTimeout", default: requestTimeout)
            preparesStatements = try settings.flag(keys + ".preparesStatements", default: preparesStatements)
            allowsErasing = try settings.flag(keys + ".allowsErasing", default: allowsErasing)
            allowsWeakDurability = try settings.flag(keys + ".allowsWeakDurability", default: allowsWeakDurability)
            if try settings.choice(keys + ".notifications", default: "on", among: ["on", "off"]) == "off" {
                notifications = .off
            } else if let url = try settings.secret(keys + ".listenURL") {
                notifications = .url(url)
            }
        }
    }

    extension EventStoreAdapter {
        /// ``PostgresEventStore``; see ``PostgresSettings`` for the keys.
        public static let postgres = EventStoreAdapter(
            name: "postgres",
            keys: PostgresSettings.keys.map { "disco.eventStore.postgres." + $0 },
            pendingMigrations: { config in
                let settings = try PostgresSettings(config: config)
                try settings.check()
                let pool = PostgresPool(name: "disco-migrate", size: 1, settings.connection)
                do {
                    let names = try await pool.run { connection in
                        try PostgresMigrator(settings: settings, migrations: Migration.postgresEventStore)
                            .pending(connection).map(\.name)
                    }
                    await pool.close()
                    return names
                } catch {
                    await pool.close()
                    throw error
                }
            },
            open: { config, logger in
                var settings = try PostgresSettings(config: config)
                settings.logger = logger
                return try await PostgresEventStore.open(settings)
            })
    }

    extension ReadModelStoreAdapter {
        /// ``PostgresReadModelStore``.
        ///
        /// ## Configuration keys
        /// Below `disco.readModels.postgres`: those of ``PostgresSettings``, with the defaults
        /// - `url`: that of the event store.
        /// - `schema`: `disco_read_models`.
        public static let postgres = ReadModelStoreAdapter(
            name: "postgres",
            keys: PostgresSettings.keys.map { "disco.readModels.postgres." + $0 } + ["disco.eventStore.postgres.url"]
        ) { config, logger in
            let reader = SettingsReader(config)
            let url = try reader.secret("eventStore.postgres.url")
            var settings = try PostgresSettings(reader, "readModels.postgres", schema: "disco_read_models", url: url)
            settings.logger = logger
            return try await PostgresReadModelStore.open(settings)
        }
    }
#endif
