import DiscoCore

/// A read model store without tables, whose checkpoints the test moves.
final class Bookmarks: ReadModelStore {
    private struct NoRows: SQLConnection {
        func run(_ sql: SQLStatement) throws -> SQLResult { SQLResult() }
    }

    private struct State: Sendable {
        var positions: [String: Position] = [:]
        var held: [String: [HeldEvent]] = [:]
        var isUnreachable = false
        var asked = 0
    }

    private let state = Locked(State())

    /// How often a checkpoint was read.
    var asked: Int { state.withLock { $0.asked } }

    func move(_ consumer: String, to position: Position) { state.withLock { $0.positions[consumer] = position } }

    func hold(_ consumer: String, _ positions: Position...) {
        let events = positions.map {
            HeldEvent(position: $0, stream: "wallet-1", attempts: 1, retryAt: nil, reason: "trouble")
        }
        state.withLock { $0.held[consumer] = events }
    }

    func setUnreachable(_ isUnreachable: Bool) { state.withLock { $0.isUnreachable = isUnreachable } }

    func partitions(of consumer: String?) async throws -> [PartitionState] {
        try state.withLock { state in
            state.asked += 1
            if state.isUnreachable { throw EventStoreError(.unavailable, "The read models cannot be reached.") }
            return state.positions.filter { consumer == nil || $0.key == consumer }.sorted { $0.key < $1.key }
                .map { PartitionState(partition: ConsumerPartition($0), checkpoint: Checkpoint(position: $1)) }
        }
    }

    func held(by partition: ConsumerPartition) async throws -> [HeldEvent] {
        state.withLock { $0.held[partition.consumer] ?? [] }
    }
    func save(_ step: ConsumerStep) async throws { move(step.partition.consumer, to: step.to.position) }
    func claim(_ partition: ConsumerPartition, by owner: String) async throws -> PartitionState {
        PartitionState(partition: partition)
    }
    func reset(_ consumer: String) async throws { state.withLock { $0.positions[consumer] = nil } }

    func commit(
        _ step: ConsumerStep, _ body: @escaping @Sendable (SQLTransaction) throws -> Void
    ) async throws {
        try body(SQLTransaction(NoRows()))
        try await save(step)
    }

    func setUp(_ body: @escaping @Sendable (SQLTransaction) throws -> Void) async throws { try await write(body) }

    func write(_ body: @escaping @Sendable (SQLTransaction) throws -> Void) async throws {
        try body(SQLTransaction(NoRows()))
    }

    func read<Result: Sendable>(
        _ body: @escaping @Sendable (SQLTransaction) throws -> Result
    ) async throws -> Result {
        try body(SQLTransaction(NoRows()))
    }

    func close() async {}
}
