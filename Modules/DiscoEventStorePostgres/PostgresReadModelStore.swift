#if Postgres
    public import DiscoCore
    import DiscoEventStore
    import DiscoMigrations
    import Foundation

    /// Read models, checkpoints and held events in a schema of their own of a PostgreSQL database, the same as the
    /// events' or another one.
    public final class PostgresReadModelStore: ReadModelStore {
        private let settings: PostgresSettings
        private let pool: PostgresPool

        /// Connects, and makes or migrates the tables unless the settings forbid it.
        ///
        /// - Parameter settings: a schema other than that of an event store.
        /// - Throws: ``EventStoreError``.
        public static func open(_ settings: PostgresSettings) async throws -> PostgresReadModelStore {
            try settings.check()
            let pool = PostgresPool(
                name: "disco-models", size: settings.readers, settings.connection,
                setUp: settings.preparesStatements
                    ? PostgresEventStore.relied.map { PostgresStatement("SET " + $0) } : [])
            do {
                try await pool.run { connection in
                    try PostgresMigrator(settings: settings, migrations: Migration.postgresReadModels).run(connection)
                }
            } catch {
                await pool.close()
                throw error
            }
            return PostgresReadModelStore(settings, pool)
        }

        private init(_ settings: PostgresSettings, _ pool: PostgresPool) {
            self.settings = settings
            self.pool = pool
        }

        public func checkpoint(of consumer: String) async throws -> Checkpoint {
            try NameCheck.argument.check(consumer: consumer)
            return try await pool.run { [settings] connection in try Self.checkpoint(of: consumer, settings, connection)
            }
        }

        public func consumers() async throws -> [String] {
            try await pool.run { [settings] connection in
                let result = try connection.run(
                    settings.sql("SELECT DISTINCT consumer FROM \"disco\".disco_checkpoints ORDER BY consumer"))
                return (0..<result.count).map { result.text($0, 0) }
            }
        }

        public func held(by consumer: String) async throws -> [HeldEvent] {
            try NameCheck.argument.check(consumer: consumer)
            return try await pool.run { [settings] connection in
                let result = try connection.run(
                    settings.sql(
                        """
                        SELECT position, key, attempts, retry_at, reason FROM "disco".disco_held
                        WHERE consumer = $1 AND partition = 0 ORDER BY position
                        """), [.text(consumer)])
                return (0..<result.count).map { row in
                    HeldEvent(
                        position: Position(rawValue: result.int(row, 0)), stream: StreamID(result.text(row, 1)),
                        attempts: Int(result.int(row, 2)), retryAt: result.isNull(row, 3) ? nil : result.date(row, 3),
                        reason: result.text(row, 4))
                }
            }
        }

        public func save(_ progress: ConsumerStep) async throws { try await commit(progress) { _ in } }

        public func commit(
            _ progress: ConsumerStep, _ body: @escaping @Sendable (SQLTransaction) throws -> Void
        ) async throws {
            try progress.check()
            try await transaction { [settings] connection in
                // First the checkpoint, which locks its row: of two that are at it one waits here, and then finds it
                // moved.
                try Self.move(progress, settings, connection)
                try Self.run(body, connection)
                try Self.store(progress, settings, connection)
            }
        }

        public func reset(_ consumer: String) async throws {
            try NameCheck.argument.check(consumer: consumer)
            try Task.checkCancellation()
            try await transaction { [settings] connection in
                for table in ["disco_checkpoints", "disco_held"] {
                    _ = try connection.run(
                        settings.sql("DELETE FROM \"disco\".\(table) WHERE consumer = $1"), [.text(consumer)])
                }
            }
        }

        public func write(_ body: @escaping @Sendable (SQLTransaction) throws -> Void) async throws {
            try Task.checkCancellation()
            try await transaction { connection in try Self.run(body, connection) }
        }

        public func setUp(_ body: @escaping @Sendable (SQLTransaction) throws -> Void) async throws {
            try Task.checkCancellation()
            try await transaction { [settings] connection in
                // CREATE TABLE IF NOT EXISTS of two at once collides in the catalog. Another's may take its time.
                _ = try connection.run(
                    settings.sql("SELECT pg_advisory_xact_lock(hashtextextended('disco set-up \"disco\"', 0))"),
                    timeout: .seconds(600))
                try Self.run(body, connection)
            }
        }

        @discardableResult
        private static func run<Result>(
            _ body: (SQLTransaction) throws -> Result, _ connection: PostgresConnection, isReading: Bool = false
        ) throws -> Result {
            let sql = PostgresSQLConnection(connection: connection, isReading: isReading)
            do {
                let result = try body(SQLTransaction(sql))
                if let failure = sql.trouble.failure { throw failure }
                return result
            } catch {
                throw sql.trouble.failure ?? error
            }
        }

        public func read<Result: Sendable>(
            _ body: @escaping @Sendable (SQLTransaction) throws -> Result
        ) async throws -> Result {
            try await pool.run { [settings] connection in
                try Self.transaction("REPEATABLE READ READ ONLY", settings, connection) {
                    try Self.run(body, connection, isReading: true)
                }
            }
        }

        public func close() async { await pool.close() }

        /// Runs to its end, whatever becomes of the calling task.
        private func transaction(_ body: @escaping @Sendable (PostgresConnection) throws -> Void) async throws {
            try await pool.run(isRepeatable: false, isCancellable: false) { [settings] connection in
                try Self.transaction("READ COMMITTED READ WRITE", settings, connection) { try body(connection) }
            }
        }

        private static func transaction<Result>(
            _ mode: String, _ settings: PostgresSettings, _ connection: PostgresConnection, _ body: () throws -> Result
        ) throws -> Result {
            try connection.run(script: settings.sql("BEGIN ISOLATION LEVEL \(mode); \(relied)"))
            do {
                let result = try body()
                try connection.commitOrDoubt()
                return result
            } catch {
                try? connection.run(script: "ROLLBACK")
                throw error
            }
        }

        /// What values and names depend on, whatever the role's or the database's defaults are: unqualified names are tables
        /// of the read models, and times and bytes come in the form that is read here. For the transaction alone: poolers
        /// hand the server connection on.
        private static let relied = """
            SET LOCAL search_path = "disco", public; SET LOCAL datestyle = 'ISO, YMD'; SET LOCAL timezone = 'UTC';
            SET LOCAL intervalstyle = 'postgres'; SET LOCAL bytea_output = 'hex'; SET LOCAL extra_float_digits = 1;
            SET LOCAL statement_timeout = 0; SET LOCAL lock_timeout = 0; SET LOCAL idle_in_transaction_session_timeout = 0
            """

        private static func checkpoint(
            of consumer: String, _ settings: PostgresSettings, _ connection: PostgresConnection
        ) throws -> Checkpoint {
            let result = try connection.run(
                settings.sql(
                    """
                    SELECT position, event_id, store, epoch FROM "disco".disco_checkpoints WHERE consumer = $1 AND partition = 0
                    """), [.text(consumer)])
            if result.count == 0 { return .start }
            return Checkpoint(
                position: Position(rawValue: result.int(0, 0)), eventID: result.uuid(0, 1),
                store: result.uuid(0, 2).map { StoreIdentity(store: $0, epoch: Int(result.int(0, 3))) })
        }

        /// Compare and set, in one statement.
        private static func move(
            _ progress: ConsumerStep, _ settings: PostgresSettings, _ connection: PostgresConnection
        ) throws {
            func values(_ checkpoint: Checkpoint) -> [PostgresValue] {
                [
                    checkpoint.store.map { .uuid($0.store) } ?? .null,
                    checkpoint.store.map { .int(Int64($0.epoch)) } ?? .null,
                    .int(checkpoint.position.rawValue), checkpoint.eventID.map { .uuid($0) } ?? .null,
                ]
            }
            let moved: PostgresResult
            if progress.from == .start {
                // A row that says the start is as good as none.
                moved = try connection.run(
                    settings.sql(
                        """
                        INSERT INTO "disco".disco_checkpoints AS c (consumer, store, epoch, position, event_id)
                        VALUES ($1, $2::uuid, $3::bigint, $4, $5::uuid)
                        ON CONFLICT (consumer, partition) DO UPDATE
                        SET store = excluded.store, epoch = excluded.epoch, position = excluded.position,
                            event_id = excluded.event_id, updated_at = clock_timestamp()
                        WHERE c.position = 0 AND c.store IS NULL AND c.event_id IS NULL
                        """), [.text(progress.consumer)] + values(progress.to))
            } else {
                moved = try connection.run(
                    settings.sql(
                        """
                        UPDATE "disco".disco_checkpoints
                        SET store = $2::uuid, epoch = $3::bigint, position = $4, event_id = $5::uuid, updated_at = clock_timestamp()
                        WHERE consumer = $1 AND partition = 0 AND store IS NOT DISTINCT FROM $6::uuid
                            AND epoch IS NOT DISTINCT FROM $7::bigint AND position = $8 AND event_id IS NOT DISTINCT FROM $9::uuid
                        """), [.text(progress.consumer)] + values(progress.to) + values(progress.from))
            }
            if moved.changed != 1 { throw EventStoreError.checkpointMoved(progress.consumer) }
        }

        private static func store(
            _ progress: ConsumerStep, _ settings: PostgresSettings, _ connection: PostgresConnection
        ) throws {
            func run(_ sql: String, _ values: [PostgresValue]) throws {
                let result = try connection.run(settings.sql(sql), [.text(progress.consumer)] + values)
                if result.changed != 1 { throw EventStoreError.checkpointMoved(progress.consumer) }
            }
            for position in progress.release {
                try run(
                    "DELETE FROM \"disco\".disco_held WHERE consumer = $1 AND position = $2", [.int(position.rawValue)])
            }
            for held in progress.hold {
                let values: [PostgresValue] = [
                    .int(held.position.rawValue), .int(Int64(held.attempts)),
                    held.retryAt.map { .time(Timestamp.microseconds(of: $0)) } ?? .null, .text(held.reason),
                ]
                if held.position <= progress.from.position {
                    try run(
                        """
                        UPDATE "disco".disco_held SET attempts = $3, retry_at = $4::timestamptz, reason = $5
                        WHERE consumer = $1 AND position = $2 AND attempts = $3 - 1
                        """, values)
                } else {
                    try run(
                        """
                        INSERT INTO "disco".disco_held (consumer, position, attempts, retry_at, reason, key)
                        VALUES ($1, $2, $3, $4::timestamptz, $5, $6) ON CONFLICT DO NOTHING
                        """, values + [.text(held.stream.name)])
                }
            }
        }
    }
#else
    @available(*, unavailable, message: "Enable the `Postgres` trait in the dependency on disco to use this type.")
    public struct PostgresReadModelStore {}
#endif
