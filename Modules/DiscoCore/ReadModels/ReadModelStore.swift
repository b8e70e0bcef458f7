/// The database of read models, separate from the event store, which may be another database or remote.
///
/// Bodies are synchronous and run on the adapter's own thread: none holds the writer across an `await`.
public protocol ReadModelStore: CheckpointStore {
    /// Runs `body` and stores the step in one transaction: both take effect, or neither. It must also complete in a
    /// cancelled task.
    func commit(_ step: ConsumerStep, _ body: @escaping @Sendable (SQLTransaction) throws -> Void) async throws

    /// Runs `body` in a transaction that may write, without a checkpoint.
    func write(_ body: @escaping @Sendable (SQLTransaction) throws -> Void) async throws

    /// Runs `body`, which creates missing tables, in a transaction; if two processes do so at once, the second waits
    /// for the first.
    ///
    /// - Parameters:
    ///   - consumer: the projection whose tables they are; `nil` for tables that belong to none.
    ///   - generation: the generation of the projection's tables.
    ///   - body: creates the tables.
    func setUp(
        _ consumer: String?, generation: Int, _ body: @escaping @Sendable (SQLTransaction) throws -> Void
    ) async throws

    /// Runs `body` on a snapshot.
    func read<Result: Sendable>(
        _ body: @escaping @Sendable (SQLTransaction) throws -> Result
    ) async throws -> Result

    /// Closes the store: later calls throw ``EventStoreError/Code/closed``.
    func close() async
}

extension ReadModelStore {
    /// Creates missing tables that belong to no projection.
    public func setUp(_ body: @escaping @Sendable (SQLTransaction) throws -> Void) async throws {
        try await setUp(nil, generation: 1, body)
    }
}
