import DiscoCore
import DiscoEventStorePostgres
import DiscoTesting
import Foundation
import Logging
import TestSupport
import Testing

/// How the store behaves when servers die, freeze and come back.
@Suite(.serialized, .timeLimit(.minutes(4))) struct PostgresFailureTests {
    private func settings(_ url: String) -> PostgresEventStore.Settings {
        var settings = PostgresEventStore.Settings(url: url)
        settings.readers = 2
        settings.connection.connectTimeout = .seconds(2)
        settings.connection.requestTimeout = .seconds(5)
        return settings
    }

    private func event(_ stream: StreamID) -> NewEvent { NewEvent(stream: stream, type: "T", payload: "{}") }

    /// Appends one event after the other from each of 16 tasks until stopped. An append that fails technically is
    /// repeated unchanged until it succeeds, so each id that was ever tried must be stored exactly once at the end.
    private final class Load: Sendable {
        let stopping = Locked(false)
        let acknowledged = Locked<Set<UUID>>([])
        private let client: EventStoreClient

        init(_ client: EventStoreClient) { self.client = client }

        func run() async throws {
            try await withThrowingTaskGroup(of: Void.self) { group in
                for task in 0..<16 {
                    group.addTask { [self] in
                        while !stopping.withLock({ $0 }) { try await append(StreamID("s-\(task)")) }
                    }
                }
                try await group.waitForAll()
            }
        }

        private func append(_ stream: StreamID) async throws {
            let append = Append([NewEvent(stream: stream, type: "T", payload: "{}")])
            while true {
                do {
                    try await client.append(append)
                    _ = acknowledged.withLock { $0.insert(append.events[0].id) }
                    return
                } catch is OutcomeUnknown {
                    continue
                } catch let error as EventStoreError where [.unavailable, .busy, .readOnly].contains(error.code) {
                    continue
                }
            }
        }

        func acknowledgedCount() -> Int { acknowledged.withLock { $0.count } }
    }

    /// Follows all events in the background.
    private func follow(_ client: EventStoreClient) -> (seen: Locked<[RecordedEvent]>, task: Task<Void, any Error>) {
        let seen = Locked<[RecordedEvent]>([])
        let task = Task {
            for try await case .event(let event) in client.subscribe() { seen.withLock { $0.append(event) } }
        }
        return (seen, task)
    }

    /// Checks that every acknowledged event is stored once, without gaps, and that the follower saw all in order.
    private func check(_ client: EventStoreClient, _ load: Load, _ seen: Locked<[RecordedEvent]>) async throws {
        let stored = try await client.events().collect()
        #expect(Set(stored.map(\.id)) == load.acknowledged.withLock { $0 })
        #expect(stored.map(\.position.rawValue) == (0..<stored.count).map { Int64($0) + 1 })
        #expect(try await client.verify() == [])
        await eventually(within: .seconds(30)) { seen.withLock { $0.count } >= stored.count }
        #expect(seen.withLock { $0.map(\.id) } == stored.map(\.id))
    }

    @Test func repeatedKillsOfTheServerLoseAndDuplicateNothing() async throws {
        let cluster = try await PostgresCluster.start()
        let client = EventStoreClient(try await PostgresEventStore.open(settings(cluster.url)))
        let follower = follow(client)
        let load = Load(client)
        let running = Task { try await load.run() }
        for round in 1...4 {
            await eventually(within: .seconds(40)) { load.acknowledgedCount() > 300 * round }
            try await cluster.kill()
            try await cluster.startAgain()
        }
        let before = load.acknowledgedCount()
        await eventually(within: .seconds(40)) { load.acknowledgedCount() > before + 300 }
        load.stopping.withLock { $0 = true }
        try await running.value
        try await check(client, load, follower.seen)
        follower.task.cancel()
        await client.store.close()
    }

    @Test func cutConnectionsLoseAndDuplicateNothing() async throws {
        let database = try TestDatabase()
        var settings = settings(database.url)
        settings.schema = database.schema
        // Two stores, so that some connections are cut while they wait for the other's lock.
        let clients = [
            EventStoreClient(try await PostgresEventStore.open(settings)),
            EventStoreClient(try await PostgresEventStore.open(settings)),
        ]
        let follower = follow(clients[0])
        let loads = clients.map { Load($0) }
        let running = loads.map { load in Task { try await load.run() } }
        for round in 1...25 {
            await eventually(within: .seconds(40)) { loads.allSatisfy { $0.acknowledgedCount() > 20 * round } }
            try await database.cutConnections()
        }
        for load in loads { load.stopping.withLock { $0 = true } }
        for task in running { try await task.value }
        loads[0].acknowledged.withLock { $0.formUnion(loads[1].acknowledged.withLock { $0 }) }
        try await check(clients[0], loads[0], follower.seen)
        follower.task.cancel()
        for client in clients { await client.store.close() }
    }

    @Test(arguments: EventStoreConformance.cases.filter { "F".contains($0.number.prefix(1)) })
    func followingWorksWithoutNotifications(aCase: EventStoreConformance.Case) async throws {
        let open: @Sendable (TestDatabase) async throws -> PostgresEventStore = { database in
            var settings = PostgresEventStore.Settings(url: database.url, schema: database.schema)
            settings.connection.notifications = .off
            return try await PostgresEventStore.open(settings)
        }
        let database = try TestDatabase()
        let suite = EventStoreConformance(
            open: { _ in try await open(database) }, second: { _ in try await open(database) },
            disturb: { _ in try await database.cutConnections() })
        if case .skipped(let lacking) = try await aCase.run(on: suite) { try Test.cancel("\(lacking)") }
    }

    @Test func aFailoverLosesNoAcknowledgedEvent() async throws {
        let primary = try await PostgresCluster.start()
        let standby = try await primary.standby()
        try await TestDatabase(url: primary.url).run("ALTER SYSTEM SET synchronous_standby_names = 'standby'")
        try await TestDatabase(url: primary.url).run("SELECT pg_reload_conf()")
        let url = "postgresql://disco@\(primary.address),\(standby.address)/disco?target_session_attrs=read-write"
        let client = EventStoreClient(try await PostgresEventStore.open(settings(url)))
        let follower = follow(client)
        let load = Load(client)
        let running = Task { try await load.run() }
        await eventually(within: .seconds(40)) { load.acknowledgedCount() > 1000 }
        try await primary.kill()
        try await standby.promote()
        let before = load.acknowledgedCount()
        await eventually(within: .seconds(60)) { load.acknowledgedCount() > before + 1000 }
        load.stopping.withLock { $0 = true }
        try await running.value
        try await check(client, load, follower.seen)
        follower.task.cancel()
        await client.store.close()
    }

    @Test func aReadOnlyServerIsReportedAndWorksAgainAfterwards() async throws {
        let primary = try await PostgresCluster.start()
        try await PostgresEventStore.open(settings(primary.url)).close()
        let standby = try await primary.standby()
        let client = EventStoreClient(try await PostgresEventStore.open(settings(standby.url)))
        let error = await #expect(throws: EventStoreError.self) { try await client.append(Append([event("a-1")])) }
        #expect(error?.code == .readOnly)
        #expect(error?.message.contains("target_session_attrs=read-write") == true)
        try await primary.kill()
        try await standby.promote()
        try await client.append(Append([event("a-1")]))
        #expect(try await client.head() == 1)
        await client.store.close()
    }

    @Test func anUnreachableServerIsReportedAndWorksAgainAfterwards() async throws {
        let cluster = try await PostgresCluster.start()
        let client = EventStoreClient(try await PostgresEventStore.open(settings(cluster.url)))
        try await client.append(Append([event("a-1")]))
        try await cluster.kill()
        let start = ContinuousClock.now
        await #expect(throws: (any Error).self) { try await client.append(Append([event("a-1")])) }
        let read = await #expect(throws: EventStoreError.self) { try await client.head() }
        #expect(read?.code == .unavailable)
        #expect(ContinuousClock.now - start < .seconds(15))
        try await cluster.startAgain()
        try await client.append(Append([event("a-1")]))
        #expect(try await client.head() >= 2)
        await client.store.close()
    }

    @Test func anOutageIsLoggedOnceWhenItBeginsAndOnceWhenItEnds() async throws {
        let cluster = try await PostgresCluster.start()
        let log = LogCollector()
        let store = try await PostgresEventStore.open(
            settings(cluster.url), context: StoreContext(logger: log.logger()))
        let client = EventStoreClient(store)
        let follower = follow(client)
        try await client.append(Append([event("a-1")]))
        await eventually { follower.seen.withLock { $0.count } == 1 }
        #expect(log.messages == [])
        for round in 1...2 {
            try await cluster.kill()
            for _ in 0..<3 { _ = try? await client.head() }
            func logged(_ part: String) -> [String] { log.messages.filter { $0.contains(part) } }
            await eventually { logged("cannot reach its server and is retrying").count == round }
            await eventually { logged("cannot listen for notifications").count == round }
            try await cluster.startAgain()
            await eventually(within: .seconds(20)) { (try? await client.head()) != nil }
            await eventually(within: .seconds(20)) { logged("can reach its server again").count == round }
            await eventually(within: .seconds(20)) { logged("receives notifications again").count == round }
            #expect(logged("cannot reach its server and is retrying").count == round)
            #expect(logged("cannot listen for notifications").count == round)
        }
        let begins = log.events.filter { $0.message.description.contains("cannot") }
        #expect(begins.allSatisfy { $0.level == .warning && $0.metadata?["error"] != nil })
        #expect(log.events.filter { $0.message.description.contains("again") }.allSatisfy { $0.level == .notice })
        follower.task.cancel()
        await client.close()
    }

    @Test func aFullDiskIsReportedLosesNothingAndWorksAgainAfterwards() async throws {
        let cluster = try await PostgresCluster.start(withDiskOf: "16m")
        let database = try TestDatabase(url: cluster.url)
        let ballast = try await Program(
            "/usr/bin/psql", ["-X", "-q", "-v", "ON_ERROR_STOP=1", "-d", cluster.url],
            lines: [
                "CREATE TABLESPACE small LOCATION '\(cluster.disk)';",
                "CREATE TABLE ballast TABLESPACE small AS SELECT repeat('x', 1000) FROM generate_series(1, 3000);",
            ]
        ).finish()
        #expect(ballast.status == 0, "\(ballast)")
        let client = EventStoreClient(
            try await PostgresEventStore.open(
                settings(cluster.url + "?options=-c%20default_tablespace%3Dsmall")))
        let payload = JSONText(.string(String((0..<100_000).map { _ in "abcdefghij".randomElement() ?? "a" })))
        var recorded = 0
        let error = await #expect(throws: EventStoreError.self) {
            while recorded < 1000 {
                try await client.append(Append([NewEvent(stream: "a-1", type: "T", payload: payload)]))
                recorded += 1
            }
        }
        #expect(error?.code == .full, "\(error.map(\.message) ?? "")")
        #expect(recorded > 5)
        #expect(try await client.events(in: "a-1").collect().count == recorded)
        #expect(try await database.run("DROP TABLE ballast").status == 0)
        try await client.append(Append([event("a-1")]))
        #expect(try await client.events(in: "a-1").collect().map(\.version) == Array(1...recorded + 1))
        await client.store.close()
    }

    /// The page cache survives a kill, so only the system calls show whether acknowledged events are on disk.
    @Test(arguments: [true, false]) func anAcknowledgedAppendWasFlushed(isDurable: Bool) async throws {
        let cluster = try await PostgresCluster.start(isDurable ? "" : "synchronous_commit = off")
        var settings = settings(cluster.url)
        settings.connection.notifications = .off
        settings.allowsWeakDurability = !isDurable
        let client = EventStoreClient(try await PostgresEventStore.open(settings))
        let postmaster = try cluster.postmaster()
        let folder = try TemporaryFolder()
        let traced =
            try await Program("/usr/bin/pgrep", ["-P", postmaster]).finish().output.split(separator: "\n") + [
                Substring(postmaster)
            ]
        let trace = try Program(
            "/usr/bin/strace",
            traced.flatMap { ["-p", String($0)] } + [
                "--follow-forks", "--decode-fds=path", "--trace=fdatasync,fsync", "--output=" + folder.file("trace"),
            ])
        // strace reports each process that it is attached to.
        _ = try await trace.complained(lines: traced.count)
        for _ in 0..<50 { try await client.append(Append([event("a-1")])) }
        trace.kill()
        _ = try await trace.finish()
        let flushes = try String(contentsOfFile: folder.file("trace"), encoding: .utf8).split(separator: "\n").filter {
            $0.contains("/pg_wal/")
        }
        if isDurable {
            #expect(flushes.count >= 50)
        } else {
            // Without durability the trace must show fewer flushes; otherwise it would prove nothing.
            #expect(flushes.count < 25)
        }
        await client.store.close()
    }

    @Test func anUnansweredAppendIsUnknownAndRepeatingItRecordsItOnce() async throws {
        let cluster = try await PostgresCluster.start()
        var settings = settings(cluster.url)
        settings.connection.requestTimeout = .milliseconds(500)
        let client = EventStoreClient(try await PostgresEventStore.open(settings))
        try await client.append(Append([event("a-1")]))
        let append = Append([event("a-1"), event("b-1")], expect: ["a-1": .exactly(1)])
        try await cluster.freeze(true)
        let error = await #expect(throws: OutcomeUnknown.self) { try await client.append(append) }
        #expect(error?.append == append)
        try await cluster.freeze(false)
        let recorded = try await client.append(append)
        #expect(recorded.events.map(\.version) == [2, 1])
        #expect(try await client.append(append).events == recorded.events)
        #expect(try await client.events().collect().count == 3)
        await client.store.close()
    }

    @Test(arguments: EventStoreConformance.cases.filter { "ABCDEF".contains($0.number.prefix(1)) })
    func conformsThroughAPoolerInTransactionMode(to aCase: EventStoreConformance.Case) async throws {
        let pooler = try await Self.pooler()
        let direct = try TestDatabase()
        let open: @Sendable (String, Bool) async throws -> PostgresEventStore = { schema, allowsErasing in
            var settings = PostgresEventStore.Settings(url: pooler.url, schema: schema)
            settings.readers = 2
            settings.connection.preparesStatements = false
            settings.connection.notifications = .url(direct.url)
            settings.allowsErasing = allowsErasing
            return try await PostgresEventStore.open(settings)
        }
        let suite = EventStoreConformance(
            hasSettableClock: false, open: { try await open(try TestDatabase().schema, $0.allowsErasing) },
            second: { store in try await open(try #require(store as? PostgresEventStore).settings.schema, false) })
        if case .skipped(let lacking) = try await aCase.run(on: suite) { try Test.cancel("\(lacking)") }
    }

    /// One pooler for all cases, started by the first.
    private static func pooler() async throws -> PgBouncer { try await shared.value }
    private static let shared = Task { () throws -> PgBouncer in
        guard let url = ProcessInfo.processInfo.environment["DISCO_TEST_POSTGRES_URL"] else {
            throw TestDatabase.Missing()
        }
        let pooler = try PgBouncer(before: url)
        try await eventually {
            try await Program("/usr/bin/psql", ["-X", "-q", "-d", pooler.url, "-c", "SELECT 1"]).finish().status == 0
        }
        return pooler
    }
}
