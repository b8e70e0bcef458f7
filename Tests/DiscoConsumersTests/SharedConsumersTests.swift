import DiscoConsumers
import DiscoCore
import DiscoEventStore
import DiscoEventStorePostgres
import DiscoEventStoreSQLite
import Foundation
import Logging
import ServiceLifecycle
import TestSupport
import Testing

/// Consumers that run several times at once, as in several processes, on SQLite and PostgreSQL.
@Suite(.timeLimit(.minutes(2))) struct SharedConsumersTests {
    private static let lease = Duration.seconds(2)

    /// One of the processes: its consumers, its log, and its end.
    private struct Process: Sendable {
        let log: LogCollector
        let readModels: any ReadModelStore
        private let task: Task<Void, any Error>
        private let group: ServiceGroup

        init(
            _ client: EventStoreClient, _ readModels: any ReadModelStore, _ consumers: [EventConsumer],
            lease: Duration = SharedConsumersTests.lease
        ) {
            let log = LogCollector()
            self.log = log
            self.readModels = readModels
            var quiet = Logger(label: "test") { _ in SwiftLogNoOpLogHandler() }
            quiet.logLevel = .critical
            let group = ServiceGroup(
                services: [Consumers(of: client, consumers, settings: .init(lease: lease, build: "1"))], logger: quiet)
            self.group = group
            task = Task { try await group.run() }
        }

        func endGracefully() async throws {
            await group.triggerGracefulShutdown()
            try await task.value
        }
    }

    enum Database: CaseIterable { case sqlite, postgres }

    private final class Stores: Sendable {
        private let open: @Sendable () async throws -> any ReadModelStore
        private let opened = Locked<[any ReadModelStore]>([])
        private let folder: TemporaryFolder?
        private let database: TestDatabase?

        init(_ database: Database) throws {
            switch database {
            case .sqlite:
                let folder = try TemporaryFolder()
                self.folder = folder
                self.database = nil
                open = { try await SQLiteReadModelStore.open(path: folder.file("read-models")) }
            case .postgres:
                let database = try TestDatabase()
                self.folder = nil
                self.database = database
                open = { try await PostgresReadModelStore.open(.init(url: database.url, schema: database.schema)) }
            }
        }

        /// Opens a store of its own on the same data, as another process would.
        func another() async throws -> any ReadModelStore {
            let store = try await open()
            opened.withLock { $0.append(store) }
            return store
        }

        func close() async {
            for store in opened.withLock({ $0 }) { await store.close() }
        }
    }

    private struct Reactor: Policy {
        var name = "reactor"
        let seen: Locked<[Position]>
        var react: @Sendable (RecordedEvent) async throws -> Void = { _ in }

        func process(_ event: RecordedEvent, in context: PolicyContext) async throws -> Outcome {
            try await react(event)
            seen.withLock { $0.append(event.position) }
            return .done
        }
    }

    private struct Lines: Projection {
        let name = "lines"

        func setUp(_ transaction: SQLTransaction) throws {
            try transaction.execute(
                "CREATE TABLE IF NOT EXISTS lines (number INTEGER NOT NULL, stream TEXT NOT NULL, text TEXT NOT NULL)")
        }

        func apply(_ event: RecordedEvent, _ transaction: SQLTransaction) throws {
            try transaction.execute(
                "INSERT INTO lines VALUES (\(event.version), \(event.stream), \(event.payload.string))")
        }
    }

    private func record(_ client: EventStoreClient, _ count: Int, streams: Int = 50) async throws {
        for number in 0..<count {
            try await client.append(
                Append([NewEvent(stream: StreamID("a-\(number % streams)"), type: "T", payload: "{}")]))
        }
    }

    private func owners(_ store: any ReadModelStore, _ consumer: String) async throws -> [String: Int] {
        let owners = try await store.partitions(of: consumer).map { $0.owner ?? "nobody" }
        return Dictionary(owners.map { ($0, 1) }, uniquingKeysWith: +)
    }

    @Test(arguments: Database.allCases)
    func ofTwoProcessesOneWorksAndTheOtherStandsByAndTakesOver(database: Database) async throws {
        let client = EventStoreClient(InMemoryEventStore(context: StoreContext(logger: nil)))
        let stores = try Stores(database)
        let (first, second) = (Locked<[Position]>([]), Locked<[Position]>([]))
        let one = Process(client, try await stores.another(), [])
        try await one.endGracefully()
        func process(_ seen: Locked<[Position]>) async throws -> Process {
            let readModels = try await stores.another()
            return Process(client, readModels, [.policy(Reactor(seen: seen), in: readModels)], lease: .seconds(60))
        }
        let working = try await process(first)
        try await record(client, 10)
        await eventually { first.withLock { $0.count } == 10 }
        let waiting = try await process(second)
        await eventually { (try? await waiting.readModels.members().count) == 2 }
        try await record(client, 10)
        await eventually { first.withLock { $0.count } == 20 }
        #expect(second.withLock { $0 } == [])
        let clock = ContinuousClock.now
        try await working.endGracefully()
        try await record(client, 10)
        // At once, although the lease would last for a minute.
        await eventually { second.withLock { $0.count } == 10 }
        #expect(ContinuousClock.now - clock < .seconds(20))
        #expect(first.withLock { $0 } + second.withLock { $0 } == (1...30).map { Position(rawValue: $0) })
        #expect(try await waiting.readModels.members().count == 1)
        try await waiting.endGracefully()
        await stores.close()
    }

    @Test(arguments: Database.allCases)
    func partitionsAreSharedFairlyAndNothingIsAppliedTwice(database: Database) async throws {
        let client = EventStoreClient(InMemoryEventStore())
        let stores = try Stores(database)
        func process() async throws -> Process {
            let readModels = try await stores.another()
            return Process(client, readModels, [.projection(Lines(), in: readModels, partitions: 8)])
        }
        let readModels = try await stores.another()
        var processes = [try await process()]
        let isDone = Locked(false)
        let writing = Task {
            var count = 0
            while !isDone.withLock({ $0 }) {
                try await record(client, 20)
                count += 20
                try await Task.sleep(for: .milliseconds(5))
            }
            return count
        }
        for expected in [[4, 4], [2, 3, 3]] {
            processes.append(try await process())
            await eventually { (try? await owners(readModels, "lines").values.sorted()) == expected }
        }
        for expected in [[4, 4], [8]] {
            try await processes.removeFirst().endGracefully()
            await eventually { (try? await owners(readModels, "lines").values.sorted()) == expected }
        }
        isDone.withLock { $0 = true }
        let count = try await writing.value
        try await eventually {
            try await readModels.checkpoint(of: "lines").position == Position(rawValue: Int64(count))
        }
        try await processes[0].endGracefully()
        let rows = try await readModels.read { transaction in
            try transaction.query("SELECT number, stream FROM lines").map { row -> (Int, String) in
                (try row.value("number"), try row.value("stream"))
            }
        }
        #expect(rows.count == count)
        var versions: [String: Set<Int>] = [:]
        for (version, stream) in rows { versions[stream, default: []].insert(version) }
        #expect(versions.values.reduce(0) { $0 + $1.count } == count)
        await stores.close()
    }

    @Test(arguments: Database.allCases)
    func consumersOfOnePartitionAreSharedToo(database: Database) async throws {
        let client = EventStoreClient(InMemoryEventStore())
        let stores = try Stores(database)
        let seen = Locked<[Position]>([])
        func process() async throws -> Process {
            let readModels = try await stores.another()
            return Process(
                client, readModels,
                (1...6).map { .policy(Reactor(name: "reactor \($0)", seen: seen), in: readModels) })
        }
        let readModels = try await stores.another()
        func shares() async throws -> [Int] {
            let owners = try await readModels.partitions(of: nil).map { $0.owner ?? "nobody" }
            return Dictionary(owners.map { ($0, 1) }, uniquingKeysWith: +).values.sorted()
        }
        let one = try await process()
        await eventually { (try? await shares()) == [6] }
        let two = try await process()
        await eventually { (try? await shares()) == [3, 3] }
        try await record(client, 5)
        await eventually { seen.withLock { $0.count } == 30 }
        try await one.endGracefully()
        try await two.endGracefully()
        await stores.close()
    }

    @Test func aPartitionIsGivenBackAfterItsWorkHasEnded() async throws {
        let client = EventStoreClient(InMemoryEventStore())
        let stores = try Stores(.sqlite)
        let (active, most) = (Locked(0), Locked(0))
        let seen = Locked<[Position]>([])
        func process() async throws -> Process {
            let readModels = try await stores.another()
            let slow = Reactor(seen: seen) { _ in
                let count = active.withLock { active in
                    active += 1
                    return active
                }
                most.withLock { $0 = max($0, count) }
                try await Task.sleep(for: .milliseconds(200))
                active.withLock { $0 -= 1 }
            }
            return Process(client, readModels, [.policy(slow, in: readModels)])
        }
        try await record(client, 12, streams: 1)
        var processes = [try await process(), try await process()]
        for _ in 0..<3 {
            let before = seen.withLock { $0.count }
            await eventually { seen.withLock { $0.count } > before }
            try await processes.removeFirst().endGracefully()
            processes.append(try await process())
        }
        await eventually { seen.withLock { $0.count } >= 12 }
        for process in processes { try await process.endGracefully() }
        #expect(most.withLock { $0 } == 1)
        #expect(seen.withLock { $0 } == (1...12).map { Position(rawValue: $0) })
        await stores.close()
    }

    /// A member whose lease has expired comes back under a new id, and nothing that it had begun is stored.
    @Test(arguments: Database.allCases)
    func anExpiredMemberOwnsNothingAnyMore(database: Database) async throws {
        let client = EventStoreClient(InMemoryEventStore())
        let stores = try Stores(database)
        let seen = Locked<[Position]>([])
        let readModels = try await stores.another()
        let process = Process(client, readModels, [.policy(Reactor(seen: seen), in: readModels)])
        try await record(client, 3)
        await eventually { seen.withLock { $0.count } == 3 }
        let other = try await stores.another()
        let before = try #require(try await other.members().first?.member.id)
        // What happens to a process that is suspended for longer than its lease.
        try await other.leave(before)
        await eventually {
            let members = (try? await other.members().map(\.member.id)) ?? []
            return members.count == 1 && members != [before]
        }
        try await record(client, 3)
        await eventually { seen.withLock { $0.count } == 6 }
        let state = try #require(try await other.partitions(of: "reactor").first)
        #expect(state.owner != before)
        try await process.endGracefully()
        #expect(seen.withLock { $0 } == (1...6).map { Position(rawValue: $0) })
        await stores.close()
    }

    @Test func aDecisionAboutAHeldStreamTakesEffectAtOnce() async throws {
        let client = EventStoreClient(InMemoryEventStore())
        let stores = try Stores(.sqlite)
        let (seen, works) = (Locked<[Position]>([]), Locked(false))
        let readModels = try await stores.another()
        struct Trouble: Error {}
        let policy = Reactor(seen: seen) { event in
            if !works.withLock({ $0 }), event.stream == "a-1" { throw Trouble() }
        }
        let process = Process(
            client, readModels, [.policy(policy, in: readModels, failures: FailurePolicy(attempts: 1))])
        try await record(client, 6, streams: 2)
        let other = try await stores.another()
        await eventually { (try? await other.held(by: "reactor").first?.isParked) == true }
        await eventually { seen.withLock { $0.count } == 3 }
        works.withLock { $0 = true }
        #expect(try await other.decide(HeldDecision(.retry, consumer: "reactor", HeldFilter())).count == 1)
        await eventually { seen.withLock { $0.count } == 6 }
        #expect(seen.withLock { $0 } == [1, 3, 5, 2, 4, 6])
        await eventually { (try? await other.held(by: "reactor").isEmpty) == true }
        try await process.endGracefully()
        await stores.close()
    }
}
