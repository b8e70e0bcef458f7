#if Postgres
public import DiscoCore
import DiscoEventStore
import DiscoMigrations
import Foundation

/// An event store in a schema of a PostgreSQL database, for deployments with several processes and machines.
///
/// Appends share disk flushes and the store's lock (group commit); positions have no gaps and become visible in
/// order. When `append` returns, its events are on disk, and on the standby if the server is configured to wait for
/// it.
///
/// ```swift
/// let store = try await PostgresEventStore.open(.init(url: "postgresql://app@localhost/app"))
/// let client = EventStoreClient(store)
/// ```
public final class PostgresEventStore: EventStore {
    public let settings: Settings
    public let context: StoreContext
    let pool: PostgresPool
    let reading: PostgresReading
    private let hub = WakeUpHub()
    private let lane: AppendLane
    private let listener: PostgresListener
    private let notifier: PostgresNotifier?
    private let storeIdentity: StoreIdentity

    /// How reads are planned: a walk along an index, in order, up to the limit. A plan that is made while a table
    /// is empty, or before it is analyzed, must not later read the whole table, by a scan or by a bitmap and a
    /// sort. Forbidding that makes plans for small tables look so expensive that they would be JIT-compiled, hence
    /// `jit = off`. Generic plans are forced because planning a page takes as long as reading it.
    static let planning = [
        "enable_seqscan = off", "enable_bitmapscan = off", "jit = off", "plan_cache_mode = force_generic_plan",
    ]

    /// Settings that the store relies on, and for which a role or database may have other defaults: only the
    /// store's own limit ends a statement, and unqualified names are the server's.
    static let relied = [
        "statement_timeout = 0", "lock_timeout = 0", "idle_in_transaction_session_timeout = 0",
        "idle_session_timeout = 0", "search_path = pg_catalog",
    ]

    /// Connects, creates or migrates the tables unless the settings forbid it, and checks that the server is as
    /// durable as a store promises.
    ///
    /// - Throws: ``/DiscoCore/EventStoreError`` if the settings are invalid, or the server cannot be reached, is
    ///   less durable than promised, or was migrated by a later version.
    public static func open(
        _ settings: Settings, context: StoreContext = .system
    ) async throws -> PostgresEventStore {
        try settings.check()
        let trouble = PostgresTrouble("The event store \(settings.schema)", context)
        let pool = PostgresPool(
            name: "disco-read", size: settings.readers, settings.connection.options,
            // Not for a pooler's server connections, which are shared with others.
            setUp: settings.connection.preparesStatements
                ? (Self.planning + Self.relied).map { PostgresStatement("SET " + $0) } : [], trouble: trouble)
        do {
            let (identity, head) = try await pool.run { connection in
                try Self.checkServer(settings, connection)
                try PostgresMigrator(
                    schema: settings.tables, migrates: settings.migrates, migrations: Migration.postgresEventStore
                ).run(connection)
                return (
                    try Self.identity(settings, connection), try PostgresReading(settings).head(connection)
                )
            }
            trouble.opened()
            return PostgresEventStore(settings, context, pool, trouble, identity, head)
        } catch {
            await pool.close()
            throw error
        }
    }

    private init(
        _ settings: Settings, _ context: StoreContext, _ pool: PostgresPool, _ trouble: PostgresTrouble,
        _ identity: StoreIdentity, _ head: Position
    ) {
        self.settings = settings
        self.context = context
        self.pool = pool
        reading = PostgresReading(settings)
        storeIdentity = identity
        hub.advance(to: head)
        let (options, tables) = (settings.connection.options, settings.tables)
        let name = "The event store \(settings.schema)"
        let isTold = settings.connection.notifications != .off
        notifier = isTold ? PostgresNotifier(options, channel: tables.channel, subject: name, context) : nil
        // Two, so that the server does not wait for the next batch to be prepared and sent.
        lane = AppendLane(
            name: "disco-append",
            appenders: (0..<2).map { [settings, hub, notifier] _ in
                PostgresAppender(settings, hub: hub, notifier: notifier, trouble: trouble)
            })
        listener = PostgresListener(
            settings.connection,
            .init(name: name, channel: tables.channel) { [reading] connection in try reading.head(connection) },
            context, hub: hub)
    }

    private static func checkServer(_ settings: Settings, _ connection: PostgresConnection) throws {
        let result = try connection.run(
            """
            SELECT current_setting('server_encoding'), current_setting('fsync'), current_setting('synchronous_commit'),
                current_setting('full_page_writes'), current_setting('server_version_num')::bigint
            """)
        guard result.text(0, 0) == "UTF8" else {
            throw EventStoreError(
                .unavailable,
                "The database's encoding is \(result.text(0, 0)); Disco requires UTF8. Create the database with ENCODING 'UTF8'."
            )
        }
        guard result.int(0, 4) >= 140_000 else {
            throw EventStoreError(
                .unavailable, "The server's version is \(result.int(0, 4)); Disco requires PostgreSQL 14 or later.")
        }
        let weak = [("fsync", 1), ("synchronous_commit", 2), ("full_page_writes", 3)].filter {
            result.text(0, Int32($0.1)) == "off"
        }
        if !weak.isEmpty, !settings.allowsWeakDurability {
            throw EventStoreError(
                .notDurable,
                "The server may lose acknowledged appends: \(weak.map { $0.0 + " = off" }.joined(separator: ", ")). "
                    + "Change the server's settings, or allow weak durability in the store's settings.")
        }
    }

    private static func identity(
        _ settings: Settings, _ connection: PostgresConnection
    ) throws -> StoreIdentity {
        let result = try connection.run(settings.sql("SELECT id, epoch FROM \"disco\".store"))
        guard result.count == 1, let id = result.uuid(0, 0) else {
            throw EventStoreError(
                .corrupt,
                result.count == 0
                    ? "The event store has lost its identity: its table `store` is empty."
                    : "The event store has \(result.count) identities: the data of a dump was restored into a store that was already migrated. Drop the schema \(settings.schema) and restore the whole dump, schema and data."
            )
        }
        return StoreIdentity(store: id, epoch: Int(result.int(0, 1)))
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
        return try await pool.run { [reading] connection in
            if read.settles { try reading.settle(connection) }
            return try reading.page(read, connection)
        }
    }

    public func wait(beyond position: Position) async throws { try await hub.wait(beyond: position) }

    public func close() async {
        hub.close()
        await lane.close()
        await notifier?.close()
        await listener.close()
        await pool.close()
    }
}

extension PostgresEventStore: LoadReporting {
    public func load() -> StoreLoad {
        let (busy, waiting) = pool.load
        return StoreLoad(
            connections: settings.readers, busyConnections: busy, waitingReads: waiting, waitingAppends: lane.waiting)
    }
}
#else
@available(*, unavailable, message: "Enable the `Postgres` trait in the dependency on disco to use this type.")
public struct PostgresEventStore {}
#endif
