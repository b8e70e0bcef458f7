/// Remembers how far consumers have come: all that a policy needs.
public protocol CheckpointStore: Sendable {
    /// ``Checkpoint/start`` for a consumer nobody knows.
    func checkpoint(of consumer: String) async throws -> Checkpoint

    /// The events that wait, in order of position.
    func held(by consumer: String) async throws -> [HeldEvent]

    /// The names of all consumers that have a checkpoint, sorted.
    func consumers() async throws -> [String]

    /// Stores a step, if the checkpoint is still the one it begins from (compare and set).
    ///
    /// It is called in a task that was cancelled too, and does its work all the same: what was processed is not to be
    /// processed again.
    func save(_ progress: ConsumerStep) async throws

    /// Forgets the checkpoint and what is held: the consumer starts anew.
    func reset(_ consumer: String) async throws
}

/// The database of read models, apart from the event store, which may be another one or remote.
///
/// Bodies are synchronous and run on the adapter's own thread: none sits on the writer across an `await`.
public protocol ReadModelStore: CheckpointStore {
    /// Runs `body` and stores the step in one transaction: both take effect, or neither. In a task that was cancelled
    /// too.
    func commit(_ progress: ConsumerStep, _ body: @escaping @Sendable (SQLTransaction) throws -> Void) async throws

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

extension ReadModelStore {
    /// By ``write(_:)``: enough for a store that has one writer at a time.
    public func setUp(_ body: @escaping @Sendable (SQLTransaction) throws -> Void) async throws {
        try await write(body)
    }
}
