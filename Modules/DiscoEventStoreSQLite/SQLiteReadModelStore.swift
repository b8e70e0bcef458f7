#if SQLite
public import DiscoCore
import DiscoEventStore
import DiscoMigrations
import Foundation
import GRDB

/// A store of read models, checkpoints and held events in its own SQLite file, so that a slow projection never
/// blocks an append.
public final class SQLiteReadModelStore: SQLReadModelStore, ProgressKeeping {
    private let database: SQLiteDatabase
    /// The file of the members that share consumers, opened when it is first used.
    private let members = Locked<SQLiteDatabase?>(nil)
    private let hub = WakeUpHub()
    package let consumerProgress = ConsumerProgress()
    /// Created when a caller first waits for changes.
    private let watcher = Locked<SQLiteWatcher?>(nil)
    public let context: StoreContext

    public struct Settings: Sendable {
        /// The file, which is created if it is missing. `~/` is expanded to the home folder; a relative path is
        /// made absolute when the store is opened. `nil` for a database in memory, whose data is lost with the
        /// store.
        public var path: String?
        /// How long to wait for another process that holds the file before
        /// ``/DiscoCore/EventStoreError/Code/busy`` is thrown.
        public var busyTimeout = Duration.seconds(10)

        public init(path: String) { self.path = path }

        private init() {}

        public static let inMemory = Settings()
    }

    public let settings: Settings

    /// Opens the file, creating it if it is missing and migrating it if it is older.
    ///
    /// - Throws: ``/DiscoCore/EventStoreError`` if the file cannot be opened or written, is not a database, or was
    ///   migrated by a later version.
    public static func open(
        _ settings: Settings, context: StoreContext = .system
    ) async throws -> SQLiteReadModelStore {
        try await onOwnThread(name: "disco-open") { try SQLiteReadModelStore(settings, context) }
    }

    /// Opens a file with the defaults of ``Settings``.
    public static func open(path: String, context: StoreContext = .system) async throws -> SQLiteReadModelStore {
        try await open(Settings(path: path), context: context)
    }

    private init(_ settings: Settings, _ context: StoreContext) throws {
        var settings = settings
        settings.path = try settings.path.map(SQLiteFile.absolute)
        self.settings = settings
        self.context = context
        database = try SQLiteDatabase(
            path: settings.path, busyTimeout: settings.busyTimeout, migrations: Migration.sqliteReadModels,
            logger: context.logger)
    }

    public func transaction<Result: Sendable>(
        _ access: SQLAccess, _ body: @escaping @Sendable (any SQLConnection) throws -> Result
    ) async throws -> Result {
        switch access {
        case .read: try await database.read { db in try Self.run(body, db, isReading: true) }
        // SQLite has one writer at a time in any case.
        case .write, .setUp: try await database.write { db in try Self.run(body, db) }
        case .membership: try await openedMembers().write { db in try Self.run(body, db) }
        }
    }

    private func openedMembers() async throws -> SQLiteDatabase {
        if let opened = members.withLock({ $0 }) { return opened }
        return try await onOwnThread(name: "disco-open") { [self] in
            try members.withLock { members in
                let opened =
                    try members
                    ?? SQLiteDatabase(
                        path: settings.path.map { $0 + ".members" }, busyTimeout: settings.busyTimeout,
                        migrations: Migration.sqliteMembers)
                members = opened
                return opened
            }
        }
    }

    public func changes(beyond seen: Int64) async throws -> Int64 {
        if seen < 0 {
            try watch()
            return try await transaction(.read) { try Self.revision($0) }
        }
        try await hub.wait(beyond: Position(rawValue: seen))
        return hub.head.rawValue
    }

    public func changed(to revision: Int64) { hub.advance(to: Position(rawValue: revision)) }

    /// Starts watching the file; for a database in memory there are no other processes.
    private func watch() throws {
        guard let path = settings.path else { return }
        try watcher.withLock { watcher in
            if watcher != nil { return }
            watcher = try SQLiteWatcher(
                path: path, file: database.file, hub: hub, subject: "The read models \(path)",
                logger: context.logger
            ) { db in
                let sql = "SELECT revision FROM disco_changes"
                return Position(rawValue: try Int64.fetchOne(db.cachedStatement(sql: sql)) ?? 0)
            }
        }
    }

    public func close() async {
        hub.close()
        await watcher.withLock { $0 }?.close()
        await members.withLock { $0 }?.close()
        await database.close()
    }

    private static func run<Result>(
        _ body: (any SQLConnection) throws -> Result, _ db: Database, isReading: Bool = false
    ) throws -> Result {
        let connection = Connection(db: db, isReading: isReading)
        do {
            let result = try body(connection)
            if let error = connection.trouble.error { throw error }
            return result
        } catch {
            throw connection.trouble.error ?? error
        }
    }

    private struct Connection: SQLConnection {
        let db: Database
        let isReading: Bool
        /// An error of the disk or the file, not of a statement: the body may have swallowed it, or mistaken it for
        /// an error of its own.
        let trouble = Trouble()

        final class Trouble {
            var error: (any Error)?
        }

        func run(_ sql: SQLStatement) throws -> SQLResult {
            if let error = trouble.error { throw error }
            // Also after a swallowed error that ended the transaction, as INSERT OR ROLLBACK does: the next
            // statement would be committed by itself.
            guard db.isInsideTransaction else {
                throw EventStoreError(
                    .database, "An earlier statement ended the transaction; everything in it was rolled back.")
            }
            do {
                let statement = try SQLiteStatementCache.statement(db, sql.text { _ in "?" })
                let answer = try SQLiteStatement(db, statement).all(sql.values.map(\.bound))
                return SQLResult(
                    columns: answer.columns, rows: answer.rows,
                    changed: statement.isReadonly ? 0 : db.changesCount)
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
