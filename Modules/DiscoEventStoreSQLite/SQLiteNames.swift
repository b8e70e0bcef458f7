#if SQLite
import DiscoCore
import GRDB

/// Caches the numbers that stand for categories and event types. They never change once committed, so the cache is
/// kept from one transaction to the next; after a rollback, the value from before the transaction applies.
struct SQLiteNames: Sendable {
    /// The maximum number of names; the cache is then cleared and filled again, because `emit` makes a category of
    /// every type.
    private static let most = 10_000

    private var categories: [ExactText: Int64] = [:]
    private var types: [ExactText: Int64] = [:]

    struct Statements {
        fileprivate let category, insertCategory, type, insertType: SQLiteStatement
        fileprivate let db: Database

        init(_ db: Database) throws {
            self.db = db
            category = try SQLiteStatement(db, "SELECT key FROM disco_categories WHERE name = ?")
            insertCategory = try SQLiteStatement(db, "INSERT INTO disco_categories (name) VALUES (?)")
            type = try SQLiteStatement(db, "SELECT key FROM disco_types WHERE name = ?")
            insertType = try SQLiteStatement(db, "INSERT INTO disco_types (name) VALUES (?)")
        }
    }

    mutating func category(_ name: String, _ sql: Statements) throws -> Int64 {
        try Self.key(name, &categories, sql.category, sql.insertCategory, sql.db)
    }

    mutating func type(_ name: String, _ sql: Statements) throws -> Int64 {
        try Self.key(name, &types, sql.type, sql.insertType, sql.db)
    }

    private static func key(
        _ name: String, _ known: inout [ExactText: Int64], _ select: SQLiteStatement, _ insert: SQLiteStatement,
        _ db: Database
    ) throws -> Int64 {
        if let key = known[ExactText(name)] { return key }
        let key: Int64
        if let stored = try select.first(.text(name), row: { $0.integer(0) }) {
            key = stored
        } else {
            try insert.run(.text(name))
            key = db.lastInsertedRowID
        }
        if known.count >= most { known = [:] }
        known[ExactText(name)] = key
        return key
    }
}
#endif
