#if SQLite
import DiscoCore
import DiscoEventStore
import GRDB
import Logging

/// Detects what other connections commit: every 20 ms it asks SQLite whether any has committed, which costs
/// microseconds, and only then reads the new position.
final class SQLiteWatcher: Sendable {
    private static let interval = Duration.milliseconds(20)
    /// The number of intervals between checks that the file is still there.
    private static let turnsPerLook = 50

    private let worker: Worker<Void>

    /// - Parameters:
    ///   - subject: what is watched, for log messages.
    ///   - look: returns the position that the file has reached.
    init(
        path: String, file: SQLiteFile?, hub: WakeUpHub, subject: String, logger: Logger?,
        look: @escaping @Sendable (Database) throws -> Position
    ) throws {
        var configuration = GRDB.Configuration()
        configuration.busyMode = .timeout(1)
        let queue = try SQLiteError.translating { try DatabaseQueue(path: path, configuration: configuration) }
        worker = Worker(name: "disco-watch") { loop in
            var watch = Watch(subject, logger)
            while loop.pause(for: Self.interval) { watch.turn(queue, file, hub, look) }
            try? queue.close()
        }
    }

    func close() async { await worker.end() }

    private struct Watch {
        private var seen = -1
        private var turns = 0
        private var fileTrouble: TroubleLog
        private var readTrouble: TroubleLog
        private var failures = 0

        init(_ subject: String, _ logger: Logger?) {
            fileTrouble = TroubleLog(subject, logger)
            readTrouble = TroubleLog(subject, logger)
        }

        mutating func turn(
            _ queue: DatabaseQueue, _ file: SQLiteFile?, _ hub: WakeUpHub, _ look: (Database) throws -> Position
        ) {
            turns += 1
            if turns.isMultiple(of: SQLiteWatcher.turnsPerLook), let file {
                do {
                    try file.check()
                    fileTrouble.ends("has its file again")
                } catch {
                    fileTrouble.begins("has lost its file and rejects all requests", error)
                }
            }
            do {
                try queue.inDatabase { db in
                    // "The integer values returned by two invocations of "PRAGMA data_version" from the same
                    // connection will be different if changes were committed to the database by any other
                    // connection in the interim." (sqlite.org)
                    let version = try Int.fetchOne(db.cachedStatement(sql: "PRAGMA data_version")) ?? 0
                    guard version != seen else { return }
                    hub.advance(to: try look(db))
                    seen = version
                }
                failures = 0
                readTrouble.ends("detects changes by other processes again")
            } catch {
                // What cannot be read now, for example because of a lock, is read at the next turn.
                failures += 1
                if failures == SQLiteWatcher.turnsPerLook {
                    readTrouble.begins("cannot detect changes by other processes", SQLiteError.translate(error))
                }
            }
        }
    }
}
#endif
