#if SQLite
import DiscoCore
import GRDB

/// Caches prepared statements whose text varies with the shape of a query, or is written by the application.
///
/// A connection keeps prepared statements forever, so its cache is cleared when it has seen too many texts.
/// Statements in use are not disturbed.
enum SQLiteStatementCache {
    private static let most = 100
    /// The hashes of the texts seen, by connection.
    private static let seen = Locked<[UInt: Set<Int>]>([:])

    static func statement(_ db: Database, _ sql: String) throws -> Statement {
        // The cache compares texts as Swift does: é and e with a combining accent are equal, so two statements with
        // them would be treated as one.
        guard sql.utf8.allSatisfy({ $0 < 0x80 }) else { return try db.makeStatement(sql: sql) }
        let connection = UInt(bitPattern: db.sqliteConnection)
        let isFull = seen.withLock { seen in
            // Entries of connections that were closed long ago.
            if seen.count > 1000 { seen = [:] }
            seen[connection, default: []].insert(sql.hashValue)
            guard seen[connection]?.count ?? 0 > most else { return false }
            seen[connection] = [sql.hashValue]
            return true
        }
        if isFull { db.clearSchemaCache() }
        return try db.cachedStatement(sql: sql)
    }
}
#endif
