#if SQLite
    import DiscoCore
    import Foundation
    import GRDB
    import GRDBSQLite

    /// Moves what was committed from the write-ahead log into the database, off the path of the commits: SQLite's own way makes
    /// every thousandth page's writer do it.
    ///
    /// A log that readers keep from being reset grows without a limit; beyond ``tooLong`` pages the checkpointer therefore waits
    /// for them, holding new commits back for that moment, and cuts the file.
    final class SQLiteCheckpointer: Sendable {
        /// Pages of 4 KiB.
        private static let worthwhile = 1000
        private static let tooLong = 16_384

        private struct State: Sendable {
            /// In the log after the last commit.
            var pages = 0
            var stopping = false
        }

        private let state = Locked(State())

        init(path: String) throws {
            var configuration = GRDB.Configuration()
            configuration.busyMode = .timeout(5)
            let queue = try DatabaseQueue(path: path, configuration: configuration)
            let thread = Thread { [state] in
                while let pages = Self.next(state) {
                    let mode = pages >= Self.tooLong ? SQLITE_CHECKPOINT_TRUNCATE : SQLITE_CHECKPOINT_PASSIVE
                    let remaining = queue.inDatabase { db in
                        var inLog: Int32 = 0
                        var moved: Int32 = 0
                        // What is busy or fails now is tried again after the next commits.
                        sqlite3_wal_checkpoint_v2(db.sqliteConnection, nil, mode, &inLog, &moved)
                        return Int(inLog - moved)
                    }
                    // Readers hold it up: no use in trying at every commit.
                    if remaining > Self.worthwhile { Thread.sleep(forTimeInterval: 0.02) }
                }
                try? queue.close()
            }
            thread.name = "disco-checkpoint"
            thread.start()
        }

        /// Blocks until there is enough to do; nil at the end.
        private static func next(_ state: Locked<State>) -> Int? {
            let pages: Int? = state.waiting { state in
                if state.stopping { return 0 }
                guard state.pages >= worthwhile else { return nil }
                defer { state.pages = 0 }
                return state.pages
            }
            return pages == 0 ? nil : pages
        }

        /// Has the writer report how long the log is after each of its commits; its own checkpoints end with that.
        ///
        /// "The sqlite3_wal_autocheckpoint() function […] is just a wrapper around sqlite3_wal_hook() that causes any database on
        /// D to automatically checkpoint" (sqlite.org): the hook takes its place.
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
            state.withLock { $0.pages = pages }
            if pages >= Self.worthwhile { state.signal() }
        }

        func stop() {
            state.withLock { $0.stopping = true }
            state.signal()
        }
    }
#endif
