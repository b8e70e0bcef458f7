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
    /// `nil` for a database in memory.
    let file: SQLiteFile?
    private let logger: Logger?
    private let closed = Locked(false)
    private let reading = Locked(0)

    /// The number of connections for reading.
    static let readers = 4
    /// How many reads run, or wait for a connection.
    var reads: Int { reading.withLock { $0 } }

    /// - Parameters:
    ///   - path: an absolute path; `nil` for a database in memory.
    ///   - logger: logs problems in the background.
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

    /// Retries while other processes are opening the same new file: SQLite does not call the busy handler while one
    /// of them switches the file to its write-ahead log.
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
                // Writes the tables into the file itself: a copy without its log would otherwise be an empty
                // database, and be taken for a new one.
                sqlite3_wal_checkpoint_v2(db.sqliteConnection, nil, SQLITE_CHECKPOINT_TRUNCATE, nil, nil)
            }
            try checkpointer?.watch(db)
        }
        return checkpointer
    }

    /// Whether the file exists and is not writable: for a file on a read-only disk, SQLite reports that it cannot
    /// open the log.
    private static func isReadOnly(_ path: String) -> Bool { access(path, F_OK) == 0 && access(path, W_OK) != 0 }

    private static func open(
        _ path: String?, _ durability: SQLiteEventStore.Durability, _ busyTimeout: Duration
    ) throws -> any DatabaseWriter {
        var configuration = GRDB.Configuration()
        configuration.busyMode = .callback(waitInTurn(busyTimeout))
        configuration.foreignKeysEnabled = false
        configuration.maximumReaderCount = readers
        guard let path else { return try DatabaseQueue(configuration: configuration) }
        let pool = try DatabasePool(path: path, configuration: configuration)
        try pool.writeWithoutTransaction { db in
            // GRDB sets NORMAL, which loses the last commits when the power fails.
            if durability == .full { try db.execute(sql: "PRAGMA synchronous = FULL") }
            // The size to which a log that grew while readers held it up is truncated when it starts over.
            try db.execute(sql: "PRAGMA journal_size_limit = \(SQLiteCheckpointer.longestLog)")
        }
        return pool
    }

    /// Handles a file locked by another process: waits a random time on each attempt, so that no process starves.
    /// SQLite's own handler waits longer and longer, so that the last to arrive gets the lock.
    static func waitInTurn(_ timeout: Duration) -> @Sendable (Int) -> Bool {
        // 1.6 ms on average.
        let most = Int(timeout.bounded / .microseconds(1600))
        return { attempts in
            usleep(UInt32.random(in: 200...3000))
            return attempts < most
        }
    }

    /// Checks that the file is writable: SQLite opens an unwritable file read-only, and would reject the first
    /// append.
    private static func checkWritable(_ db: Database) throws {
        if sqlite3_db_readonly(db.sqliteConnection, "main") == 1 {
            throw DatabaseError(resultCode: .SQLITE_READONLY, message: "opened read-only")
        }
    }

    private static func checkDurability(_ db: Database, _ durability: SQLiteEventStore.Durability) throws {
        let journal = try String.fetchOne(db, sql: "PRAGMA journal_mode") ?? "?"
        let synchronous = try Int.fetchOne(db, sql: "PRAGMA synchronous") ?? -1
        let least = durability == .full ? 2 : 1
        guard journal == "wal", synchronous >= least else {
            throw EventStoreError(
                .notDurable,
                "SQLite runs with journal_mode=\(journal) and synchronous=\(synchronous); Disco requires wal and \(least). "
                    + "Keep the file on a local disk.")
        }
    }

    /// Runs `body` on the writer and blocks the calling thread; for startup and our own threads.
    func onWriter<Result>(_ body: (Database) throws -> Result) throws -> Result {
        if closed.withLock({ $0 }) { throw EventStoreError.closed }
        try file?.check()
        return try SQLiteError.translating { try pool.writeWithoutTransaction(body) }
    }

    /// Runs `body` in a write transaction, to completion even if the calling task is cancelled.
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
                                throw EventStoreError(.database, "The transaction returned no result.")
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
                .outcomeUnknown, "The change was committed to a file that is gone. \(error)", underlying: error)
        }
        return result
    }

    /// Runs `body` on a snapshot; stops immediately when the calling task is cancelled.
    func read<Result: Sendable>(_ body: @escaping @Sendable (Database) throws -> Result) async throws -> Result {
        if closed.withLock({ $0 }) { throw EventStoreError.closed }
        try file?.check()
        reading.withLock { $0 += 1 }
        defer { reading.withLock { $0 -= 1 } }
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
        // Closing waits for readers, which are returned on Swift's pool, so it must not wait there.
        await onOwnThread(name: "disco-close") { [pool, file, logger] in
            // "The last connection to a database is closed [: …] a checkpoint" (sqlite.org), but not by a reader,
            // so the readers are closed first.
            (pool as? DatabasePool)?.releaseMemory()
            if file != nil {
                // If others have the file open, this moves what it can without waiting for anyone; otherwise
                // closing does the rest.
                pool.writeWithoutTransaction { db in
                    _ = sqlite3_wal_checkpoint_v2(db.sqliteConnection, nil, SQLITE_CHECKPOINT_PASSIVE, nil, nil)
                }
            }
            // Closes the connection of a read that was admitted a moment ago.
            (pool as? DatabasePool)?.releaseMemory()
            // Closing fails only while statements run; the connection is then closed when they end.
            try? pool.close()
            if let file, SQLiteFile.hasLog(file.path) {
                logger?.notice(
                    "\(file.path) has a `-wal` file that another process still uses. Copy both or neither.")
            }
        }
    }
}
#endif
