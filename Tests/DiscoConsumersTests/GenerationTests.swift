import DiscoConsumers
import DiscoCore
import DiscoEventStore
import DiscoEventStorePostgres
import DiscoEventStoreSQLite
import Foundation
import Logging
import TestSupport
import Testing

/// Read models that are rebuilt, consumers that are divided anew, and versions side by side, on SQLite and PostgreSQL.
@Suite(.timeLimit(.minutes(2))) struct GenerationTests {
    enum Database: CaseIterable { case sqlite, postgres }

    /// Counts the events of each stream; version 2 counts double.
    private struct Counts: Projection {
        let name = "counts"
        var version = 1
        var query = EventQuery.types("T")
        var delay: Duration = .zero
        var usesPlainTables = false

        func setUp(_ transaction: SQLTransaction) throws {
            if usesPlainTables {
                return try transaction.execute("CREATE TABLE IF NOT EXISTS plain (stream TEXT NOT NULL)")
            }
            try transaction.execute(
                "CREATE TABLE IF NOT EXISTS \(table: "counts") (stream TEXT PRIMARY KEY, number BIGINT NOT NULL)")
            try transaction.execute(
                "CREATE INDEX IF NOT EXISTS \(index: "counts_by_number") ON \(table: "counts") (number)")
        }

        func apply(_ event: RecordedEvent, _ transaction: SQLTransaction) throws {
            if usesPlainTables { return try transaction.execute("INSERT INTO plain VALUES (\(event.stream))") }
            if delay > .zero { Thread.sleep(forTimeInterval: delay / .seconds(1)) }
            try transaction.execute(
                """
                INSERT INTO \(table: "counts") (stream, number) VALUES (\(event.stream), \(version))
                ON CONFLICT (stream) DO UPDATE SET number = \(table: "counts").number + \(version)
                """)
        }
    }

    private struct Stop: Error {}

    private let client = EventStoreClient(InMemoryEventStore())

    private func store(_ database: Database) async throws -> any ReadModelStore {
        switch database {
        case .sqlite: return try await SQLiteReadModelStore.open(.inMemory)
        case .postgres:
            let database = try TestDatabase()
            return try await PostgresReadModelStore.open(.init(url: database.url, schema: database.schema))
        }
    }

    private func record(_ count: Int) async throws {
        for number in 0..<count {
            try await client.append(Append([NewEvent(stream: StreamID("a-\(number % 7)"), type: "T", payload: "{}")]))
        }
    }

    private func consumers(
        _ projection: Counts, _ readModels: any ReadModelStore, partitions: Int = 1,
        keepsPrevious: Duration = .seconds(3600)
    ) -> Consumers {
        Consumers(
            of: client, [.projection(projection, in: readModels, partitions: partitions)],
            settings: .init(keepsPrevious: keepsPrevious))
    }

    private func total(_ readModels: any ReadModelStore) async throws -> Int {
        try await readModels.read { transaction in
            try transaction.query("SELECT coalesce(CAST(sum(number) AS bigint), 0) AS total FROM \(table: "counts")")[0]
                .value("total")
        }
    }

    /// What tools see that know nothing of generations.
    private func totalOfView(_ readModels: any ReadModelStore) async throws -> Int {
        try await readModels.read { transaction in
            try transaction.query("SELECT coalesce(CAST(sum(number) AS bigint), 0) AS total FROM counts")[0]
                .value("total")
        }
    }

    private func state(_ readModels: any ReadModelStore) async throws -> ConsumerState {
        try #require(try await readModels.consumers().first)
    }

    @Test(arguments: Database.allCases)
    func aHigherVersionIsBuiltBesideTheRunningOneAndTakesItsPlace(database: Database) async throws {
        let readModels = try await store(database)
        try await record(100)
        try await consumers(Counts(), readModels).catchUp()
        #expect(try await total(readModels) == 100)
        let two = Counts(version: 2)
        // Both versions run at once, as in a rolling deploy, while events come in.
        let old = Task { try await consumers(Counts(), readModels, partitions: 3).run() }
        let new = Task { try await consumers(two, readModels, partitions: 3).run() }
        var seen: Set<Int> = []
        var recorded = 100
        while try await state(readModels).live.version == 1 {
            try await record(7)
            recorded += 7
            let now = try await total(readModels)
            seen.insert(now)
            // Never a part of the new one.
            #expect(now >= 100)
        }
        try await record(50)
        recorded += 50
        try await eventually { try await total(readModels) == 2 * recorded }
        #expect(try await totalOfView(readModels) == 2 * recorded)
        let live = try await state(readModels)
        #expect(live.live.number == 2 && live.live.version == 2 && live.previous?.number == 1 && live.building == nil)
        // The old one is kept up to date as long as the old version runs, for going back.
        try await eventually {
            let partitions = try await readModels.partitions(of: "counts").filter { !$0.isLive }
            return partitions.map(\.checkpoint.position) == [Position(rawValue: Int64(recorded))]
        }
        try await readModels.administer("counts", .revert)
        try await eventually { try await state(readModels).live.number == 1 }
        #expect(try await total(readModels) == recorded)
        #expect(try await totalOfView(readModels) == recorded)
        for task in [old, new] {
            task.cancel()
            try await task.value
        }
        await readModels.close()
    }

    @Test(arguments: Database.allCases)
    func aRebuildOfTheSameVersionCanBeCancelledAndTheOldOneIsDropped(database: Database) async throws {
        let readModels = try await store(database)
        try await record(30)
        let one = consumers(Counts(), readModels, keepsPrevious: .zero)
        try await one.catchUp()
        for _ in 0..<2 {
            try await readModels.administer("counts", .rebuild)
            await #expect(throws: EventStoreError.self) { try await readModels.administer("counts", .rebuild) }
            await #expect(throws: EventStoreError.self) { try await readModels.administer("counts", .partition(4)) }
            try await readModels.administer("counts", .cancelRebuild)
            await #expect(throws: EventStoreError.self) { try await readModels.administer("counts", .cancelRebuild) }
        }
        await #expect(throws: EventStoreError.self) { try await readModels.administer("counts", .revert) }
        try await readModels.administer("counts", .rebuild)
        try await one.catchUp()
        let number = try await state(readModels).live.number
        #expect(number > 1)
        #expect(try await total(readModels) == 30)
        // Whoever runs the consumer deletes what is no longer kept.
        let running = Task { try await one.run() }
        try await eventually { try await state(readModels).previous == nil }
        running.cancel()
        try await running.value
        #expect(try await readModels.partitions(of: "counts").map(\.partition.generation) == [number])
        await #expect(throws: EventStoreError.self) {
            _ = try await readModels.read { try $0.query("SELECT * FROM counts__1") }
        }
        await readModels.close()
    }

    @Test(arguments: Database.allCases)
    func aRebuildGoesOnWhereItWasAndNeverTakesOverHalfDone(database: Database) async throws {
        let readModels = try await store(database)
        try await record(3000)
        try await consumers(Counts(), readModels).catchUp()
        try await readModels.administer("counts", .rebuild)
        let slow = consumers(Counts(delay: .microseconds(100)), readModels)
        var positions: [Position] = []
        for _ in 0..<3 {
            let before = try await readModels.partitions(of: "counts").first { !$0.isLive }?.checkpoint.position
            let running = Task { try await slow.run() }
            try await eventually {
                let now = try await readModels.partitions(of: "counts").first { !$0.isLive }?.checkpoint.position
                return now.map { $0 > (before ?? .start) } ?? true
            }
            running.cancel()
            try await running.value
            #expect(try await total(readModels) == 3000)
            positions.append(before ?? .start)
        }
        #expect(positions == positions.sorted())
        try await consumers(Counts(), readModels).catchUp()
        #expect(try await state(readModels).live.number == 2)
        #expect(try await total(readModels) == 3000)
        await readModels.close()
    }

    @Test(arguments: Database.allCases)
    func aConsumerIsDividedAnewWhileEventsFlow(database: Database) async throws {
        let readModels = try await store(database)
        try await record(50)
        try await consumers(Counts(), readModels, partitions: 8).catchUp()
        let running = (0..<2).map { _ in
            Task { try await consumers(Counts(), readModels, partitions: 8).run() }
        }
        var recorded = 50
        try await eventually { try await total(readModels) == 50 }
        for count in [3, 12, 1] {
            try await readModels.administer("counts", .partition(count))
            let expected = ConsumerPartition.slices(of: count)
            try await eventually {
                try await record(20)
                recorded += 20
                let states = try await readModels.partitions(of: "counts")
                return states.map(\.partition.slices) == expected && states.allSatisfy { $0.owner != nil }
            }
        }
        try await eventually { try await total(readModels) == recorded }
        for task in running {
            task.cancel()
            try await task.value
        }
        #expect(try await total(readModels) == recorded)
        await #expect(throws: EventStoreError.self) { try await readModels.administer("counts", .partition(0)) }
        await #expect(throws: EventStoreError.self) { try await readModels.administer("counts", .partition(Int.max)) }
        await readModels.close()
    }

    @Test func aProjectionWithPlainTablesCannotBeRebuiltBeside() async throws {
        let readModels = try await store(.sqlite)
        try await record(3)
        try await consumers(Counts(usesPlainTables: true), readModels).catchUp()
        let error = await #expect(throws: EventStoreError.self) {
            try await readModels.administer("counts", .rebuild)
        }
        #expect(error?.code == .invalidArgument)
        let two = consumers(Counts(version: 2, usesPlainTables: true), readModels)
        let configuration = await #expect(throws: EventStoreError.self) { try await two.catchUp() }
        #expect(configuration?.code == .configuration)
        let unknown = await #expect(throws: EventStoreError.self) {
            try await readModels.administer("nobody", .rebuild)
        }
        #expect(unknown?.code == .unknownConsumer)
    }

    @Test func aResetEmptiesTheTablesAndStartsOver() async throws {
        let readModels = try await store(.sqlite)
        try await record(30)
        let one = consumers(Counts(), readModels)
        let running = Task { try await one.run() }
        for _ in 0..<3 {
            try await eventually { try await readModels.checkpoint(of: "counts").position == 30 }
            #expect(try await total(readModels) == 30)
            try await readModels.reset("counts")
        }
        try await eventually { try await readModels.checkpoint(of: "counts").position == 30 }
        running.cancel()
        try await running.value
        #expect(try await total(readModels) == 30)
    }

    @Test func anotherQueryNeedsAnotherVersion() async throws {
        let readModels = try await store(.sqlite)
        try await record(3)
        try await consumers(Counts(), readModels).catchUp()
        let changed = consumers(Counts(query: .types("T", "U")), readModels)
        let error = await #expect(throws: EventStoreError.self) { try await changed.catchUp() }
        #expect(error?.message.contains("Raise its version above 1") == true)
        // The order of the types does not matter.
        try await consumers(Counts(version: 2, query: .types("U", "T")), readModels).catchUp()
        try await consumers(Counts(version: 2, query: .types("T", "U")), readModels).catchUp()
        #expect(try await total(readModels) == 6)
        let older = await #expect(throws: EventStoreError.self) {
            try await consumers(Counts(query: .types("U")), readModels).catchUp()
        }
        #expect(older?.message == "counts has version 1 in this program, but version 2 has run.")
    }

    private struct Noted: Policy {
        let name = "noted"
        var version = 1
        var query = EventQuery.types("T")
        let seen: Locked<[Position]>

        func process(_ event: RecordedEvent, in context: PolicyContext) async throws -> Outcome {
            seen.withLock { $0.append(event.position) }
            return .done
        }
    }

    /// In a rolling deploy, the higher version of a policy takes over, and the lower one stands by.
    @Test(arguments: Database.allCases)
    func aHigherVersionOfAPolicyTakesOver(database: Database) async throws {
        let readModels = try await store(database)
        let log = LogCollector()
        let client = EventStoreClient(InMemoryEventStore(context: StoreContext(logger: log.logger())))
        let (first, second) = (Locked<[Position]>([]), Locked<[Position]>([]))
        func append(_ count: Int, _ type: String) async throws {
            for _ in 0..<count {
                try await client.append(Append([NewEvent(stream: "a-1", type: type, payload: "{}")]))
            }
        }
        let old = Task {
            try await Consumers(of: client, [.policy(Noted(seen: first), in: readModels)]).run()
        }
        try await append(10, "T")
        await eventually { first.withLock { $0.count } == 10 }
        let two = Noted(version: 2, query: .types("T", "U"), seen: second)
        let new = Task { try await Consumers(of: client, [.policy(two, in: readModels)]).run() }
        try await eventually { try await readModels.consumers().first?.live.version == 2 }
        await eventually { log.messages.contains("noted gave back its lease") }
        try await append(10, "T")
        try await append(10, "U")
        await eventually { second.withLock { $0.count } == 20 }
        #expect(first.withLock { $0.count } == 10)
        #expect(second.withLock { $0 } == (11...30).map { Position(rawValue: $0) })
        await eventually {
            log.messages.contains("noted stands by: noted has version 1 in this program, but version 2 has run.")
        }
        for task in [old, new] {
            task.cancel()
            try await task.value
        }
        await readModels.close()
    }

    @Test func pausesEndTheWorkAndResumingGoesOn() async throws {
        let readModels = try await store(.sqlite)
        let one = consumers(Counts(), readModels)
        try await one.catchUp()
        let running = Task { try await one.run() }
        try await record(10)
        try await eventually { try await total(readModels) == 10 }
        #expect(one.health == ConsumersHealth(isLive: true, isReady: true, reasons: []))
        try await readModels.administer("counts", .pause(reason: "maintenance"))
        try await eventually { try await one.status().first?.owned == 0 }
        try await record(10)
        let status = try #require(try await one.status().first)
        #expect(status.state == "paused" && status.pausedReason == "maintenance")
        #expect(status.lag == 10 && status.position == 10 && status.head == 20)
        #expect(status.lagSeconds.map { $0 >= 0 && $0 < 60 } == true)
        #expect(try await total(readModels) == 10)
        try await readModels.administer("counts", .resume)
        try await eventually { try await total(readModels) == 20 }
        try await eventually { try await one.status().first?.lag == 0 }
        let working = try #require(try await one.status().first)
        #expect(working.state == "working" && working.lagSeconds == 0 && working.owned == 1)
        #expect(working.partitions.first?.host?.isEmpty == false)
        running.cancel()
        try await running.value
        #expect(one.health.isReady == false)
    }

    @Test func namesOfTablesAreChecked() async throws {
        let readModels = try await store(.sqlite)
        for name in ["", "Counts", "a b", "a;b", "1a", "a\0", "é", "disco_held", String(repeating: "a", count: 51)] {
            let error = await #expect(throws: EventStoreError.self) {
                _ = try await readModels.read { try $0.query("SELECT * FROM \(table: name)") }
            }
            #expect(error?.code == .invalidArgument, "\(name)")
        }
    }

    @Test func twoProjectionsCannotShareATable() async throws {
        struct Thief: Projection {
            let name = "thief"
            func setUp(_ transaction: SQLTransaction) throws {
                try transaction.execute("CREATE TABLE IF NOT EXISTS \(table: "counts") (stream TEXT)")
            }
            func apply(_ event: RecordedEvent, _ transaction: SQLTransaction) throws {}
        }
        let readModels = try await store(.sqlite)
        try await consumers(Counts(), readModels).catchUp()
        let error = await #expect(throws: EventStoreError.self) {
            try await Consumers(of: client, [.projection(Thief(), in: readModels)]).catchUp()
        }
        #expect(error?.message == "The table counts of thief belongs to counts. Give it another name.")
    }
}
