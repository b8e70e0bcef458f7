import DiscoConsumers
import DiscoCore
import DiscoEventStore
import DiscoEventStoreSQLite
import DiscoTesting
import Foundation
import TestSupport
import Testing

/// What a consumer reads from and writes to its stores, and when: it never reads what it already knows.
@Suite(.timeLimit(.minutes(1))) struct ConsumerEconomyTests {
    /// Counts the calls to the underlying store.
    private struct Counted: CheckpointStore {
        let base: any CheckpointStore
        let reads = Locked(0)
        let saves = Locked<[ConsumerStep]>([])

        func partitions(of consumer: String?) async throws -> [PartitionState] {
            reads.withLock { $0 += 1 }
            return try await base.partitions(of: consumer)
        }

        func held(by partition: ConsumerPartition) async throws -> [HeldStream] {
            reads.withLock { $0 += 1 }
            return try await base.held(by: partition)
        }

        func save(_ step: ConsumerStep) async throws {
            try await base.save(step)
            saves.withLock { $0.append(step) }
        }

        func consumers() async throws -> [ConsumerState] { try await base.consumers() }

        func define(_ definition: ConsumerDefinition, at checkpoint: Checkpoint) async throws {
            try await base.define(definition, at: checkpoint)
        }

        func administer(_ consumer: String, _ action: ConsumerAction) async throws {
            try await base.administer(consumer, action)
        }

        func decide(_ decision: HeldDecision) async throws -> [HeldStream] { try await base.decide(decision) }

        func audit(of consumer: String, limit: Int) async throws -> [HeldAudit] {
            try await base.audit(of: consumer, limit: limit)
        }

        func join(_ member: ConsumerMember, for lease: Duration) async throws {
            try await base.join(member, for: lease)
        }

        func renew(_ member: String, for lease: Duration) async throws -> Bool {
            try await base.renew(member, for: lease)
        }

        func leave(_ member: String) async throws { try await base.leave(member) }
        func members() async throws -> [MemberState] { try await base.members() }

        func claim(_ partitions: [PartitionState], for member: String) async throws -> [PartitionState] {
            try await base.claim(partitions, for: member)
        }

        func release(_ partition: ConsumerPartition, _ lease: PartitionLease) async throws {
            try await base.release(partition, lease)
        }

        func changes() -> ConsumerChanges { base.changes() }
    }

    private struct OnlyA: Policy {
        let name = "only_a"
        let query = EventQuery.types("A")
        let seen = Locked(0)
        var outcome: @Sendable (RecordedEvent) -> Outcome = { _ in .done }

        func process(_ event: RecordedEvent, in context: PolicyContext) async throws -> Outcome {
            seen.withLock { $0 += 1 }
            return outcome(event)
        }
    }

    private func record(_ client: EventStoreClient, _ type: String) async throws {
        try await client.append(Append([NewEvent(stream: "a-1", type: type, payload: "{}")]))
    }

    @Test func aConsumerDoesNotReadBackItsCheckpoints() async throws {
        let client = EventStoreClient(InMemoryEventStore())
        let counted = Counted(base: try await SQLiteReadModelStore.open(.inMemory))
        let policy = OnlyA()
        let running = Task { try await Consumers(of: client, [.policy(policy, in: counted)]).run() }
        for number in 1...20 {
            try await record(client, "A")
            await eventually { policy.seen.withLock { $0 } == number }
        }
        running.cancel()
        try await running.value
        #expect(counted.saves.withLock { $0.count } == 20)
        // The check before it starts, the looks at the lease, and the state that it starts with.
        #expect(counted.reads.withLock { $0 } <= 10)
    }

    @Test func aConsumerDoesNotSaveItsPositionForEachIrrelevantAppend() async throws {
        let client = EventStoreClient(InMemoryEventStore())
        let readModels = try await SQLiteReadModelStore.open(.inMemory)
        let counted = Counted(base: readModels)
        let policy = OnlyA()
        try await record(client, "A")
        let running = Task { try await Consumers(of: client, [.policy(policy, in: counted)]).run() }
        await eventually { policy.seen.withLock { $0 } == 1 }
        for _ in 0..<200 { try await record(client, "B") }
        // The position is saved eventually, so a wait for the consumer ends.
        await eventually { (try? await readModels.checkpoint(of: "only_a").position) == 201 }
        let saves = counted.saves.withLock { $0.count }
        #expect(saves < 50, "\(saves)")
        running.cancel()
        try await running.value
    }

    @Test func aConsumerSavesItsPositionWhenItEnds() async throws {
        let time = ManualTime()
        let client = EventStoreClient(InMemoryEventStore(context: time.context()))
        let readModels = try await SQLiteReadModelStore.open(.inMemory)
        let policy = OnlyA()
        try await record(client, "A")
        let running = Task { try await Consumers(of: client, [.policy(policy, in: readModels)]).run() }
        await eventually { policy.seen.withLock { $0 } == 1 }
        // No time passes on its clock, so nothing makes it save the position before its end.
        await eventually { time.waiting > 2 }
        for _ in 0..<3 { try await record(client, "B") }
        try await Task.sleep(for: .milliseconds(300))
        let head = try await client.head()
        running.cancel()
        try await running.value
        #expect(try await readModels.checkpoint(of: "only_a").position == head)
    }

    @Test func anIdleConsumerNoticesAResetByAnotherProcess() async throws {
        let folder = try TemporaryFolder()
        let client = EventStoreClient(InMemoryEventStore())
        let readModels = try await SQLiteReadModelStore.open(path: folder.events)
        let other = try await SQLiteReadModelStore.open(path: folder.events)
        let policy = OnlyA()
        for _ in 1...3 { try await record(client, "A") }
        let running = Task { try await Consumers(of: client, [.policy(policy, in: readModels)]).run() }
        await eventually { policy.seen.withLock { $0 } == 3 }
        await eventually { (try? await other.checkpoint(of: "only_a").position) == 3 }
        try await other.reset("only_a")
        await eventually { policy.seen.withLock { $0 } == 6 }
        running.cancel()
        try await running.value
        await other.close()
        await readModels.close()
    }

    @Test func aRetryIsTimedByTheStoresClock() async throws {
        let time = ManualTime()
        let client = EventStoreClient(InMemoryEventStore(context: time.context()))
        let readModels = try await SQLiteReadModelStore.open(.inMemory)
        let isReady = Locked(false)
        var policy = OnlyA()
        policy.outcome = { _ in isReady.withLock { $0 } ? .done : .retry(after: .seconds(3000)) }
        try await record(client, "A")
        let running = Task { [policy] in try await Consumers(of: client, [.policy(policy, in: readModels)]).run() }
        await eventually { (try? await readModels.held(by: "only_a").count) == 1 }
        isReady.withLock { $0 = true }
        await eventually { time.waiting > 0 }
        time.advance(by: .seconds(2999))
        #expect(try await readModels.held(by: "only_a").map(\.retryAt) == [time.now.addingTimeInterval(1)])
        #expect(policy.seen.withLock { $0 } == 1)
        await eventually {
            time.advance(by: .seconds(1))
            return policy.seen.withLock { $0 } == 2
        }
        await eventually { (try? await readModels.held(by: "only_a").isEmpty) == true }
        running.cancel()
        try await running.value
    }
}
