#if SQLite
import DiscoCore
import DiscoEventStore
import Foundation
import GRDB

/// Records batches of appends, each batch in one transaction.
struct SQLiteAppender: BatchAppender {
    let database: SQLiteDatabase
    let hub: WakeUpHub
    let context: StoreContext
    private let names = Locked(SQLiteNames())

    init(database: SQLiteDatabase, hub: WakeUpHub, context: StoreContext) {
        self.database = database
        self.hub = hub
        self.context = context
    }

    func commit(_ batch: [Append]) throws -> [BatchOutcome] {
        let result = try database.onWriter { db in try commit(batch, db) }
        hub.advance(to: result.head)
        return result.outcomes
    }

    private func commit(_ batch: [Append], _ db: Database) throws -> (outcomes: [BatchOutcome], head: Position) {
        try db.beginTransaction(.immediate)
        var outcomes: [BatchOutcome] = []
        var head = 0 as Int64
        let namesAfter: SQLiteNames
        do {
            var transaction = try SQLiteAppendTransaction(db, context: context, names: names.withLock { $0 })
            for append in batch { outcomes.append(try transaction.outcome(of: append)) }
            head = transaction.position
            namesAfter = transaction.names
            if !transaction.changed {
                try db.rollback()
                return (outcomes.map { withUnseen($0, db) }, Position(rawValue: head))
            }
        } catch {
            try? db.rollback()
            throw error
        }
        do {
            try db.commit()
        } catch {
            try? db.rollback()
            // After a failed flush, it is unknown whether the commit will be found when the file is opened again.
            if (error as? DatabaseError)?.resultCode == .SQLITE_IOERR {
                throw OutcomeUnknown(append: batch[0], underlying: SQLiteError.translate(error))
            }
            throw error
        }
        names.withLock { $0 = namesAfter }
        do {
            try database.file?.check()
        } catch {
            // Committed, but perhaps to a file that is gone.
            throw OutcomeUnknown(append: batch[0], underlying: error)
        }
        return (outcomes.map { withUnseen($0, db) }, Position(rawValue: head))
    }

    /// Adds the events that a refused caller has not seen, read after the lock is released.
    private func withUnseen(_ outcome: BatchOutcome, _ db: Database) -> BatchOutcome {
        guard case .refused(let conflict as VersionConflict) = outcome else { return outcome }
        return .refused(conflict.withUnseen { read in try SQLiteReading.page(read, db).events })
    }
}
#endif
