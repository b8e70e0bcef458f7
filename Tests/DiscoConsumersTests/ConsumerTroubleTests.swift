import DiscoConsumers
import DiscoCore
import DiscoEventStore
import DiscoEventStorePostgres
import DiscoEventStoreSQLite
import Foundation
import Logging
import TestSupport
import Testing

/// How consumers handle failures without losing events.
@Suite(.timeLimit(.minutes(2))) struct ConsumerTroubleTests {
    private struct Trouble: Error {}

    private let log: LogCollector
    private let store: InMemoryEventStore
    private var client: EventStoreClient { EventStoreClient(store) }

    init() {
        let log = LogCollector()
        self.log = log
        store = InMemoryEventStore(.init(allowsErasing: true), context: StoreContext(logger: log.logger()))
    }

    /// Records the payloads it is given, after asking for the outcome.
    private struct Reactor: Policy {
        let name = "reactor"
        let seen = Locked<[String]>([])
        var react: @Sendable (RecordedEvent) async throws -> Outcome = { _ in .done }

        func process(_ event: RecordedEvent, in context: PolicyContext) async throws -> Outcome {
            let outcome = try await react(event)
            if outcome == .done { seen.withLock { $0.append(event.type + event.payload.string) } }
            return outcome
        }
    }

    private struct Lines: Projection {
        let name = "lines"
        var fails: @Sendable (RecordedEvent) -> Bool = { _ in false }
        let applied = Locked(0)

        func setUp(_ transaction: SQLTransaction) throws {
            try transaction.execute("CREATE TABLE IF NOT EXISTS lines (position BIGINT NOT NULL, text TEXT NOT NULL)")
        }

        func apply(_ event: RecordedEvent, _ transaction: SQLTransaction) throws {
            applied.withLock { $0 += 1 }
            try transaction.execute("INSERT INTO lines VALUES (\(event.position), \(event.payload.string))")
            if fails(event) { throw Trouble() }
        }
    }

    private func record(_ stream: StreamID, _ payloads: ClosedRange<Int>) async throws {
        try await client.append(
            Append(payloads.map { NewEvent(stream: stream, type: "T", payload: JSONText(.number(.init($0)))) }))
    }

    private func consumers(_ consumer: EventConsumer, of client: EventStoreClient? = nil) -> Consumers {
        Consumers(of: client ?? self.client, [consumer])
    }

    private func readModelStores() async throws -> [any ReadModelStore] {
        let database = try TestDatabase()
        return [
            try await SQLiteReadModelStore.open(.inMemory),
            try await PostgresReadModelStore.open(.init(url: database.url, schema: database.schema)),
        ]
    }

    @Test func eventsThatAPolicyProcessedBeforeCancellationStayProcessed() async throws {
        try await record("a-1", 1...100)
        for readModels in try await readModelStores() {
            let reached = Waiter<Void>()
            var policy = Reactor()
            policy.react = { event in
                guard event.version == 21 else { return .done }
                reached.settle(.success(()))
                try await Task.sleep(for: .seconds(60))
                return .done
            }
            let running = Task { [policy] in try await consumers(.policy(policy, in: readModels)).run() }
            try await reached.value()
            running.cancel()
            try await running.value
            #expect(try await readModels.checkpoint(of: "reactor").position == 20)
            let again = Reactor()
            try await consumers(.policy(again, in: readModels)).catchUp()
            #expect(again.seen.withLock { $0.first } == "T21")
            #expect(again.seen.withLock { $0.count } == 80)
            await readModels.close()
        }
    }

    @Test func heldEventsOfADeletedStreamContinueWhenItIsRestored() async throws {
        try await record("a-1", 1...3)
        try await record("b-1", 4...5)
        let works = Locked(false)
        var policy = Reactor()
        policy.react = { event in
            works.withLock { $0 } || event.stream != "a-1" ? .done : .retry(after: .zero)
        }
        let readModels = try await SQLiteReadModelStore.open(.inMemory)
        let consumers = consumers(.policy(policy, in: readModels))
        try await consumers.catchUp()
        try await client.delete("a-1")
        works.withLock { $0 = true }
        try await record("b-1", 6...6)
        try await consumers.catchUp()
        #expect(try await readModels.held(by: "reactor").map(\.range) == [1...3])
        #expect(policy.seen.withLock { $0 } == ["T4", "T5", "T6"])
        try await client.restore("a-1")
        try await eventually {
            try await consumers.catchUp()
            return try await readModels.held(by: "reactor").isEmpty
        }
        #expect(policy.seen.withLock { $0 } == ["T4", "T5", "T6", "T1", "T2", "T3"])
    }

    @Test func manyDeletedStreamsDoNotBlockRetriesOfOthers() async throws {
        let works = Locked(false)
        for number in 0..<600 { try await record(StreamID("s-\(number)"), number...number) }
        var policy = Reactor()
        policy.react = { _ in works.withLock { $0 } ? .done : .retry(after: .zero) }
        let readModels = try await SQLiteReadModelStore.open(.inMemory)
        let consumers = consumers(.policy(policy, in: readModels))
        try await consumers.catchUp()
        for number in 0..<599 { try await client.delete(StreamID("s-\(number)")) }
        works.withLock { $0 = true }
        try await eventually {
            try await consumers.catchUp()
            return policy.seen.withLock { $0 } == ["T599"]
        }
        #expect(try await readModels.held(by: "reactor").count == 599)
    }

    @Test func anErrorThrownOnCancellationIsNotAFailedAttempt() async throws {
        try await record("a-1", 1...1)
        let reached = Waiter<Void>()
        var policy = Reactor()
        policy.react = { _ in
            reached.settle(.success(()))
            try? await Task.sleep(for: .seconds(60))
            throw Trouble()
        }
        let readModels = try await SQLiteReadModelStore.open(.inMemory)
        let running = Task { [policy] in try await consumers(.policy(policy, in: readModels)).run() }
        try await reached.value()
        running.cancel()
        try await running.value
        #expect(try await readModels.held(by: "reactor") == [])
        #expect(try await readModels.checkpoint(of: "reactor") == .start)
    }

    @Test func heldEventsOfAnErasedStreamAreReleased() async throws {
        try await record("a-1", 1...2)
        var policy = Reactor()
        policy.react = { _ in .retry(after: .zero) }
        let readModels = try await SQLiteReadModelStore.open(.inMemory)
        let consumers = consumers(.policy(policy, in: readModels))
        try await consumers.catchUp()
        try await client.erase("a-1")
        try await consumers.catchUp()
        #expect(try await readModels.held(by: "reactor") == [])
    }

    @Test func aRetryInTheFutureIsAwaitedAcrossARestart() async throws {
        let now = Locked(Date(timeIntervalSince1970: 1_700_000_000))
        let client = EventStoreClient(InMemoryEventStore(context: StoreContext(now: { now.withLock { $0 } })))
        func record(_ payload: Int) async throws {
            try await client.append(
                Append([NewEvent(stream: "a-1", type: "T", payload: JSONText(.number(.init(payload))))]))
            now.withLock { $0.addTimeInterval(60) }
        }
        let readModels = try await SQLiteReadModelStore.open(.inMemory)
        let policy = Reactor()
        let start = ConsumerStart.time(Date(timeIntervalSince1970: 1_700_000_000 + 150))
        for payload in 1...5 {
            // Each iteration acts as a new process.
            try await consumers(.policy(policy, in: readModels, from: start), of: client).catchUp()
            try await record(payload)
        }
        try await consumers(.policy(policy, in: readModels, from: start), of: client).catchUp()
        // At 0, 60 and 120 seconds, it was too early.
        #expect(policy.seen.withLock { $0 } == ["T4", "T5"])
        for wrong in [Double.nan, .infinity, -.infinity, 1e300] {
            let start = ConsumerStart.time(Date(timeIntervalSinceReferenceDate: wrong))
            let consumers = consumers(
                .policy(Reactor(), in: try await SQLiteReadModelStore.open(.inMemory), from: start), of: client)
            if wrong.isNaN {
                await #expect(throws: EventStoreError.self) { try await consumers.catchUp() }
            } else {
                try await consumers.catchUp()
            }
        }
    }

    @Test func theLongestPossibleDelayIsStored() async throws {
        try await record("a-1", 1...1)
        for readModels in try await readModelStores() {
            for delay in [Duration.seconds(Int64.max), .zero - .seconds(Int64.max), .nanoseconds(1)] {
                var policy = Reactor()
                policy.react = { _ in .retry(after: delay) }
                try await consumers(.policy(policy, in: readModels)).catchUp()
                #expect(try await readModels.held(by: "reactor").count == 1)
            }
            await readModels.close()
        }
    }

    @Test func aFailingUpcasterHoldsItsEventAndStopsNoConsumer() async throws {
        for (stream, type) in [("a-1", "Good"), ("b-1", "Bad"), ("b-1", "Good"), ("c-1", "Good"), ("c-1", "Split")] {
            try await client.append(Append([NewEvent(stream: StreamID(stream), type: type, payload: "{}")]))
        }
        let works = Locked(false)
        let upcasting = EventStoreClient(
            store,
            upcasters: [
                Upcaster("Bad", into: ["Good"]) { old in
                    if !works.withLock({ $0 }) { throw Trouble() }
                    return [.init("Good", old)]
                },
                Upcaster("Split", into: ["One", "Two"]) { old in [.init("One", old), .init("Two", old)] },
            ])
        let policy = Reactor()
        let readModels = try await SQLiteReadModelStore.open(.inMemory)
        let both = Consumers(
            of: upcasting, [.policy(policy, in: readModels), .projection(Lines(), in: readModels)])
        try await both.catchUp()
        #expect(policy.seen.withLock { $0 } == ["Good{}", "Good{}", "One{}", "Two{}"])
        for name in ["reactor", "lines"] {
            let held = try await readModels.held(by: name)
            #expect(held.map(\.range) == [2...3])
            #expect(held.first?.failure?.reason.contains("Bad") == true)
            #expect(held.first?.attempts == 1)
        }
        works.withLock { $0 = true }
        try await eventually {
            try await both.catchUp()
            let held = try await (readModels.held(by: "reactor"), readModels.held(by: "lines"))
            return held.0.isEmpty && held.1.isEmpty
        }
        #expect(policy.seen.withLock { $0 } == ["Good{}", "Good{}", "One{}", "Two{}", "Good{}", "Good{}"])
        let positions = try await readModels.read { transaction in
            try transaction.query("SELECT position FROM lines ORDER BY position").map {
                try $0.value("position", as: Int.self)
            }
        }
        #expect(positions == [1, 2, 3, 4, 5, 5])
    }

    @Test func aSubscriptionResumedAfterAnyPartOfASplitEventMissesNoPart() async throws {
        for _ in 0..<10 { try await client.append(Append([NewEvent(stream: "a-1", type: "Whole", payload: "{}")])) }
        let upcasting = EventStoreClient(
            store,
            upcasters: [
                Upcaster("Whole", into: ["One", "Two", "Three"]) { old in
                    ["One", "Two", "Three"].map { .init($0, old) }
                }
            ])
        var position = Position.start
        var seen: Set<[String]> = []
        var resumed = 0
        while seen.count < 30 {
            // Ends after the first new event, as if killed, and resumes.
            for try await element in upcasting.subscribe(after: position) {
                guard case .event(let event) = element else { continue }
                position = event.position
                if seen.insert([event.id.uuidString, event.type]).inserted { break }
            }
            resumed += 1
            try #require(resumed < 200)
        }
        #expect(position == 10)
        var pulled: [String] = []
        position = .start
        while true {
            let next = try await upcasting.events(after: position, limit: 3).collect()
            pulled += next.map(\.type)
            guard let last = next.last else { break }
            position = last.position
        }
        #expect(pulled.count == 30)
        // A limit below the number of parts.
        (pulled, position) = ([], .start)
        while true {
            let next = try await upcasting.events(after: position, limit: 1).collect()
            pulled += next.map(\.type)
            guard let last = next.last else { break }
            position = last.position
        }
        #expect(pulled.count == 30)
    }

    @Test func manyFailingEventsAreHeldInAFewTransactions() async throws {
        for number in 0..<1000 { try await record(StreamID("s-\(number)"), number...number) }
        for readModels in try await readModelStores() {
            var projection = Lines()
            projection.fails = { $0.position.rawValue.isMultiple(of: 2) }
            let clock = ContinuousClock.now
            try await consumers(.projection(projection, in: readModels)).catchUp()
            print("1000 events, of which 500 fail: \(ContinuousClock.now - clock)")
            // One run finds the first failure, one all failures, one runs without them; some are due again meanwhile.
            #expect(projection.applied.withLock { $0 } < 10_000)
            #expect(try await readModels.held(by: "lines").count == 500)
            let count = try await readModels.read { try $0.query("SELECT * FROM lines").count }
            #expect(count == 500)
            await readModels.close()
        }
    }

    @Test func aConsumerWaitsForAnUnreachableServerAndLogsItOnce() async throws {
        try await record("a-1", 1...3)
        let cluster = try await PostgresCluster.start()
        var settings = PostgresReadModelStore.Settings(url: cluster.url, schema: "models")
        settings.connection.connectTimeout = .seconds(2)
        let readModels = try await PostgresReadModelStore.open(settings)
        try await cluster.kill()
        let consumers = Consumers(of: client, [.projection(Lines(), in: readModels)])
        let running = Task { try await consumers.run() }
        await eventually { log.messages.contains { $0.contains("cannot use its stores and is retrying") } }
        try await cluster.startAgain()
        await eventually {
            await (try? readModels.checkpoint(of: "lines").position) == 3
        }
        running.cancel()
        try await running.value
        let trouble = log.events.filter { $0.level >= .notice }.map(\.message.description)
        #expect(
            trouble == [
                "The consumer lines cannot use its stores and is retrying", "The consumer lines is running again",
            ])
        await readModels.close()
    }

    /// How long the database is away; `DISCO_TEST_OUTAGE` sets another number of seconds.
    private static let outage = ProcessInfo.processInfo.environment["DISCO_TEST_OUTAGE"].flatMap(Int.init) ?? 3

    @Test func anOutageOfTheDatabaseParksNothingAndCountsNoAttempt() async throws {
        let cluster = try await PostgresCluster.start()
        var settings = PostgresReadModelStore.Settings(url: cluster.url, schema: "models")
        settings.connection.connectTimeout = .seconds(2)
        let readModels = try await PostgresReadModelStore.open(settings)
        let failures = FailurePolicy(attempts: 1)
        let reactor = Reactor()
        let consumers = Consumers(
            of: client,
            [
                .projection(Lines(), in: readModels, failures: failures),
                .policy(reactor, in: readModels, failures: failures),
            ])
        let running = Task { try await consumers.run() }
        for number in 1...20 { try await record(StreamID("a-\(number)"), number...number) }
        try await eventually { try await readModels.checkpoint(of: "lines").position == 20 }
        try await cluster.kill()
        for number in 21...40 { try await record(StreamID("a-\(number)"), number...number) }
        try await Task.sleep(for: .seconds(Self.outage))
        #expect(consumers.health.isReady == false)
        try await cluster.startAgain()
        await eventually(within: .seconds(90)) {
            let positions = [
                try? await readModels.checkpoint(of: "lines").position,
                try? await readModels.checkpoint(of: "reactor").position,
            ]
            return positions == [40, 40]
        }
        #expect(try await readModels.held(by: "lines") == [])
        #expect(try await readModels.held(by: "reactor") == [])
        let count = try await readModels.read { try $0.query("SELECT * FROM lines").count }
        #expect(count == 40)
        await eventually { consumers.health.isReady }
        running.cancel()
        try await running.value
        let trouble = log.events.filter { $0.level >= .notice && $0.message.description.hasPrefix("The consumers") }
        #expect(
            trouble.map(\.message.description) == [
                "The consumers lines, reactor cannot use their stores and are retrying",
                "The consumers lines, reactor are running again",
            ])
        await readModels.close()
    }
}
