import Foundation

/// A read model store on an SQL database: the adapter runs transactions, and this protocol does the rest.
///
/// The database has the tables of the migrations `…_0001_read_models.sql` and `…_0002_consumers.sql`.
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

    /// Tells others that consumers were changed here, and that the change count is now `revision`.
    func changed(to revision: Int64)
}

/// What a transaction may do.
public enum SQLAccess: Hashable, Sendable {
    /// Reads one snapshot.
    case read
    case write
    /// Creates tables; if two processes do so at once, the second waits for the first.
    case setUp
    /// Reads and writes the table `disco_members`, on a connection of its own: no other transaction may delay it.
    case membership
}

// MARK: Progress

extension SQLReadModelStore {
    public func partitions(of consumer: String?) async throws -> [PartitionState] {
        if let consumer { try ConsumerPartition(consumer).check() }
        return try await transaction(.read) { try ConsumerTables($0).partitions(of: consumer) }
    }

    public func held(by partition: ConsumerPartition) async throws -> [HeldStream] {
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
            try body(SQLTransaction(connection, GenerationTables(step.partition.generation)))
            try tables.hold(step)
        }
    }

    public func changes() -> ConsumerChanges { ConsumerChanges { seen in try await changes(beyond: seen) } }

    /// How often something was changed that running consumers must notice.
    public static func revision(_ connection: any SQLConnection) throws -> Int64 {
        try ConsumerTables(connection).revision()
    }

    /// Makes a change that others must notice.
    private func changing<Result: Sendable>(
        _ body: @escaping @Sendable (ConsumerTables) throws -> Result
    ) async throws -> Result {
        let (result, before, after) = try await transaction(.write) { connection in
            let tables = ConsumerTables(connection)
            let before = try tables.revision()
            return (try body(tables), before, try tables.revision())
        }
        if after > before { changed(to: after) }
        return result
    }
}

// MARK: Leases

extension SQLReadModelStore {
    public func consumers() async throws -> [ConsumerState] {
        try await transaction(.read) { try ConsumerTables($0).consumers() }
    }

    public func define(_ definition: ConsumerDefinition, at checkpoint: Checkpoint) async throws {
        try ConsumerPartition(definition.name).check()
        try Task.checkCancellation()
        let now = context.now()
        try await changing { try $0.define(definition, checkpoint, at: now) }
    }

    public func claim(_ partitions: [PartitionState], for member: String) async throws -> [PartitionState] {
        for state in partitions { try state.partition.check() }
        try Task.checkCancellation()
        return try await changing { try $0.claim(partitions, for: member) }
    }

    public func release(_ partition: ConsumerPartition, _ lease: PartitionLease) async throws {
        try partition.check()
        try await changing { try $0.release(partition, lease) }
    }

    public func join(_ member: ConsumerMember, for lease: Duration) async throws {
        try Task.checkCancellation()
        try await withMembers { try $0.join(member, for: lease) }
        // Others look who is there.
        try await changing { try $0.change() }
    }

    public func renew(_ member: String, for lease: Duration) async throws -> Bool {
        try await withMembers { try $0.renew(member, for: lease) }
    }

    public func leave(_ member: String) async throws { try await withMembers { try $0.leave(member) } }

    public func members() async throws -> [MemberState] { try await withMembers { try $0.members() } }

    private func withMembers<Result: Sendable>(
        _ body: @escaping @Sendable (MemberTable) throws -> Result
    ) async throws -> Result {
        let context = context
        return try await transaction(.membership) { connection in
            let now = try connection.now() ?? Timestamp.microseconds(of: context.now())
            return try body(MemberTable(transaction: SQLTransaction(connection), now: now))
        }
    }
}

// MARK: Administration

extension SQLReadModelStore {
    @discardableResult
    public func decide(_ decision: HeldDecision) async throws -> [HeldStream] {
        try ConsumerPartition(decision.consumer).check()
        guard decision.action == .retry || decision.reason.contains(where: { !$0.isWhitespace }) else {
            throw EventStoreError(.invalidArgument, "To discard events, give a reason; it is kept in the audit log.")
        }
        try Task.checkCancellation()
        let now = context.now()
        return try await changing { try $0.decide(decision, at: now) }
    }

    public func audit(of consumer: String, limit: Int) async throws -> [HeldAudit] {
        try ConsumerPartition(consumer).check()
        return try await transaction(.read) { try ConsumerTables($0).audit(of: consumer, limit: limit) }
    }

    public func administer(_ consumer: String, _ action: ConsumerAction) async throws {
        try ConsumerPartition(consumer).check()
        try Task.checkCancellation()
        let now = context.now()
        try await changing { try $0.administer(consumer, action, at: now) }
    }
}

// MARK: Read models

extension SQLReadModelStore {
    public func write(_ body: @escaping @Sendable (SQLTransaction) throws -> Void) async throws {
        try Task.checkCancellation()
        try await transaction(.write) { try body(SQLTransaction($0)) }
    }

    public func setUp(
        _ consumer: String?, generation: Int, _ body: @escaping @Sendable (SQLTransaction) throws -> Void
    ) async throws {
        if let consumer { try ConsumerPartition(consumer, generation: generation).check() }
        try Task.checkCancellation()
        try await transaction(.setUp) { connection in
            guard let consumer else { return try body(SQLTransaction(connection)) }
            let tables = GenerationTables(generation)
            try body(SQLTransaction(connection, tables))
            try ConsumerTables(connection).register(tables.used.sorted(), of: consumer, generation)
        }
    }

    public func read<Result: Sendable>(
        _ body: @escaping @Sendable (SQLTransaction) throws -> Result
    ) async throws -> Result {
        try await transaction(.read) { try body(SQLTransaction($0)) }
    }
}
