#if Postgres
public import DiscoCore
import DiscoEventStore
import DiscoMigrations
import Foundation

/// A store of read models, checkpoints and held events in its own schema of a PostgreSQL database, the same as the
/// events' or another one.
public final class PostgresReadModelStore: SQLReadModelStore, ProgressKeeping {
    private let settings: Settings
    private let pool: PostgresPool
    /// One connection for the members that share consumers: a long transaction must not delay a renewal.
    private let members: PostgresPool
    private let hub = WakeUpHub()
    package let consumerProgress = ConsumerProgress()
    public let context: StoreContext

    /// Dedicated connections, created when a caller first waits for changes or makes one.
    private struct Telling: Sendable {
        var listener: PostgresListener?
        var notifier: PostgresNotifier?
    }

    private let telling = Locked(Telling())

    /// Connects, and creates or migrates the tables unless the settings forbid it.
    ///
    /// - Parameters:
    ///   - settings: the settings, with a schema other than an event store's.
    ///   - context: clock, ids and logger.
    /// - Throws: ``/DiscoCore/EventStoreError``.
    public static func open(
        _ settings: Settings, context: StoreContext = .system
    ) async throws -> PostgresReadModelStore {
        try settings.check()
        let trouble = PostgresTrouble("The read models \(settings.schema)", context)
        func makePool(_ name: String, size: Int) -> PostgresPool {
            PostgresPool(
                name: name, size: size, settings.connection.options,
                setUp: settings.connection.preparesStatements
                    ? PostgresEventStore.relied.map { PostgresStatement("SET " + $0) } : [],
                trouble: trouble)
        }
        let pool = makePool("disco-models", size: settings.readers)
        do {
            try await pool.run { connection in
                try PostgresMigrator(
                    schema: settings.tables, migrates: settings.migrates, migrations: Migration.postgresReadModels
                ).run(connection)
            }
        } catch {
            await pool.close()
            throw error
        }
        trouble.opened()
        return PostgresReadModelStore(settings, context, pool, members: makePool("disco-members", size: 1))
    }

    private init(_ settings: Settings, _ context: StoreContext, _ pool: PostgresPool, members: PostgresPool) {
        self.settings = settings
        self.context = context
        self.pool = pool
        self.members = members
    }

    public func transaction<Result: Sendable>(
        _ access: SQLAccess, _ body: @escaping @Sendable (any SQLConnection) throws -> Result
    ) async throws -> Result {
        let isReading = access == .read
        // A change runs to completion even if the calling task is cancelled.
        let pool = access == .membership ? members : pool
        return try await pool.run(isRepeatable: isReading, isCancellable: isReading) {
            [schema = settings.tables, begin = begin(access)] connection in
            try Self.transaction(begin, schema, connection) {
                if access == .setUp {
                    // Two concurrent CREATE TABLE IF NOT EXISTS collide in the catalog. Another process's set-up
                    // may take time.
                    _ = try connection.run(
                        schema.sql("SELECT pg_advisory_xact_lock(hashtextextended('disco set-up \"disco\"', 0))"),
                        timeout: .seconds(600))
                }
                return try Self.run(body, connection, isReading: isReading)
            }
        }
    }

    public func changes(beyond seen: Int64) async throws -> Int64 {
        if seen < 0 {
            listen()
            return try await transaction(.read) { try Self.revision($0) }
        }
        try await hub.wait(beyond: Position(rawValue: seen))
        return hub.head.rawValue
    }

    public func changed(to revision: Int64) {
        hub.advance(to: Position(rawValue: revision))
        if settings.connection.notifications == .off { return }
        let notifier = telling.withLock { telling in
            let notifier =
                telling.notifier
                ?? PostgresNotifier(
                    settings.connection.options, channel: settings.tables.channel, subject: name, context)
            telling.notifier = notifier
            return notifier
        }
        notifier.notify()
    }

    private var name: String { "The read models \(settings.schema)" }

    private func listen() {
        let revision = settings.tables.sql("SELECT revision FROM \"disco\".disco_changes")
        telling.withLock { telling in
            if telling.listener != nil { return }
            telling.listener = PostgresListener(
                settings.connection,
                .init(name: name, channel: settings.tables.channel) { connection in
                    let result = try connection.run(revision)
                    return result.count == 0 ? .start : Position(rawValue: result.int(0, 0))
                }, context, hub: hub)
        }
    }

    public func close() async {
        hub.close()
        let telling = telling.withLock { $0 }
        await telling.notifier?.close()
        await telling.listener?.close()
        await members.close()
        await pool.close()
    }

    private static func run<Result>(
        _ body: (any SQLConnection) throws -> Result, _ connection: PostgresConnection, isReading: Bool = false
    ) throws -> Result {
        let sql = PostgresSQLConnection(connection: connection, isReading: isReading)
        do {
            let result = try body(sql)
            try sql.finish()
            if let failure = sql.trouble.failure { throw failure }
            return result
        } catch {
            throw sql.trouble.failure ?? error
        }
    }

    private func begin(_ access: SQLAccess) -> String {
        let mode = access == .read ? "REPEATABLE READ READ ONLY" : "READ COMMITTED READ WRITE"
        // A process that is suspended in the middle must not keep its rows locked. A reader locks none.
        let idle = access == .read ? 0 : Int(settings.idleTimeout / .milliseconds(1))
        return "BEGIN ISOLATION LEVEL \(mode); \(Self.relied); SET LOCAL idle_in_transaction_session_timeout = \(idle)"
    }

    private static func transaction<Result>(
        _ begin: String, _ schema: PostgresSchema, _ connection: PostgresConnection, _ body: () throws -> Result
    ) throws -> Result {
        try connection.run(script: schema.sql(begin))
        do {
            let result = try body()
            try connection.commitOrDoubt()
            return result
        } catch {
            try? connection.run(script: "ROLLBACK")
            throw error
        }
    }

    /// Settings that values and names depend on, whatever the defaults of the role or the database: unqualified
    /// names are tables of the read models, and times and bytes come in the form that is parsed here. They apply
    /// only to the transaction, because poolers pass the server connection on.
    private static let relied = """
        SET LOCAL search_path = "disco", public; SET LOCAL datestyle = 'ISO, YMD'; SET LOCAL timezone = 'UTC';
        SET LOCAL intervalstyle = 'postgres'; SET LOCAL bytea_output = 'hex'; SET LOCAL extra_float_digits = 1;
        SET LOCAL statement_timeout = 0; SET LOCAL lock_timeout = 0
        """
}
#else
@available(*, unavailable, message: "Enable the `Postgres` trait in the dependency on disco to use this type.")
public struct PostgresReadModelStore {}
#endif
