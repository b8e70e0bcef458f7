import DiscoCore

/// A read model store without tables, whose checkpoints the test moves.
final class Bookmarks: ReadModelStore {
    private struct NoRows: SQLConnection {
        func run(_ sql: SQLStatement) throws -> SQLResult { SQLResult() }
    }

    private struct State: Sendable {
        var positions: [String: Position] = [:]
        var held: [String: [HeldStream]] = [:]
        var isUnreachable = false
        var asked = 0
    }

    private let state = Locked(State())

    /// How often a checkpoint was read.
    var asked: Int { state.withLock { $0.asked } }

    func move(_ consumer: String, to position: Position) { state.withLock { $0.positions[consumer] = position } }

    func hold(_ consumer: String, _ positions: Position...) {
        let stream = HeldStream("wallet-1", first: positions.min() ?? 1, through: positions.max() ?? 1, attempts: 1)
        state.withLock { $0.held[consumer] = positions.isEmpty ? [] : [stream] }
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

    func held(by partition: ConsumerPartition) async throws -> [HeldStream] {
        state.withLock { $0.held[partition.consumer] ?? [] }
    }
    func save(_ step: ConsumerStep) async throws { move(step.partition.consumer, to: step.to.position) }
    func consumers() async throws -> [ConsumerState] { [] }
    func define(_ definition: ConsumerDefinition, at checkpoint: Checkpoint) async throws {}
    func administer(_ consumer: String, _ action: ConsumerAction) async throws {
        if action == .reset { state.withLock { $0.positions[consumer] = nil } }
    }
    func decide(_ decision: HeldDecision) async throws -> [HeldStream] { [] }
    func audit(of consumer: String, limit: Int) async throws -> [HeldAudit] { [] }
    func join(_ member: ConsumerMember, for lease: Duration) async throws {}
    func renew(_ member: String, for lease: Duration) async throws -> Bool { true }
    func leave(_ member: String) async throws {}
    func members() async throws -> [MemberState] { [] }
    func claim(_ partitions: [PartitionState], for member: String) async throws -> [PartitionState] { [] }
    func release(_ partition: ConsumerPartition, _ lease: PartitionLease) async throws {}

    func commit(
        _ step: ConsumerStep, _ body: @escaping @Sendable (SQLTransaction) throws -> Void
    ) async throws {
        try body(SQLTransaction(NoRows()))
        try await save(step)
    }

    func setUp(
        _ consumer: String?, generation: Int, _ body: @escaping @Sendable (SQLTransaction) throws -> Void
    ) async throws { try await write(body) }

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
