#if SQLite
    import DiscoCore
    import DiscoEventStore
    import GRDB
    import Logging

    /// Notices what other processes append: every 20 ms it asks SQLite whether anybody else has committed, which costs
    /// microseconds, and only then for the head.
    final class SQLiteWatcher: Sendable {
        private static let interval = Duration.milliseconds(20)
        /// Every so many intervals it looks whether the file is still there.
        private static let turnsPerLook = 50

        private let worker: Worker<Void>

        init(path: String, file: SQLiteFile?, hub: WakeUpHub, logger: Logger?) throws {
            var configuration = GRDB.Configuration()
            configuration.busyMode = .timeout(1)
            let queue = try SQLiteError.translating { try DatabaseQueue(path: path, configuration: configuration) }
            worker = Worker(name: "disco-watch") { loop in
                var seen = -1
                var turns = 0
                var trouble = TroubleLog("The event store \(path)", logger)
                while loop.pause(for: Self.interval) {
                    turns += 1
                    if turns.isMultiple(of: Self.turnsPerLook), let file {
                        do {
                            try file.check()
                            trouble.ends("has its file back")
                        } catch {
                            trouble.begins("has lost its file and refuses everything", error)
                        }
                    }
                    // What cannot be read now is read at the next turn.
                    try? queue.inDatabase { db in
                        // "The integer values returned by two invocations of "PRAGMA data_version" from the same
                        // connection will be different if changes were committed to the database by any other
                        // connection in the interim." (sqlite.org)
                        let version = try Int.fetchOne(db.cachedStatement(sql: "PRAGMA data_version")) ?? 0
                        guard version != seen else { return }
                        hub.advance(to: try SQLiteReading.head(db))
                        seen = version
                    }
                }
                try? queue.close()
            }
        }

        func close() async { await worker.end() }
    }
#endif
