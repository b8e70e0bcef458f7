#if SQLite
import DiscoCore
import DiscoEventStore
import GRDB
import GRDBSQLite
import Logging

/// Checkpoints the write-ahead log outside of commits: with SQLite's automatic checkpoints, the writer of every
/// thousandth page would do it.
///
/// A log that readers keep from being reset grows without limit. Beyond ``tooLong`` pages, the checkpointer
/// therefore holds back new commits briefly, so that the running reads of pages can finish, and truncates the file.
/// A reader that stays in a transaction for longer blocks nobody: the log grows until the reader is gone.
final class SQLiteCheckpointer: Sendable {
    /// The bytes that the log keeps on disk after a checkpoint; what it grew beyond them is freed.
    static let longestLog = 64 << 20
    /// Pages of 4 KiB.
    private static let worthwhile = 1000
    private static let tooLong = longestLog / 4096
    /// How long a truncation waits for the writer's lock, and then, holding back the writer, for readers.
    private static let patience = Duration.milliseconds(200)
    /// The pause after a failed truncation, so that a reader that stays costs writers at most a tenth of their
    /// time.
    private static let pause = Duration.seconds(2)
    /// The pause before retrying a checkpoint that readers hold up.
    private static let rest = Duration.milliseconds(50)

    /// The number of pages in the log after the last commit.
    private let worker: Worker<Int>

    /// - Parameter logger: logs when the log cannot be checkpointed.
    init(path: String, logger: Logger?) throws {
        var configuration = GRDB.Configuration()
        configuration.busyMode = .callback(SQLiteDatabase.waitInTurn(Self.patience))
        let queue = try DatabaseQueue(path: path, configuration: configuration)
        worker = Worker(name: "disco-log", state: 0) { loop in
            var nextCut = ContinuousClock.now
            var trouble = TroubleLog("The write-ahead log of \(path)", logger)
            while let pages = Self.next(loop), !loop.isEnding {
                let cuts = pages >= Self.tooLong && nextCut <= .now
                let (left, error) = queue.inDatabase { db in Self.checkpoint(db, cutting: cuts) }
                if let error {
                    trouble.begins("cannot be checkpointed and keeps growing", SQLiteError.translate(error))
                } else {
                    trouble.ends("is checkpointed again")
                }
                if cuts, left > 0 { nextCut = .now + Self.pause }
                // Readers hold up the checkpoint: retrying at every commit is useless.
                if left > Self.worthwhile { loop.pause(for: Self.rest) }
            }
            try? queue.close()
        }
    }

    func close() async { await worker.end() }

    /// Runs a checkpoint. Returns the number of pages left in the log, and the error if it failed; a busy or failed
    /// checkpoint is retried after the next commits.
    private static func checkpoint(_ db: Database, cutting: Bool) -> (left: Int, error: DatabaseError?) {
        var inLog: Int32 = 0
        var moved: Int32 = 0
        let mode = cutting ? SQLITE_CHECKPOINT_TRUNCATE : SQLITE_CHECKPOINT_PASSIVE
        let code = sqlite3_wal_checkpoint_v2(db.sqliteConnection, nil, mode, &inLog, &moved)
        if code == SQLITE_OK { return (Int(inLog - moved), nil) }
        let left = max(1, Int(inLog - moved))
        // Others are using the file, which is not an error.
        if [SQLITE_BUSY, SQLITE_LOCKED].contains(code & 0xFF) { return (left, nil) }
        return (left, DatabaseError(resultCode: ResultCode(rawValue: code), message: db.lastErrorMessage))
    }

    /// Blocks until there is enough to do; returns `nil` when the worker ends.
    private static func next(_ loop: Worker<Int>.Loop) -> Int? {
        loop.wait { pages in
            guard pages >= worthwhile else { return nil }
            defer { pages = 0 }
            return pages
        }
    }

    /// Makes the writer report the length of the log after each of its commits, which ends its own checkpoints.
    ///
    /// "The sqlite3_wal_autocheckpoint() function […] is just a wrapper around sqlite3_wal_hook() that causes any
    /// database on D to automatically checkpoint" (sqlite.org): this hook replaces it.
    func watch(_ db: Database) throws {
        sqlite3_wal_hook(
            db.sqliteConnection,
            { context, _, _, pages in
                if let context {
                    let checkpointer = Unmanaged<SQLiteCheckpointer>.fromOpaque(context).takeUnretainedValue()
                    checkpointer.committed(pages: Int(pages))
                }
                return SQLITE_OK
            }, Unmanaged.passUnretained(self).toOpaque())
    }

    private func committed(pages: Int) {
        worker.withState { $0 = pages }
        if pages >= Self.worthwhile { worker.wake() }
    }
}
#endif
