#if SQLite
import DiscoCore
import DiscoEventStore
import DiscoMigrations
import Foundation
import GRDB

/// Migrates a file to the schema of this version, once, however many processes open it at the same time.
enum SQLiteMigrator {
    /// - Returns: whether any migration was applied.
    static func migrate(_ db: Database, _ migrations: [Migration]) throws -> Bool {
        var isNew = false
        // The transaction's lock makes a second migrator wait, and then find everything done.
        try db.inTransaction(.immediate) {
            try db.execute(
                sql: """
                    CREATE TABLE IF NOT EXISTS disco_migrations (
                        number INTEGER PRIMARY KEY, name TEXT NOT NULL, checksum TEXT NOT NULL, applied_at TEXT NOT NULL) STRICT
                    """)
            for migration in try pending(db, migrations) {
                isNew = true
                try db.execute(sql: migration.sql)
                try db.execute(
                    sql: "INSERT INTO disco_migrations VALUES (?, ?, ?, ?)",
                    arguments: [
                        migration.number, migration.name, MigrationPlan.checksum(of: migration),
                        Timestamp.text(of: Date()) ?? "",
                    ])
            }
            return .commit
        }
        return isNew
    }

    private static func pending(_ db: Database, _ migrations: [Migration]) throws -> [Migration] {
        let applied = try Row.fetchAll(
            db, sql: "SELECT number, name, checksum FROM disco_migrations ORDER BY number")
        return try MigrationPlan(
            migrations,
            applied: applied.map { MigrationPlan.Applied(number: $0[0], name: $0[1], checksum: $0[2]) }
        ).pending
    }

    /// Returns the migrations that a file, which may not exist, still needs, without creating or changing anything.
    static func pending(in path: String, _ migrations: [Migration]) throws -> [String] {
        guard FileManager.default.fileExists(atPath: path) else { return migrations.map(\.name) }
        do {
            var configuration = GRDB.Configuration()
            configuration.readonly = true
            let queue = try DatabaseQueue(path: path, configuration: configuration)
            defer { try? queue.close() }
            return try queue.read { db in
                try db.tableExists("disco_migrations")
                    ? pending(db, migrations).map(\.name) : migrations.map(\.name)
            }
        } catch {
            throw SQLiteError.translate(error, path: path)
        }
    }
}
#endif
