#if SQLite
public import DiscoCore
import DiscoEventStore
import DiscoMigrations
import Foundation
import GRDB

/// An event store in a SQLite file: the embedded default.
///
/// Several processes can use one file at the same time. Appends share disk flushes (group commit). When `append`
/// returns, its events are on disk: the file is in WAL mode with `synchronous=FULL`, unless ``Settings/durability``
/// says otherwise. The store verifies both when it opens the file.
///
/// ```swift
/// let store = try await SQLiteEventStore.open(path: "wallets.sqlite")
/// let client = EventStoreClient(store)
/// ```
public final class SQLiteEventStore: EventStore {
    public struct Settings: Sendable {
        /// The file, which is created if it is missing; two more (`-wal`, `-shm`) exist beside it while it is in
        /// use. `~/` is expanded to the home folder; a relative path is made absolute when the store is opened.
        public var path: String
        public var durability = Durability.full
        /// How long to wait for another process that holds the file before
        /// ``/DiscoCore/EventStoreError/Code/busy`` is thrown.
        public var busyTimeout = Duration.seconds(10)
        /// Whether streams may be erased permanently.
        public var allowsErasing = false

        public init(path: String) { self.path = path }
    }

    /// What an acknowledged append survives.
    public enum Durability: String, CaseIterable, Sendable {
        /// A killed process and a power failure (`synchronous=FULL`: a flush for each batch).
        case full
        /// A killed process; after a power failure the last appends may be missing (`synchronous=NORMAL`).
        case processCrash = "process-crash"
    }

    let database: SQLiteDatabase
    public let settings: Settings
    public let context: StoreContext
    private let lane: AppendLane
    private let hub = WakeUpHub()
    private let watcher: SQLiteWatcher
    private let storeIdentity: StoreIdentity

    /// Opens the file, creating it if it is missing and migrating it if it is older.
    ///
    /// - Throws: ``/DiscoCore/EventStoreError`` if the file cannot be opened or written, is not a database, or was
    ///   migrated by a later version.
    public static func open(
        _ settings: Settings, context: StoreContext = .system
    ) async throws -> SQLiteEventStore {
        // Opening blocks, for example while another process migrates the file.
        try await onOwnThread(name: "disco-open") { try SQLiteEventStore(settings, context) }
    }

    /// Opens a file with the defaults of ``Settings``.
    public static func open(path: String, context: StoreContext = .system) async throws -> SQLiteEventStore {
        try await open(Settings(path: path), context: context)
    }

    private init(_ settings: Settings, _ context: StoreContext) throws {
        let path = try SQLiteFile.absolute(settings.path)
        var settings = settings
        settings.path = path
        self.settings = settings
        self.context = context
        database = try SQLiteDatabase(
            path: path, durability: settings.durability, busyTimeout: settings.busyTimeout,
            migrations: Migration.sqliteEventStore, logger: context.logger)
        let opened = try database.onWriter { db in
            (
                try Row.fetchOne(db, sql: "SELECT id, epoch FROM disco_store").flatMap { row in
                    UUID(blob: row[0]).map { StoreIdentity(store: $0, epoch: row[1]) }
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
            appender: SQLiteAppender(database: database, hub: hub, context: context))
        watcher = try SQLiteWatcher(
            path: path, file: database.file, hub: hub, subject: "The event store \(path)", logger: context.logger,
            look: SQLiteReading.head)
    }

    public var abilities: StoreAbilities {
        StoreAbilities(
            catalog: self, deletion: self, snapshots: self, verification: self, keys: self, counting: self,
            load: self)
    }

    public func identity() async throws -> StoreIdentity { storeIdentity }

    public func append(_ append: Append) async throws -> Appended { try await lane.append(append) }

    public func page(_ read: Read) async throws -> Page {
        let read = try read.checked()
        if read.settles {
            let now = Timestamp.microseconds(of: context.now())
            try await database.write { db in try SQLiteReading.settle(at: now, db) }
        }
        return try await database.read { db in try SQLiteReading.page(read, db) }
    }

    public func wait(beyond position: Position) async throws { try await hub.wait(beyond: position) }

    public func close() async {
        hub.close()
        await watcher.close()
        await lane.close()
        await database.close()
    }
}

extension SQLiteEventStore: LoadReporting {
    public func load() -> StoreLoad {
        let reads = database.reads
        return StoreLoad(
            connections: SQLiteDatabase.readers, busyConnections: min(reads, SQLiteDatabase.readers),
            waitingReads: max(0, reads - SQLiteDatabase.readers), waitingAppends: lane.waiting)
    }
}
#else
@available(*, unavailable, message: "Enable the `SQLite` trait in the dependency on disco to use this type.")
public struct SQLiteEventStore {}
#endif
