/// A read model store on an SQL database: the adapter runs transactions, and this protocol does the rest.
///
/// The database has the tables `disco_partitions`, `disco_held` and `disco_changes`: see the migrations
/// `…_0001_read_models.sql`.
public protocol SQLReadModelStore: ReadModelStore {
    /// The context the store was opened with.
    var context: StoreContext { get }

    /// Runs `body` in one transaction, on the adapter's own thread, and commits it when `body` returns.
    ///
    /// A database error that `body` swallowed is thrown after it. A transaction that writes runs to its end, even if
    /// the calling task is cancelled.
    func transaction<Result: Sendable>(
        _ access: SQLAccess, _ body: @escaping @Sendable (any SQLConnection) throws -> Result
    ) async throws -> Result

    /// Returns the change count, as given by ``revision(_:)``, once it exceeds `seen`; for -1, returns at once.
    func changes(beyond seen: Int64) async throws -> Int64

    /// Tells others that consumers were claimed or reset here, and that the change count is now `revision`.
    func changed(to revision: Int64)
}

/// What a transaction may do.
public enum SQLAccess: Hashable, Sendable {
    /// Reads one snapshot.
    case read
    case write
    /// Creates tables; if two processes do so at once, the second waits for the first.
    case setUp
}

extension SQLReadModelStore {
    public func partitions(of consumer: String?) async throws -> [PartitionState] {
        if let consumer { try ConsumerPartition(consumer).check() }
        return try await transaction(.read) { try ConsumerTables($0).partitions(of: consumer) }
    }

    public func held(by partition: ConsumerPartition) async throws -> [HeldEvent] {
        try partition.check()
        return try await transaction(.read) { try ConsumerTables($0).held(by: partition) }
    }

    public func save(_ step: ConsumerStep) async throws { try await commit(step) { _ in } }

    public func commit(
        _ step: ConsumerStep, _ body: @escaping @Sendable (SQLTransaction) throws -> Void
    ) async throws {
        try step.check()
        let now = context.now()
        try await transaction(.write) { connection in
            let tables = ConsumerTables(connection)
            try tables.move(step, at: now)
            try body(SQLTransaction(connection))
            try tables.hold(step)
        }
    }

    public func claim(_ partition: ConsumerPartition, by owner: String) async throws -> PartitionState {
        try partition.check()
        try Task.checkCancellation()
        let now = context.now()
        let (state, revision) = try await transaction(.write) { connection in
            let tables = ConsumerTables(connection)
            return (try tables.claim(partition, by: owner, at: now), try tables.revision())
        }
        changed(to: revision)
        return state
    }

    public func reset(_ consumer: String) async throws {
        try ConsumerPartition(consumer).check()
        try Task.checkCancellation()
        let revision = try await transaction(.write) { connection in
            let tables = ConsumerTables(connection)
            try tables.reset(consumer)
            return try tables.revision()
        }
        changed(to: revision)
    }

    /// How often consumers have been claimed or reset.
    public static func revision(_ connection: any SQLConnection) throws -> Int64 {
        try ConsumerTables(connection).revision()
    }

    public func changes() -> ConsumerChanges { ConsumerChanges { seen in try await changes(beyond: seen) } }

    public func write(_ body: @escaping @Sendable (SQLTransaction) throws -> Void) async throws {
        try Task.checkCancellation()
        try await transaction(.write) { try body(SQLTransaction($0)) }
    }

    public func setUp(_ body: @escaping @Sendable (SQLTransaction) throws -> Void) async throws {
        try Task.checkCancellation()
        try await transaction(.setUp) { try body(SQLTransaction($0)) }
    }

    public func read<Result: Sendable>(
        _ body: @escaping @Sendable (SQLTransaction) throws -> Result
    ) async throws -> Result {
        try await transaction(.read) { try body(SQLTransaction($0)) }
    }
}
