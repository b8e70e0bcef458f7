#if SQLite
    public import DiscoCore
    import DiscoEventStore
    import DiscoMigrations
    public import Foundation
    import GRDB

    /// The event store in a SQLite file: the embedded default.
    ///
    /// Several processes may use one file at once. Appends share disk flushes (group commit), and what `append` returned is on disk:
    /// the file is in WAL mode with `synchronous=FULL`, which is read back when it is opened.
    ///
    /// ```swift
    /// let store = try SQLiteEventStore(path: "wallets.sqlite")
    /// let client = EventStoreClient(store)
    /// ```
    public final class SQLiteEventStore: EventStore, StreamCatalog {
        private let database: SQLiteDatabase
        private let lane: AppendLane
        private let hub = WakeUpHub()
        private let watcher: SQLiteWatcher
        private let storeIdentity: StoreIdentity

        /// Opens the file, which is made and migrated where it is missing or older.
        ///
        /// - Throws: ``EventStoreError``: the file cannot be opened or written, is no database, or was migrated by a later version.
        public init(path: String, clock: @escaping @Sendable () -> Date = { Date() }) throws {
            database = try SQLiteDatabase(path: path, migrations: Migration.sqliteEventStore)
            let opened = try database.onWriter { db in
                (
                    try Row.fetchOne(db, sql: "SELECT id, epoch FROM disco_store").map { row -> StoreIdentity in
                        StoreIdentity(store: UUID(blob: row[0]) ?? UUID(), epoch: row[1])
                    },
                    try SQLiteReading.head(db)
                )
            }
            guard let identity = opened.0 else {
                throw EventStoreError(
                    .corrupt, "The event store in \(path) has lost its identity: its table disco_store is empty.")
            }
            storeIdentity = identity
            hub.advance(to: opened.1)
            lane = AppendLane(
                name: "disco-append",
                appender: SQLiteAppender(database: database, hub: hub, clock: StoreClock(now: clock)))
            watcher = try SQLiteWatcher(path: path, hub: hub)
        }

        public var abilities: StoreAbilities { StoreAbilities(catalog: self) }

        public func identity() async throws -> StoreIdentity { storeIdentity }

        public func append(_ append: Append) async throws -> Appended { try await lane.append(append) }

        public func page(_ read: Read) async throws -> Page {
            try await database.read { db in try SQLiteReading.page(read, db) }
        }

        public func wait(beyond position: Position) async throws { try await hub.wait(beyond: position) }

        public func streams(
            category: String?, prefix: String?, after: StreamID?, limit: Int
        ) async throws -> [StreamInfo] {
            try await database.read { db in
                try SQLiteReading.streams(category: category, prefix: prefix, after: after, limit: limit, db)
            }
        }

        public func event(_ id: UUID) async throws -> RecordedEvent? {
            try await database.read { db in try SQLiteReading.event(id, db) }
        }

        public func close() async {
            hub.close()
            watcher.stop()
            await lane.close()
            database.close()
        }
    }
#else
    @available(*, unavailable, message: "Name the trait SQLite in the dependency on disco to use this type.")
    public struct SQLiteEventStore {}
#endif
