#if SQLite
    import DiscoCore
    import DiscoEventStore
    import GRDB
    import GRDBSQLite
    import Logging

    /// Moves what was committed from the write-ahead log into the database, off the path of the commits: SQLite's own
    /// way makes every thousandth page's writer do it.
    ///
    /// A log that readers keep from being reset grows without a limit. Beyond ``tooLong`` pages the checkpointer
    /// therefore holds new commits back for a moment, in which the pages being read come to their end, and cuts the
    /// file. A reader that sits in a transaction for longer stalls nobody: the log grows until it has gone.
    final class SQLiteCheckpointer: Sendable {
        /// Bytes that the log keeps on the disk once it was moved; what it grew beyond them is given back.
        static let longestLog = 64 << 20
        /// Pages of 4 KiB.
        private static let worthwhile = 1000
        private static let tooLong = longestLog / 4096
        /// How long a cut waits for the writer to let it in, and then, holding the writer back, for readers.
        private static let patience = Duration.milliseconds(200)
        /// Between cuts that failed, so that a reader that stays costs writers no more than a tenth of their time.
        private static let pause = Duration.seconds(2)
        /// Until what readers keep from being moved is tried again.
        private static let rest = Duration.milliseconds(50)

        /// How many pages are in the log after the last commit.
        private let worker: Worker<Int>

        /// - Parameter logger: where it is logged that the log cannot be moved.
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
                        trouble.begins("cannot be moved into the database and grows", SQLiteError.translate(error))
                    } else {
                        trouble.ends("is moved into the database again")
                    }
                    if cuts, left > 0 { nextCut = .now + Self.pause }
                    // Readers hold it up: no use in trying at every commit.
                    if left > Self.worthwhile { loop.pause(for: Self.rest) }
                }
                try? queue.close()
            }
        }

        func close() async { await worker.end() }

        /// How many pages are left in the log, and what went wrong; what is busy or fails now is tried again after the next
        /// commits.
        private static func checkpoint(_ db: Database, cutting: Bool) -> (left: Int, error: DatabaseError?) {
            var inLog: Int32 = 0
            var moved: Int32 = 0
            let mode = cutting ? SQLITE_CHECKPOINT_TRUNCATE : SQLITE_CHECKPOINT_PASSIVE
            let code = sqlite3_wal_checkpoint_v2(db.sqliteConnection, nil, mode, &inLog, &moved)
            if code == SQLITE_OK { return (Int(inLog - moved), nil) }
            let left = max(1, Int(inLog - moved))
            // Others use the file, which is no trouble.
            if [SQLITE_BUSY, SQLITE_LOCKED].contains(code & 0xFF) { return (left, nil) }
            return (left, DatabaseError(resultCode: ResultCode(rawValue: code), message: db.lastErrorMessage))
        }

        /// Blocks until there is enough to do; nil at the end.
        private static func next(_ loop: Worker<Int>.Loop) -> Int? {
            loop.wait { pages in
                guard pages >= worthwhile else { return nil }
                defer { pages = 0 }
                return pages
            }
        }

        /// Has the writer report how long the log is after each of its commits; its own checkpoints end with that.
        ///
        /// "The sqlite3_wal_autocheckpoint() function […] is just a wrapper around sqlite3_wal_hook() that causes any
        /// database on D to automatically checkpoint" (sqlite.org): the hook takes its place.
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
