#if SQLite
    import DiscoCore
    import GRDB

    /// Prepared statements whose text varies: with the shape of a query, or as the application writes it.
    ///
    /// A connection keeps what was prepared on it for ever, so it is made to forget all of it when it has seen too many
    /// shapes. Statements in use are not disturbed.
    enum SQLiteStatementCache {
        private static let most = 100
        /// The hashes of the texts seen, by connection.
        private static let seen = Locked<[UInt: Set<Int>]>([:])

        static func statement(_ db: Database, _ sql: String) throws -> Statement {
            // The cache finds texts as Swift compares them: to it é and e with a combining accent are one, and two
            // statements with them would be one too.
            guard sql.utf8.allSatisfy({ $0 < 0x80 }) else { return try db.makeStatement(sql: sql) }
            let connection = UInt(bitPattern: db.sqliteConnection)
            let isFull = seen.withLock { seen in
                // Of connections that are long closed.
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
