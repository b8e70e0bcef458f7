#if Postgres
import DiscoCore
import DiscoEventStore
import DiscoMigrations

/// Migrates a schema to this version, once, however many processes open it at the same time.
struct PostgresMigrator {
    let schema: PostgresSchema
    /// Whether it may change anything.
    let migrates: Bool
    let migrations: [Migration]
    /// How long a migration may take, one's own or another process's that is waited for.
    private static let patience = Duration.seconds(600)

    /// Migrates, or only checks the schema if the settings say so.
    ///
    /// - Throws: ``EventStoreError`` with code ``EventStoreError/Code/schema``.
    func run(_ connection: PostgresConnection) throws {
        guard migrates else { return try requireCurrent(connection) }
        if try pending(connection).isEmpty { return }
        do {
            try connection.run(script: "BEGIN ISOLATION LEVEL READ COMMITTED")
            // A second migrator waits here, and then finds everything done.
            _ = try connection.run(
                schema.sql("SELECT pg_advisory_xact_lock(hashtextextended('disco migrations \"disco\"', 0))"),
                timeout: Self.patience)
            if try !exists(connection, "SELECT 1 FROM pg_namespace WHERE nspname = $1", [.text(schema.name)]) {
                try connection.run(script: schema.sql("CREATE SCHEMA \"disco\""))
            }
            try connection.run(
                script: schema.sql(
                    """
                    CREATE TABLE IF NOT EXISTS "disco".disco_migrations (
                        number bigint PRIMARY KEY, name text NOT NULL, checksum text NOT NULL,
                        applied_at timestamptz NOT NULL DEFAULT clock_timestamp())
                    """))
            for migration in try pending(connection) {
                try connection.run(script: schema.sql(migration.sql), timeout: Self.patience)
                _ = try connection.run(
                    schema.sql(
                        "INSERT INTO \"disco\".disco_migrations (number, name, checksum) VALUES ($1, $2, $3)"),
                    [
                        .int(Int64(migration.number)), .text(migration.name),
                        .text(MigrationPlan.checksum(of: migration)),
                    ])
            }
            try connection.commit()
        } catch {
            try? connection.run(script: "ROLLBACK")
            throw error
        }
    }

    /// The migrations to apply, in order.
    func pending(_ connection: PostgresConnection) throws -> [Migration] {
        let table = "SELECT 1 FROM pg_tables WHERE schemaname = $1 AND tablename = 'disco_migrations'"
        guard try exists(connection, table, [.text(schema.name)]) else { return migrations }
        let result = try connection.run(
            schema.sql("SELECT number, name, checksum FROM \"disco\".disco_migrations ORDER BY number"))
        let applied = (0..<result.count).map { row in
            MigrationPlan.Applied(
                number: Int(result.int(row, 0)), name: result.text(row, 1), checksum: result.text(row, 2))
        }
        return try MigrationPlan(migrations, applied: applied).pending
    }

    private func requireCurrent(_ connection: PostgresConnection) throws {
        guard let first = try pending(connection).first else { return }
        throw EventStoreError(
            .schema,
            "The schema \(schema.name) lacks the migration \(first.name), and the setting `migrates` is false. Migrate the database first."
        )
    }

    private func exists(_ connection: PostgresConnection, _ sql: String, _ values: [PostgresValue]) throws -> Bool {
        try connection.run(sql, values).count > 0
    }
}
#endif
