import DiscoConsumers
import DiscoCore
import DiscoEventStore
import DiscoEventStoreSQLite
import DiscoTesting
import Foundation
import Logging
import TestSupport
import Testing

/// What consumers do about events that fail, on a clock that the test advances.
@Suite(.timeLimit(.minutes(1))) struct FailurePolicyTests {
    private struct Trouble: Error, CustomStringConvertible {
        var description: String { "no luck" }
    }

    private let time = ManualTime()
    private let log = LogCollector()
    private let store: InMemoryEventStore
    private var client: EventStoreClient { EventStoreClient(store) }

    init() { store = InMemoryEventStore(context: time.context(logger: log.logger())) }

    private struct Reactor: Policy {
        let name = "reactor"
        let seen = Locked<[String]>([])
        var react: @Sendable (RecordedEvent) async throws -> Void = { _ in }

        func process(_ event: RecordedEvent, in context: PolicyContext) async throws -> Outcome {
            seen.withLock { $0.append("\(event.stream)/\(event.version)#\(context.attempt)") }
            try await react(event)
            return .done
        }
    }

    private struct Lines: BatchProjection {
        let name = "lines"
        var fails: @Sendable (RecordedEvent) -> Bool = { _ in false }
        let batches = Locked<[Int]>([])

        func setUp(_ transaction: SQLTransaction) throws {
            try transaction.execute("CREATE TABLE IF NOT EXISTS lines (stream TEXT NOT NULL, version INTEGER NOT NULL)")
        }

        func apply(_ events: [RecordedEvent], _ transaction: SQLTransaction) throws {
            batches.withLock { $0.append(events.count) }
            for event in events {
                try transaction.execute("INSERT INTO lines VALUES (\(event.stream), \(event.version))")
                if fails(event) { throw Trouble() }
            }
        }
    }

    private func record(_ stream: StreamID, _ count: Int = 1) async throws {
        for _ in 0..<count {
            try await client.append(Append([NewEvent(stream: stream, type: "T", payload: "{}")]))
        }
    }

    private func consumers(_ consumer: EventConsumer, build: String = "1") -> Consumers {
        // The lease is longer than the time that the tests let pass.
        Consumers(of: client, [consumer], settings: .init(lease: .seconds(1_000_000), build: build))
    }

    @Test func anEventIsParkedAfterItsLastAttemptAndItsStreamWaits() async throws {
        let readModels = try await SQLiteReadModelStore.open(.inMemory)
        let works = Locked(false)
        var policy = Reactor()
        policy.react = { event in if event.stream == "a-1", !works.withLock({ $0 }) { throw Trouble() } }
        let failures = FailurePolicy(attempts: 3, firstDelay: .seconds(10))
        try await record("a-1", 2)
        try await record("b-1")
        let begun = time.now
        for attempts in 1...3 {
            // A new process each time: attempts are counted over restarts.
            try await consumers(.policy(policy, in: readModels, failures: failures)).catchUp()
            let held = try #require(try await readModels.held(by: "reactor").first)
            #expect(held.attempts == attempts)
            #expect(held.first == 1 && held.through == 2)
            #expect(held.isParked == (attempts == 3))
            #expect(held.failure?.reason == "no luck" && held.failure?.code == "trouble" && held.failure?.type == "T")
            #expect(held.failure?.firstAt == begun && held.failure?.lastAt == time.now && held.failure?.build == "1")
            time.advance(by: .seconds(21))
        }
        time.advance(by: .seconds(1_000_000))
        try await record("a-1")
        try await consumers(.policy(policy, in: readModels, failures: failures)).catchUp()
        #expect(policy.seen.withLock { $0 } == ["a-1/1#1", "b-1/1#1", "a-1/1#2", "a-1/1#3"])
        #expect(try await readModels.held(by: "reactor").first?.through == 4)
        let parked = log.events.filter { $0.level == .error }
        #expect(parked.map(\.message) == ["reactor has parked the stream a-1 at position 1"])
        #expect(
            parked.first?.metadata
                == ["consumer": "reactor", "stream": "a-1", "type": "T", "position": "1", "attempt": "3"])
        works.withLock { $0 = true }
        _ = try await readModels.decide(HeldDecision(.retry, consumer: "reactor", HeldFilter(code: "trouble")))
        try await consumers(.policy(policy, in: readModels, failures: failures)).catchUp()
        #expect(policy.seen.withLock { $0.suffix(3) } == ["a-1/1#1", "a-1/2#1", "a-1/3#1"])
        #expect(try await readModels.held(by: "reactor") == [])
    }

    @Test func aStreamThatFailsAgainInTheMiddleGoesOnFromThere() async throws {
        let readModels = try await SQLiteReadModelStore.open(.inMemory)
        let failing = Locked(1)
        var policy = Reactor()
        policy.react = { event in if event.version == failing.withLock({ $0 }) { throw Trouble() } }
        let one = consumers(.policy(policy, in: readModels, failures: FailurePolicy(attempts: 1)))
        try await record("a-1", 4)
        try await one.catchUp()
        for (next, first) in [(3, 3), (3, 3), (9, 0)] {
            failing.withLock { $0 = next }
            _ = try await readModels.decide(HeldDecision(.retry, consumer: "reactor", HeldFilter()))
            try await one.catchUp()
            let held = try await readModels.held(by: "reactor")
            #expect(held.map(\.first.rawValue) == (first == 0 ? [] : [Int64(first)]))
        }
        #expect(
            policy.seen.withLock { $0 } == [
                "a-1/1#1", "a-1/1#1", "a-1/2#1", "a-1/3#1", "a-1/3#1", "a-1/3#1", "a-1/4#1",
            ])
    }

    @Test func discardedEventsAreNotProcessed() async throws {
        let readModels = try await SQLiteReadModelStore.open(.inMemory)
        let works = Locked(false)
        var policy = Reactor()
        policy.react = { _ in if !works.withLock({ $0 }) { throw Trouble() } }
        let one = consumers(.policy(policy, in: readModels, failures: FailurePolicy(attempts: 1)))
        try await record("a-1", 3)
        try await record("b-1", 3)
        try await one.catchUp()
        works.withLock { $0 = true }
        func discard(_ action: HeldDecision.Action, _ stream: StreamID) async throws {
            let decision = HeldDecision(action, consumer: "reactor", HeldFilter(stream: stream), reason: "wrong")
            #expect(try await readModels.decide(decision).count == 1)
        }
        try await discard(.discardFirst, "a-1")
        try await discard(.discardAll, "b-1")
        try await one.catchUp()
        try await record("b-1")
        try await one.catchUp()
        #expect(policy.seen.withLock { $0 } == ["a-1/1#1", "b-1/1#1", "a-1/2#1", "a-1/3#1", "b-1/4#1"])
        #expect(try await readModels.held(by: "reactor") == [])
    }

    @Test func skippingGoesOnWithTheStreamAndSaysSo() async throws {
        for isProjection in [false, true] {
            let readModels = try await SQLiteReadModelStore.open(.inMemory)
            let failures = FailurePolicy(attempts: 2, afterwards: .skip, firstDelay: .seconds(1))
            var (policy, lines) = (Reactor(), Lines())
            policy.react = { event in if event.version == 1 { throw Trouble() } }
            lines.fails = { event in event.version == 1 }
            let stream: StreamID = isProjection ? "b-1" : "a-1"
            let one = consumers(
                isProjection
                    ? .projection(lines, in: readModels, from: .now, failures: failures)
                    : .policy(policy, in: readModels, failures: failures))
            if isProjection { try await one.catchUp() }
            try await record(stream, 2)
            try await one.catchUp()
            #expect(try await readModels.held(by: isProjection ? "lines" : "reactor").map(\.attempts) == [1])
            time.advance(by: .seconds(1))
            try await one.catchUp()
            #expect(try await readModels.held(by: isProjection ? "lines" : "reactor") == [])
            if isProjection {
                let versions = try await readModels.read { try $0.query("SELECT version FROM lines").map(\.values) }
                #expect(versions == [[.integer(2)]])
            } else {
                #expect(policy.seen.withLock { $0 } == ["a-1/1#1", "a-1/1#2", "a-1/2#1"])
            }
        }
        let errors = log.events.filter { $0.level == .error }.map(\.message.description)
        #expect(
            errors == [
                "reactor gives up an event after 2 attempts: no luck",
                "lines gives up an event after 2 attempts: no luck",
            ])
    }

    @Test func stoppingEndsTheRunAndTriesTheEventAgainAtTheNextStart() async throws {
        let readModels = try await SQLiteReadModelStore.open(.inMemory)
        let works = Locked(false)
        var policy = Reactor()
        policy.react = { event in if event.version == 2, !works.withLock({ $0 }) { throw Trouble() } }
        let failures = FailurePolicy(attempts: 1, afterwards: .stop, firstDelay: .zero)
        try await record("a-1", 3)
        let one = consumers(.policy(policy, in: readModels, failures: failures))
        for attempts in 1...2 {
            let error = await #expect(throws: ConsumerStopped.self) { try await one.run() }
            #expect(error?.position == 2 && error?.attempts == attempts && error?.reason == "no luck")
        }
        works.withLock { $0 = true }
        try await one.catchUp()
        #expect(policy.seen.withLock { $0 } == ["a-1/1#1", "a-1/2#1", "a-1/2#2", "a-1/2#3", "a-1/3#1"])
    }

    @Test func anOutageIsWaitedOutAndNotCounted() async throws {
        let readModels = try await SQLiteReadModelStore.open(.inMemory)
        let isAway = Locked(true)
        var policy = Reactor()
        policy.react = { event in
            if event.version == 2, isAway.withLock({ $0 }) { throw POSIXError(.ECONNREFUSED) }
        }
        try await record("a-1", 3)
        let one = consumers(.policy(policy, in: readModels, failures: FailurePolicy(attempts: 1)))
        await #expect(throws: POSIXError.self) { try await one.catchUp() }
        let running = Task { try await one.run() }
        let seen = policy.seen
        await eventually {
            time.advance(by: .seconds(60))
            return seen.withLock { $0.count } > 20
        }
        #expect(try await readModels.held(by: "reactor") == [])
        #expect(try await readModels.checkpoint(of: "reactor").position == 1)
        isAway.withLock { $0 = false }
        await eventually {
            time.advance(by: .seconds(60))
            return (try? await readModels.checkpoint(of: "reactor").position) == 3
        }
        running.cancel()
        try await running.value
        #expect(Set(seen.withLock { $0 }) == ["a-1/1#1", "a-1/2#1", "a-1/3#1"])
        let trouble = log.events.filter { $0.level >= .notice && $0.message.description.contains("reactor ") }
        #expect(
            trouble.map(\.message) == [
                "The consumer reactor waits for what it needs and is retrying", "The consumer reactor is running again",
            ])
    }

    @Test func whatIsAnOutageCanBeSaid() async throws {
        let readModels = try await SQLiteReadModelStore.open(.inMemory)
        var policy = Reactor()
        policy.react = { _ in throw Trouble() }
        try await record("a-1")
        let failures = FailurePolicy(attempts: 1) { $0 is Trouble ? .outage : FailurePolicy.kind($0) }
        await #expect(throws: Trouble.self) {
            try await consumers(.policy(policy, in: readModels, failures: failures)).catchUp()
        }
        #expect(try await readModels.held(by: "reactor") == [])
        let network: [any Error] = [
            POSIXError(.ECONNRESET), NSError(domain: NSPOSIXErrorDomain, code: Int(ETIMEDOUT)),
            EventStoreError(.unavailable, ""), EventStoreError(.busy, ""), EventStoreError(.full, ""),
        ]
        #expect(network.map(FailurePolicy.kind) == network.map { _ in .outage })
        let poison: [any Error] = [
            POSIXError(.EINVAL), NSError(domain: "x", code: Int(ETIMEDOUT)), EventStoreError(.database, ""), Trouble(),
            CancellationError(),
        ]
        #expect(poison.map(FailurePolicy.kind) == poison.map { _ in .poison })
    }

    @Test func aPolicyThatTakesTooLongHasFailed() async throws {
        let readModels = try await SQLiteReadModelStore.open(.inMemory)
        var policy = Reactor()
        policy.react = { event in
            if event.version == 1 { try await Task.sleep(for: .seconds(3600)) }
        }
        try await record("a-1", 2)
        try await record("b-1")
        let one = consumers(
            .policy(policy, in: readModels, failures: FailurePolicy(attempts: 1, timeLimit: .seconds(7))))
        let catchingUp = Task { try await one.catchUp() }
        let seen = policy.seen
        await eventually {
            time.advance(by: .seconds(1))
            return (try? await readModels.held(by: "reactor").count) == 2
        }
        try await catchingUp.value
        let held = try await readModels.held(by: "reactor")
        #expect(held.first?.failure?.code == "took_too_long")
        #expect(held.first?.failure?.reason == "The policy took longer than its time limit of 7.0 seconds.")
        #expect(seen.withLock { $0 } == ["a-1/1#1", "b-1/1#1"])
    }

    @Test func manyStreamsThatFailAlikePauseTheConsumerUntilOneSucceeds() async throws {
        let readModels = try await SQLiteReadModelStore.open(.inMemory)
        let works = Locked(false)
        var policy = Reactor()
        policy.react = { _ in if !works.withLock({ $0 }) { throw Trouble() } }
        for number in 1...200 { try await record(StreamID("a-\(number)")) }
        let running = Task { [policy] in
            try await consumers(.policy(policy, in: readModels, failures: FailurePolicy(attempts: 2))).run()
        }
        let seen = policy.seen
        await eventually { seen.withLock { $0.count } >= 5 }
        await eventually {
            time.advance(by: .seconds(60))
            return seen.withLock { $0.count } >= 12
        }
        // The cause is not the events: hardly any was tried, and none parked.
        let held = try await readModels.held(by: "reactor")
        #expect(held.count < 20)
        #expect(held.filter(\.isParked) == [])
        works.withLock { $0 = true }
        await eventually {
            time.advance(by: .seconds(60))
            return (try? await readModels.checkpoint(of: "reactor").position) == 200
        }
        await eventually {
            time.advance(by: .seconds(60))
            return (try? await readModels.held(by: "reactor").isEmpty) == true
        }
        running.cancel()
        try await running.value
        #expect(Set(seen.withLock { $0 }.map { $0.prefix { $0 != "/" } }).count == 200)
        let pauses = log.events.filter { $0.message.description.hasPrefix("The consumer reactor") }
        #expect(pauses.map(\.level) == [.warning, .notice])
        #expect(pauses.first?.metadata?["error"] == "5 streams in a row have failed with trouble")
    }

    @Test func aNewBuildTriesParkedStreamsOnceMore() async throws {
        let readModels = try await SQLiteReadModelStore.open(.inMemory)
        var policy = Reactor()
        policy.react = { _ in throw Trouble() }
        try await record("a-1")
        let failures = FailurePolicy(attempts: 1, retriesWithNewBuild: true)
        for (build, count) in [("1", 1), ("1", 1), ("2", 2), ("2", 2), ("3", 3)] {
            try await consumers(.policy(policy, in: readModels, failures: failures), build: build).catchUp()
            #expect(policy.seen.withLock { $0.count } == count)
            let held = try await readModels.held(by: "reactor")
            #expect(held.map(\.isParked) == [true])
            #expect(held.first?.failure?.build == build)
        }
    }

    @Test func anEventThatEndsTheProcessIsFoundAndHeld() async throws {
        let folder = try TemporaryFolder()
        let readModels = try await SQLiteReadModelStore.open(path: folder.file("models"))
        let policy = Reactor()
        for number in 1...4 { try await record(StreamID("a-\(number)")) }
        try await readModels.define(ConsumerDefinition("reactor", isProjection: false), at: .start)
        var states = try await readModels.partitions(of: "reactor")
        // What owners leave behind that die with the second event in hand.
        let first = try await client.events(in: "a-1").collect()[0]
        let one = Checkpoint(position: 1, eventID: first.id, store: try await store.identity())
        for crash in 0...3 {
            states = try await readModels.claim(states, for: "dead \(crash)")
            var step = ConsumerStep(
                partition: states[0].partition, from: states[0].checkpoint, to: one, lease: states[0].lease)
            if crash > 0 { step.inHand = 2 }
            try await readModels.save(step)
            states = try await readModels.partitions(of: "reactor")
        }
        try await consumers(.policy(policy, in: readModels, failures: FailurePolicy(attempts: 2))).catchUp()
        #expect(policy.seen.withLock { $0 } == ["a-3/1#1", "a-4/1#1"])
        let held = try await readModels.held(by: "reactor")
        #expect(held.map(\.stream) == ["a-2"])
        #expect(held.first?.failure?.reason.hasPrefix("The process ended 4 times in a row") == true)
        await readModels.close()
    }

    @Test func aBatchIsAppliedAtOnceAndItsFailuresAreFoundOneByOne() async throws {
        let readModels = try await SQLiteReadModelStore.open(.inMemory)
        let works = Locked(false)
        var lines = Lines()
        lines.fails = { event in event.stream == "a-7" && !works.withLock { $0 } }
        for _ in 1...3 { for number in 1...100 { try await record(StreamID("a-\(number)")) } }
        let one = consumers(.projection(lines, in: readModels, failures: FailurePolicy(attempts: 1)))
        try await one.catchUp()
        func count() async throws -> Int { try await readModels.read { try $0.query("SELECT * FROM lines").count } }
        #expect(try await count() == 297)
        #expect(try await readModels.held(by: "lines").map(\.stream) == ["a-7"])
        works.withLock { $0 = true }
        _ = try await readModels.decide(HeldDecision(.retry, consumer: "lines", HeldFilter()))
        try await one.catchUp()
        #expect(try await count() == 300)
        let order = try await readModels.read { transaction in
            try transaction.query("SELECT version FROM lines WHERE stream = 'a-7' ORDER BY rowid").map(\.values)
        }
        #expect(order == [[.integer(1)], [.integer(2)], [.integer(3)]])
        let largest = lines.batches.withLock { $0.max() }
        #expect(largest == 300)
    }
}
