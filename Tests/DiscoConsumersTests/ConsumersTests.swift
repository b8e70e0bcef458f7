import DiscoConsumers
import DiscoCore
import DiscoEventStore
import DiscoEventStoreSQLite
import Foundation
import Logging
import ServiceLifecycle
import TestSupport
import Testing

@Suite struct ConsumersTests {
    private struct Trouble: Error {}

    /// Records the payloads it is given; those in `failing` fail once each.
    private final class Recorder: Policy {
        let name = "recorder"
        let seen = Locked<[String]>([])
        let failing: Locked<Set<String>>

        init(failing: Set<String> = []) { self.failing = Locked(failing) }

        func process(_ event: RecordedEvent, in context: PolicyContext) async throws -> Outcome {
            let payload = event.payload.string
            if failing.withLock({ $0.remove(payload) != nil }) { return .retry(after: .milliseconds(50)) }
            seen.withLock { $0.append(payload) }
            return .done
        }
    }

    private struct Lines: Projection {
        let name = "lines"
        let failing: Locked<Set<String>>

        init(failing: Set<String> = []) { self.failing = Locked(failing) }

        func setUp(_ transaction: SQLTransaction) throws {
            try transaction.execute("CREATE TABLE IF NOT EXISTS lines (text TEXT NOT NULL)")
        }

        func apply(_ event: RecordedEvent, _ transaction: SQLTransaction) throws {
            try transaction.execute("INSERT INTO lines VALUES (\(event.payload.string))")
            if failing.withLock({ $0.remove(event.payload.string) != nil }) { throw Trouble() }
        }
    }

    private let logger = Logger(label: "test") { _ in SwiftLogNoOpLogHandler() }
    private let client = EventStoreClient(InMemoryEventStore())

    private func record(_ stream: StreamID, _ payloads: Int...) async throws {
        for payload in payloads {
            try await client.append(
                Append([NewEvent(stream: stream, type: "T", payload: JSONText(.number(.init(payload))))]))
        }
    }

    private func lines(_ store: SQLiteReadModelStore) async throws -> [String] {
        try await store.read { transaction in
            try transaction.query("SELECT text FROM lines ORDER BY rowid").map { try $0.value("text") }
        }
    }

    /// Catches up repeatedly until `done` returns true.
    private func catchUp(_ consumers: Consumers, until done: () async throws -> Bool) async throws {
        try await eventually {
            try await consumers.catchUp()
            return try await done()
        }
    }

    @Test func aProjectionFollowsAndAppliesNothingTwice() async throws {
        let store = try await SQLiteReadModelStore.open(.inMemory)
        let consumers = Consumers(of: client, [.projection(Lines(), in: store)])
        try await record("a-1", 1, 2)
        try await consumers.catchUp()
        try await consumers.catchUp()
        try await record("a-1", 3)
        try await consumers.catchUp()
        #expect(try await lines(store) == ["1", "2", "3"])
        #expect(try await store.checkpoint(of: "lines").position == 3)
    }

    @Test func noEventOvertakesARetriedOneInItsStream() async throws {
        let store = try await SQLiteReadModelStore.open(.inMemory)
        let policy = Recorder(failing: ["1"])
        let consumers = Consumers(of: client, [.policy(policy, in: store)])
        try await record("a-1", 1)
        try await record("b-1", 10)
        try await record("a-1", 2, 3)
        try await consumers.catchUp()
        #expect(policy.seen.withLock { $0 }.first == "10")
        try await catchUp(consumers) { policy.seen.withLock { $0 }.count == 4 }
        #expect(policy.seen.withLock { $0 } == ["10", "1", "2", "3"])
        #expect(try await store.held(by: "recorder").isEmpty)
    }

    /// Upcasts an event of type T into two of type Half, with its payload and its payload plus a half.
    private var halved: EventStoreClient {
        EventStoreClient(
            client.store,
            upcasters: [
                Upcaster("T", into: ["Half"]) { payload in
                    [.init("Half", payload), .init("Half", .array([payload]))]
                }
            ])
    }

    @Test func anEventThatBecameSeveralIsRetriedAsAWholeByAPolicy() async throws {
        let store = try await SQLiteReadModelStore.open(.inMemory)
        let policy = Recorder(failing: ["[1]"])
        let consumers = Consumers(of: halved, [.policy(policy, in: store)])
        try await record("a-1", 1, 2)
        try await consumers.catchUp()
        #expect(policy.seen.withLock { $0 } == ["1"])
        #expect(try await store.held(by: "recorder").map(\.range) == [1...2])
        try await catchUp(consumers) { policy.seen.withLock { $0 }.count == 5 }
        #expect(policy.seen.withLock { $0 } == ["1", "1", "[1]", "2", "[2]"])
        #expect(try await store.held(by: "recorder").isEmpty)
    }

    @Test(arguments: ["1", "[1]"])
    func anEventThatBecameSeveralIsAppliedAsAWholeByAProjection(failing: String) async throws {
        let store = try await SQLiteReadModelStore.open(.inMemory)
        let consumers = Consumers(
            of: halved, [.projection(Lines(failing: [failing]), in: store)])
        try await record("a-1", 1, 2)
        try await record("b-1", 3)
        try await consumers.catchUp()
        #expect(try await lines(store) == ["3", "[3]"])
        try await catchUp(consumers) { try await lines(store).count == 6 }
        #expect(try await lines(store) == ["3", "[3]", "1", "[1]", "2", "[2]"])
        #expect(try await store.checkpoint(of: "lines").position == 3)
    }

    @Test func heldEventsSurviveARestart() async throws {
        let folder = try TemporaryFolder()
        let first = try await SQLiteReadModelStore.open(path: folder.file("read-models"))
        try await record("a-1", 1, 2)
        try await Consumers(of: client, [.policy(Recorder(failing: ["1"]), in: first)]).catchUp()
        await first.close()
        let second = try await SQLiteReadModelStore.open(path: folder.file("read-models"))
        #expect(try await second.held(by: "recorder").map(\.range) == [1...2])
        let policy = Recorder()
        let consumers = Consumers(of: client, [.policy(policy, in: second)])
        try await catchUp(consumers) { policy.seen.withLock { $0 }.count == 2 }
        #expect(policy.seen.withLock { $0 } == ["1", "2"])
        await second.close()
    }

    @Test func aFailingProjectionLosesNothingAndHoldsOnlyThatStream() async throws {
        let store = try await SQLiteReadModelStore.open(.inMemory)
        let consumers = Consumers(of: client, [.projection(Lines(failing: ["1"]), in: store)])
        try await record("a-1", 1)
        try await record("b-1", 10)
        try await record("a-1", 2)
        try await consumers.catchUp()
        #expect(try await lines(store).first == "10")
        try await catchUp(consumers) { try await lines(store).count == 3 }
        #expect(try await lines(store) == ["10", "1", "2"])
    }

    @Test func aStepFromAStaleCheckpointIsRefusedWithItsWrites() async throws {
        let store = try await SQLiteReadModelStore.open(.inMemory)
        try await store.write { try Lines().setUp($0) }
        let step = ConsumerStep(consumer: "c", from: .start, to: Checkpoint(position: 5))
        try await store.save(step)
        let error = await #expect(throws: EventStoreError.self) {
            try await store.commit(step) { try $0.execute("INSERT INTO lines VALUES ('x')") }
        }
        #expect(error?.code == .checkpointMoved)
        #expect(try await lines(store) == [])
        await #expect(throws: Trouble.self) {
            try await store.commit(ConsumerStep(consumer: "c", from: step.to, to: Checkpoint(position: 6))) {
                transaction in
                try transaction.execute("INSERT INTO lines VALUES ('x')")
                throw Trouble()
            }
        }
        #expect(try await lines(store) == [])
        #expect(try await store.checkpoint(of: "c").position == 5)
    }

    @Test func aCheckpointOfAnotherStoreIsRefused() async throws {
        let store = try await SQLiteReadModelStore.open(.inMemory)
        try await record("a-1", 1, 2)
        try await Consumers(of: client, [.projection(Lines(), in: store)]).catchUp()
        let other = EventStoreClient(InMemoryEventStore())
        let consumers = Consumers(of: other, [.projection(Lines(), in: store)])
        await #expect(throws: CheckpointDiverged.self) { try await consumers.catchUp() }
    }

    @Test func runFollowsUntilCancelled() async throws {
        let store = try await SQLiteReadModelStore.open(.inMemory)
        let policy = Recorder()
        let consumers = Consumers(of: client, [.policy(policy, in: store)])
        let running = Task { try await consumers.run() }
        try await record("a-1", 1, 2, 3)
        await eventually { policy.seen.withLock { $0 }.count == 3 }
        running.cancel()
        try await running.value
        #expect(policy.seen.withLock { $0 } == ["1", "2", "3"])
    }

    @Test func aNewConsumerStartsAtTheGivenPositionAndLaterResumes() async throws {
        let now = Locked(Date(timeIntervalSince1970: 1_700_000_000))
        let client = EventStoreClient(InMemoryEventStore(context: StoreContext(now: { now.withLock { $0 } })))
        func record(_ payload: Int) async throws {
            let text = JSONText(.number(.init(payload)))
            try await client.append(Append([NewEvent(stream: "a-1", type: "T", payload: text)]))
            now.withLock { $0.addTimeInterval(60) }
        }
        for payload in 1...4 { try await record(payload) }
        let starts: [(ConsumerStart, [String])] = [
            (.beginning, ["1", "2", "3", "4", "5"]), (.now, ["5"]), (.after(3), ["4", "5"]),
            (.after(0), ["1", "2", "3", "4", "5"]),
            (.time(Date(timeIntervalSince1970: 1_700_000_060)), ["2", "3", "4", "5"]),
            (.time(Date(timeIntervalSince1970: 1_700_000_061)), ["3", "4", "5"]),
            (.time(.distantPast), ["1", "2", "3", "4", "5"]), (.time(.distantFuture), []),
        ]
        var running: [(Recorder, Consumers, [String])] = []
        for (start, expected) in starts {
            let policy = Recorder()
            let consumers = Consumers(
                of: client, [.policy(policy, in: try await SQLiteReadModelStore.open(.inMemory), from: start)])
            try await consumers.catchUp()
            running.append((policy, consumers, expected))
        }
        try await record(5)
        for (policy, consumers, expected) in running {
            try await consumers.catchUp()
            #expect(policy.seen.withLock { $0 } == expected)
        }
        let beyond = Consumers(
            of: client, [.policy(Recorder(), in: try await SQLiteReadModelStore.open(.inMemory), from: .after(9))])
        await #expect(throws: EventStoreError.self) { try await beyond.catchUp() }
    }

    /// Signals when it gets an event, and finishes on a graceful shutdown or a cancellation.
    private final class Slow: Policy {
        let name = "recorder"
        let begun = Waiter<Void>()
        let seen = Locked<[Int64]>([])

        func process(_ event: RecordedEvent, in context: PolicyContext) async throws -> Outcome {
            seen.withLock { $0.append(event.position.rawValue) }
            begun.settle(.success(()))
            try await gracefulShutdown()
            return .done
        }
    }

    @Test func aGracefulShutdownFinishesTheCurrentEventAndSavesTheCheckpoint() async throws {
        let store = try await SQLiteReadModelStore.open(.inMemory)
        let slow = Slow()
        try await record("a-1", 1, 2, 3)
        let group = ServiceGroup(
            services: [Consumers(of: client, [.policy(slow, in: store)])], logger: logger)
        let running = Task { try await group.run() }
        try await slow.begun.value()
        await group.triggerGracefulShutdown()
        try await running.value
        #expect(slow.seen.withLock { $0 } == [1])
        #expect(try await store.checkpoint(of: "recorder").position == 1)
        #expect(try await store.held(by: "recorder").isEmpty)
        let policy = Recorder()
        try await Consumers(of: client, [.policy(policy, in: store)]).catchUp()
        #expect(policy.seen.withLock { $0 } == ["2", "3"])
    }

    @Test func aCancelledEventIsDeliveredAgainAndIsNotAFailedAttempt() async throws {
        let store = try await SQLiteReadModelStore.open(.inMemory)
        try await record("a-1", 1, 2)
        let slow = Slow()
        let consumers = Consumers(of: client, [.policy(slow, in: store)])
        let running = Task { try await consumers.run() }
        try await slow.begun.value()
        running.cancel()
        try await running.value
        #expect(try await store.held(by: "recorder").isEmpty)
        let policy = Recorder()
        try await Consumers(of: client, [.policy(policy, in: store)]).catchUp()
        #expect(policy.seen.withLock { $0 } == ["1", "2"])
    }

    @Test func aConsumerWithTooManyHeldStreamsStopsReadingUntilSomeAreDone() async throws {
        let store = try await SQLiteReadModelStore.open(.inMemory)
        let soon = Date(timeIntervalSinceNow: 0.2)
        let held = (1...10_000).map { HeldStream(StreamID("gone-\($0)"), first: 1, through: 5, retryAt: soon) }
        for _ in 0..<10 { try await record("gone-1", 1) }
        try await store.save(
            ConsumerStep(
                consumer: "recorder", from: .start,
                to: Checkpoint(position: 5, eventID: try await client.events().collect()[4].id), hold: held))
        let policy = Recorder()
        let consumers = Consumers(of: client, [.policy(policy, in: store)])
        let running = Task { try await consumers.run() }
        try await eventually(within: .seconds(60)) { try await store.held(by: "recorder").isEmpty }
        await eventually { policy.seen.withLock { $0 }.count == 10 }
        running.cancel()
        try await running.value
        // One of the held streams exists, with five events that wait; the five unread ones follow.
        #expect(policy.seen.withLock { $0 }.count == 10)
        #expect(try await store.held(by: "recorder").isEmpty)
    }
}
