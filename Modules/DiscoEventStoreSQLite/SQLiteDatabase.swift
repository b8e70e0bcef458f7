#if SQLite
    import DiscoCore
    import DiscoEventStore
    import DiscoMigrations
    import Foundation
    import GRDB
    import GRDBSQLite
    import Logging

    /// A SQLite file as Disco opens it: WAL, `synchronous=FULL`, migrated, and fair to other processes.
    final class SQLiteDatabase: Sendable {
        private let pool: any DatabaseWriter
        private let checkpointer: SQLiteCheckpointer?
        /// Nil in memory.
        let file: SQLiteFile?
        private let logger: Logger?
        private let closed = Locked(false)

        /// - Parameters:
        ///   - path: absolute; nil for a database in memory.
        ///   - logger: where trouble in the background is said.
        init(
            path: String?, durability: SQLiteEventStore.Durability = .full, busyTimeout: Duration = .seconds(10),
            migrations: [Migration], logger: Logger? = nil
        ) throws {
            self.logger = logger
            do {
                (pool, checkpointer) = try Self.insistently(for: busyTimeout) {
                    let pool = try Self.open(path, durability, busyTimeout)
                    do {
                        return (pool, try Self.prepare(pool, path, durability, migrations, logger))
                    } catch {
                        try? pool.close()
                        throw error
                    }
                }
                file = path.map(SQLiteFile.init(opened:))
            } catch let error as DatabaseError where path.map(Self.isReadOnly) == true {
                throw SQLiteError.translate(
                    DatabaseError(resultCode: .SQLITE_READONLY, message: error.message), path: path)
            } catch {
                throw SQLiteError.translate(error, path: path)
            }
        }

        /// Opens again where others are about to open the same new file: SQLite asks no busy handler while one of them
        /// switches it to its write-ahead log.
        private static func insistently<Result>(for limit: Duration, _ body: () throws -> Result) throws -> Result {
            let deadline = ContinuousClock.now + limit.bounded
            while true {
                do {
                    return try body()
                } catch let error as DatabaseError
                    where error.resultCode == .SQLITE_BUSY && ContinuousClock.now < deadline
                {
                    usleep(UInt32.random(in: 1000...10_000))
                }
            }
        }

        private static func prepare(
            _ pool: any DatabaseWriter, _ path: String?, _ durability: SQLiteEventStore.Durability,
            _ migrations: [Migration], _ logger: Logger?
        ) throws -> SQLiteCheckpointer? {
            let checkpointer = try path.map { try SQLiteCheckpointer(path: $0, logger: logger) }
            try pool.writeWithoutTransaction { db in
                if path != nil {
                    try checkWritable(db)
                    try checkDurability(db, durability)
                }
                if try SQLiteMigrator.migrate(db, migrations) {
                    // Into the file itself: a copy without its log is then no empty database, which would be taken for a new
                    // one.
                    sqlite3_wal_checkpoint_v2(db.sqliteConnection, nil, SQLITE_CHECKPOINT_TRUNCATE, nil, nil)
                }
                try checkpointer?.watch(db)
            }
            return checkpointer
        }

        /// SQLite says that it cannot open a log beside a file on a disk that cannot be written.
        private static func isReadOnly(_ path: String) -> Bool { access(path, F_OK) == 0 && access(path, W_OK) != 0 }

        private static func open(
            _ path: String?, _ durability: SQLiteEventStore.Durability, _ busyTimeout: Duration
        ) throws -> any DatabaseWriter {
            var configuration = GRDB.Configuration()
            configuration.busyMode = .callback(waitInTurn(busyTimeout))
            configuration.foreignKeysEnabled = false
            configuration.maximumReaderCount = 4
            guard let path else { return try DatabaseQueue(configuration: configuration) }
            let pool = try DatabasePool(path: path, configuration: configuration)
            try pool.writeWithoutTransaction { db in
                // GRDB sets NORMAL, which loses the last commits when the power fails.
                if durability == .full { try db.execute(sql: "PRAGMA synchronous = FULL") }
                // What a log that grew while readers held it up is cut to when it begins anew.
                try db.execute(sql: "PRAGMA journal_size_limit = \(SQLiteCheckpointer.longestLog)")
            }
            return pool
        }

        /// Another process holds the file: waits a random while each time, so that none is starved. SQLite's own
        /// handler waits longer and longer, and whoever came last gets the lock.
        static func waitInTurn(_ timeout: Duration) -> @Sendable (Int) -> Bool {
            // 1.6 ms on average.
            let most = Int(timeout.bounded / .microseconds(1600))
            return { attempts in
                usleep(UInt32.random(in: 200...3000))
                return attempts < most
            }
        }

        /// SQLite opens a file that it cannot write for reading, and would refuse the first append.
        private static func checkWritable(_ db: Database) throws {
            if sqlite3_db_readonly(db.sqliteConnection, "main") == 1 {
                throw DatabaseError(resultCode: .SQLITE_READONLY, message: "opened for reading only")
            }
        }

        private static func checkDurability(_ db: Database, _ durability: SQLiteEventStore.Durability) throws {
            let journal = try String.fetchOne(db, sql: "PRAGMA journal_mode") ?? "?"
            let synchronous = try Int.fetchOne(db, sql: "PRAGMA synchronous") ?? -1
            let least = durability == .full ? 2 : 1
            guard journal == "wal", synchronous >= least else {
                throw EventStoreError(
                    .notDurable,
                    "SQLite runs with journal_mode=\(journal) and synchronous=\(synchronous); Disco needs wal and \(least). "
                        + "Keep the file on a local disk.")
            }
        }

        /// Blocks the calling thread; for start-up and threads of our own.
        func onWriter<Result>(_ body: (Database) throws -> Result) throws -> Result {
            if closed.withLock({ $0 }) { throw EventStoreError.closed }
            try file?.check()
            return try SQLiteError.translating { try pool.writeWithoutTransaction(body) }
        }

        /// Runs to its end, whatever becomes of the calling task.
        func write<Result: Sendable>(_ body: @escaping @Sendable (Database) throws -> Result) async throws -> Result {
            if closed.withLock({ $0 }) { throw EventStoreError.closed }
            try file?.check()
            let result = try await withCheckedThrowingContinuation { continuation in
                pool.asyncWriteWithoutTransaction { db in
                    continuation.resume(
                        with: Swift.Result {
                            try SQLiteError.translating {
                                var result: Result?
                                try db.inTransaction(.immediate) {
                                    result = try body(db)
                                    return .commit
                                }
                                guard let result else {
                                    throw EventStoreError(.database, "The transaction had no result.")
                                }
                                return result
                            }
                        })
                }
            }
            do {
                try file?.check()
            } catch {
                throw EventStoreError(
                    .outcomeUnknown, "A change was committed to a file that is gone. \(error)", underlying: error)
            }
            return result
        }

        /// A snapshot; ends at once when the calling task is cancelled.
        func read<Result: Sendable>(_ body: @escaping @Sendable (Database) throws -> Result) async throws -> Result {
            if closed.withLock({ $0 }) { throw EventStoreError.closed }
            try file?.check()
            do {
                return try await pool.read(body)
            } catch {
                throw SQLiteError.translate(error)
            }
        }

        func close() async {
            guard
                closed.withLock({ closed in
                    defer { closed = true }
                    return !closed
                })
            else { return }
            await checkpointer?.close()
            // It waits for readers, which are given back on Swift's pool: that must not be where it waits.
            await onOwnThread(name: "disco-close") { [pool, file, logger] in
                // "The last connection to a database is closed [: …] a checkpoint" (sqlite.org), but not by a reader:
                // they go first.
                (pool as? DatabasePool)?.releaseMemory()
                if file != nil {
                    // Where others have the file open this moves what it can and waits for nobody; otherwise closing does
                    // the rest.
                    pool.writeWithoutTransaction { db in
                        _ = sqlite3_wal_checkpoint_v2(db.sqliteConnection, nil, SQLITE_CHECKPOINT_PASSIVE, nil, nil)
                    }
                }
                // Of a read that was let in a moment ago.
                (pool as? DatabasePool)?.releaseMemory()
                // It only fails while statements run, which then close it with their end.
                try? pool.close()
                if let file, SQLiteFile.hasLog(file.path) {
                    logger?.notice(
                        "\(file.path) has a log beside it that another process still uses. Copy both, or neither.")
                }
            }
        }
    }
#endif
