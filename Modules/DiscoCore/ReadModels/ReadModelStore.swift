/// The database of read models, apart from the event store, which may be another one or remote.
///
/// Bodies are synchronous and run on the adapter's own thread: none sits on the writer across an `await`.
public protocol ReadModelStore: CheckpointStore {
    /// Runs `body` and stores the step in one transaction: both take effect, or neither. In a task that was cancelled
    /// too.
    func commit(_ step: ConsumerStep, _ body: @escaping @Sendable (SQLTransaction) throws -> Void) async throws

    /// Runs `body` in a transaction that may write, without a checkpoint.
    func write(_ body: @escaping @Sendable (SQLTransaction) throws -> Void) async throws

    /// Runs `body`, which makes tables where they are missing, in a transaction; of two processes that do so at once the
    /// second waits for the first.
    func setUp(_ body: @escaping @Sendable (SQLTransaction) throws -> Void) async throws

    /// Runs `body` on a snapshot.
    func read<Result: Sendable>(
        _ body: @escaping @Sendable (SQLTransaction) throws -> Result
    ) async throws -> Result

    /// Ends it: later calls throw ``EventStoreError/Code/closed``.
    func close() async
}
