import DiscoCore
package import DiscoMigrations

/// Tells which migrations a database still needs.
package struct MigrationPlan {
    /// One that a database has gone through.
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

    /// In the order in which they are to be applied.
    package let pending: [Migration]

    /// - Parameter applied: in the order of their numbers.
    /// - Throws: ``EventStoreError`` with code ``EventStoreError/Code/schema`` where the database is newer than this
    ///   version, or went through a migration of other content.
    package init(_ migrations: [Migration], applied: [Applied]) throws {
        if let last = applied.last, last.number > migrations.count {
            throw EventStoreError(
                .schema,
                "The database has schema \(last.number) (\(last.name)); this version of Disco knows \(migrations.count). "
                    + "Use the version that migrated it, or a later one.")
        }
        if let (migration, applied) = zip(migrations, applied).first(where: { $0.name != $1.name }) {
            throw EventStoreError(
                .schema,
                "The database went through \(applied.name) where \(migration.name) belongs: it holds something else, an event store "
                    + "instead of read models or the other way round. Give each a file or schema of its own.")
        }
        for (migration, applied) in zip(migrations, applied) where Self.checksum(of: migration) != applied.checksum {
            throw EventStoreError(
                .schema,
                "The migration \(migration.name) was applied to this database with other content. "
                    + "A migration that was released is never edited: restore it.")
        }
        pending = Array(migrations.dropFirst(applied.count))
    }

    /// The SQL that notes that a migration was applied, for those who apply it by other means.
    ///
    /// - Parameter schema: that of PostgreSQL, nil for SQLite.
    package static func record(of migration: Migration, schema: String?) -> String {
        let table = schema.map { "\"\($0)\".disco_migrations" } ?? "disco_migrations"
        let columns =
            schema == nil
            ? "number INTEGER PRIMARY KEY, name TEXT NOT NULL, checksum TEXT NOT NULL, applied_at TEXT NOT NULL"
            : "number bigint PRIMARY KEY, name text NOT NULL, checksum text NOT NULL, applied_at timestamptz NOT NULL DEFAULT clock_timestamp()"
        return """
            -- What the store asks for before it trusts these tables.
            CREATE TABLE IF NOT EXISTS \(table) (\(columns))\(schema == nil ? " STRICT" : "");
            INSERT INTO \(table) (number, name, checksum, applied_at)
            VALUES (\(migration.number), '\(migration.name)', '\(checksum(of: migration))', CURRENT_TIMESTAMP);

            """
    }

    package static func checksum(of migration: Migration) -> String {
        String(FNV1a.hash(migration.sql), radix: 16)
    }
}
