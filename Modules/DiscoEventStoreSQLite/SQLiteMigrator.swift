#if SQLite
    import DiscoCore
    import DiscoMigrations
    import Foundation
    import GRDB

    /// Brings a file to the schema of this version, once, however many processes open it at the same time.
    enum SQLiteMigrator {
        static func migrate(_ db: Database, _ migrations: [Migration]) throws {
            // The transaction's lock makes a second migrator wait, and then find everything done.
            try db.inTransaction(.immediate) {
                try db.execute(
                    sql: """
                        CREATE TABLE IF NOT EXISTS disco_migrations (
                            number INTEGER PRIMARY KEY, name TEXT NOT NULL, checksum TEXT NOT NULL, applied_at TEXT NOT NULL) STRICT
                        """)
                let applied = try Row.fetchAll(
                    db, sql: "SELECT number, name, checksum FROM disco_migrations ORDER BY number")
                if let last = applied.last, last[0] as Int > migrations.count {
                    throw EventStoreError(
                        .schema,
                        "The database has schema \(last[0] as Int) (\(last[1] as String)); this version of Disco knows \(migrations.count). "
                            + "Use the version that migrated it, or a later one.")
                }
                for row in applied {
                    let migration = migrations[(row[0] as Int) - 1]
                    guard row[2] == checksum(migration) else {
                        throw EventStoreError(
                            .schema,
                            "The migration \(migration.name) was applied to this database with other content. "
                                + "A migration that was released is never edited: restore it.")
                    }
                }
                for migration in migrations.dropFirst(applied.count) {
                    try db.execute(sql: migration.sql)
                    try db.execute(
                        sql: "INSERT INTO disco_migrations VALUES (?, ?, ?, ?)",
                        arguments: [migration.number, migration.name, checksum(migration), Timestamp.text(of: Date())])
                }
                return .commit
            }
        }

        private static func checksum(_ migration: Migration) -> String {
            String(FNV1a.hash(migration.sql), radix: 16)
        }
    }
#endif
