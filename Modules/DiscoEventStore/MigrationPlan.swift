import DiscoCore
package import DiscoMigrations

/// Determines which migrations a database still needs.
package struct MigrationPlan {
    /// A migration that was applied to a database.
    package struct Applied {
        package var number: Int
        package var name: String
        package var checksum: String

        package init(number: Int, name: String, checksum: String) {
            self.number = number
            self.name = name
            self.checksum = checksum
        }
    }

    /// The migrations to apply, in order.
    package let pending: [Migration]

    /// - Parameter applied: the applied migrations, in the order of their numbers.
    /// - Throws: ``EventStoreError`` with code ``EventStoreError/Code/schema`` if the database is newer than this
    ///   version, or if a migration was applied to it with different content.
    package init(_ migrations: [Migration], applied: [Applied]) throws {
        if let last = applied.last, last.number > migrations.count {
            throw EventStoreError(
                .schema,
                "The database has schema \(last.number) (\(last.name)); this version of Disco supports schemas up to \(migrations.count). "
                    + "Use the version that migrated it, or a later one.")
        }
        if let (migration, applied) = zip(migrations, applied).first(where: { $0.name != $1.name }) {
            throw EventStoreError(
                .schema,
                "Expected the migration \(migration.name), found \(applied.name): the database holds an event store "
                    + "instead of read models, or the reverse. Use a separate file or schema for each.")
        }
        for (migration, applied) in zip(migrations, applied) where Self.checksum(of: migration) != applied.checksum {
            throw EventStoreError(
                .schema,
                "The migration \(migration.name) was applied to this database with different content. "
                    + "Released migrations must not be edited: restore the original.")
        }
        pending = Array(migrations.dropFirst(applied.count))
    }

    /// Returns the SQL that records a migration as applied, for those who apply it by other means.
    ///
    /// - Parameter schema: the PostgreSQL schema; `nil` for SQLite.
    package static func record(of migration: Migration, schema: String?) -> String {
        let table = schema.map { "\"\($0)\".disco_migrations" } ?? "disco_migrations"
        let columns =
            schema == nil
            ? "number INTEGER PRIMARY KEY, name TEXT NOT NULL, checksum TEXT NOT NULL, applied_at TEXT NOT NULL"
            : "number bigint PRIMARY KEY, name text NOT NULL, checksum text NOT NULL, applied_at timestamptz NOT NULL DEFAULT clock_timestamp()"
        return """
            -- The store checks this record before it uses these tables.
            CREATE TABLE IF NOT EXISTS \(table) (\(columns))\(schema == nil ? " STRICT" : "");
            INSERT INTO \(table) (number, name, checksum, applied_at)
            VALUES (\(migration.number), '\(migration.name)', '\(checksum(of: migration))', CURRENT_TIMESTAMP);

            """
    }

    package static func checksum(of migration: Migration) -> String {
        String(FNV1a.hash(migration.sql), radix: 16)
    }
}
