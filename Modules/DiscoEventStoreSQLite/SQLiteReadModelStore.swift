#if SQLite
    public import DiscoCore
    import DiscoMigrations
    import Foundation
    import GRDB
    public import Logging

    /// Read models, checkpoints and held events in a SQLite file of their own, so that a slow projection never blocks
    /// an append.
    public final class SQLiteReadModelStore: ReadModelStore {
        private let database: SQLiteDatabase

        /// Opens the file, which is made and migrated where it is missing or older.
        ///
        /// - Parameters:
        ///   - path: nil for a database in memory, which belongs to this instance. `~/` stands for the home folder; a
        ///     relative path is made absolute when the store is opened.
        ///   - logger: where trouble in the background is said.
        public init(path: String?, logger: Logger? = nil) throws {
            database = try SQLiteDatabase(
                path: path.map(SQLiteFile.absolute), migrations: Migration.sqliteReadModels, logger: logger)
        }

        public func checkpoint(of consumer: String) async throws -> Checkpoint {
            try NameCheck.argument.check(consumer: consumer)
            return try await database.read { db in try Self.checkpoint(of: consumer, db) }
        }

        public func consumers() async throws -> [String] {
            try await database.read { db in
                try String.fetchAll(db, sql: "SELECT DISTINCT consumer FROM disco_checkpoints ORDER BY consumer")
            }
        }

        public func held(by consumer: String) async throws -> [HeldEvent] {
            try NameCheck.argument.check(consumer: consumer)
            return try await database.read { db in
                try Row.fetchAll(
                    db,
                    sql: """
                        SELECT position, key, attempts, retry_at, reason FROM disco_held
                        WHERE consumer = ? AND "partition" = 0 ORDER BY position
                        """, arguments: [consumer]
                ).map { row in
                    HeldEvent(
                        position: Position(rawValue: row[0]), stream: StreamID(row[1]), attempts: row[2],
                        retryAt: (row[3] as Int64?).map(Timestamp.date(microseconds:)), reason: row[4])
                }
            }
        }

        public func save(_ progress: ConsumerStep) async throws { try await commit(progress) { _ in } }

        public func commit(
            _ progress: ConsumerStep, _ body: @escaping @Sendable (SQLTransaction) throws -> Void
        ) async throws {
            try progress.check()
            try await database.write { db in
                guard try Self.checkpoint(of: progress.consumer, db) == progress.from else {
                    throw EventStoreError.checkpointMoved(progress.consumer)
                }
                try Self.run(body, db)
                try Self.store(progress, db)
            }
        }

        public func reset(_ consumer: String) async throws {
            try NameCheck.argument.check(consumer: consumer)
            try await database.write { db in
                try db.execute(sql: "DELETE FROM disco_checkpoints WHERE consumer = ?", arguments: [consumer])
                try db.execute(sql: "DELETE FROM disco_held WHERE consumer = ?", arguments: [consumer])
            }
        }

        public func write(_ body: @escaping @Sendable (SQLTransaction) throws -> Void) async throws {
            try await database.write { db in try Self.run(body, db) }
        }

        private static func run<Result>(
            _ body: (SQLTransaction) throws -> Result, _ db: Database, isReading: Bool = false
        ) throws -> Result {
            let connection = Connection(db: db, isReading: isReading)
            do {
                let result = try body(SQLTransaction(connection))
                if let error = connection.trouble.error { throw error }
                return result
            } catch {
                throw connection.trouble.error ?? error
            }
        }

        public func read<Result: Sendable>(
            _ body: @escaping @Sendable (SQLTransaction) throws -> Result
        ) async throws -> Result {
            try await database.read { db in try Self.run(body, db, isReading: true) }
        }

        public func close() async { await database.close() }

        private static func checkpoint(of consumer: String, _ db: Database) throws -> Checkpoint {
            let row = try Row.fetchOne(
                db,
                sql: """
                    SELECT position, event_id, store, epoch FROM disco_checkpoints WHERE consumer = ? AND "partition" = 0
                    """, arguments: [consumer])
            guard let row else { return .start }
            let store = (row[2] as Data?).flatMap(UUID.init(blob:))
            return Checkpoint(
                position: Position(rawValue: row[0]), eventID: (row[1] as Data?).flatMap(UUID.init(blob:)),
                store: store.map { StoreIdentity(store: $0, epoch: row[3]) })
        }

        private static func store(_ progress: ConsumerStep, _ db: Database) throws {
            let now = Timestamp.microseconds(of: Date())
            try db.execute(
                sql: """
                    INSERT INTO disco_checkpoints (consumer, store, epoch, position, event_id, updated_at)
                    VALUES (?, ?, ?, ?, ?, ?)
                    ON CONFLICT DO UPDATE SET store = excluded.store, epoch = excluded.epoch, position = excluded.position,
                        event_id = excluded.event_id, updated_at = excluded.updated_at
                    """,
                arguments: [
                    progress.consumer, progress.to.store?.store.blob, progress.to.store?.epoch,
                    progress.to.position.rawValue,
                    progress.to.eventID?.blob, now,
                ])
            for position in progress.release {
                try db.execute(
                    sql: "DELETE FROM disco_held WHERE consumer = ? AND position = ?",
                    arguments: [progress.consumer, position.rawValue])
                if db.changesCount != 1 { throw EventStoreError.checkpointMoved(progress.consumer) }
            }
            for held in progress.hold {
                if held.position <= progress.from.position {
                    try db.execute(
                        sql: """
                            UPDATE disco_held SET attempts = ?3, retry_at = ?4, reason = ?5
                            WHERE consumer = ?1 AND position = ?2 AND attempts = ?3 - 1
                            """,
                        arguments: [
                            progress.consumer, held.position.rawValue, held.attempts,
                            held.retryAt.map(Timestamp.microseconds(of:)), held.reason,
                        ])
                } else {
                    try db.execute(
                        sql: """
                            INSERT INTO disco_held (consumer, key, position, attempts, retry_at, reason) VALUES (?, ?, ?, ?, ?, ?)
                            ON CONFLICT DO NOTHING
                            """,
                        arguments: [
                            progress.consumer, held.stream.name, held.position.rawValue, held.attempts,
                            held.retryAt.map(Timestamp.microseconds(of:)), held.reason,
                        ])
                }
                if db.changesCount != 1 { throw EventStoreError.checkpointMoved(progress.consumer) }
            }
        }

        private struct Connection: SQLConnection {
            let db: Database
            let isReading: Bool
            /// What went wrong with the disk or the file, and not with a statement: the body may have swallowed it, or taken it
            /// for a failure of its own.
            let trouble = Trouble()

            final class Trouble {
                var error: (any Error)?
            }

            func run(_ sql: SQLStatement) throws -> (columns: [String], rows: [[SQLValue]]) {
                if let error = trouble.error { throw error }
                // Also where an error was swallowed that ended the transaction, as INSERT OR ROLLBACK does: what comes
                // now would be committed by itself.
                guard db.isInsideTransaction else {
                    throw EventStoreError(
                        .database, "A statement before this one ended the transaction; everything in it was undone.")
                }
                do {
                    let statement = try SQLiteStatementCache.statement(db, sql.text { _ in "?" })
                    return try SQLiteStatement(db, statement).all(sql.values.map(\.bound))
                } catch let error as DatabaseError {
                    let translated = SQLiteError.ofStatement(error, isReading: isReading)
                    if SQLiteError.isTrouble(error) { trouble.error = translated }
                    throw translated
                }
            }
        }
    }

    extension SQLValue {
        fileprivate var bound: SQLiteStatement.Value {
            switch self {
            case .null: .null
            case .integer(let value): .integer(value)
            case .real(let value): .real(value)
            case .text(let value): .text(value)
            case .blob(let bytes): .blob(bytes)
            }
        }
    }
#else
    @available(*, unavailable, message: "Enable the `SQLite` trait in the dependency on disco to use this type.")
    public struct SQLiteReadModelStore {}
#endif
