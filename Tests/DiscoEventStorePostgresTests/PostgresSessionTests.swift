import DiscoCore
import DiscoEventStorePostgres
import DiscoTesting
import Foundation
import TestSupport
import Testing

/// The store beside other sessions of its database, and with settings that it must refuse.
@Suite(.timeLimit(.minutes(2))) struct PostgresSessionTests {
    private let database: TestDatabase

    init() throws { database = try TestDatabase() }

    private var settings: PostgresEventStore.Settings {
        var settings = PostgresEventStore.Settings(url: database.url, schema: database.schema)
        settings.readers = 2
        return settings
    }

    private func open() async throws -> EventStoreClient {
        EventStoreClient(try await PostgresEventStore.open(settings))
    }

    private func event(_ stream: StreamID, tags: [EventTag] = []) -> NewEvent {
        NewEvent(stream: stream, type: "T", payload: "{}", tags: tags)
    }

    @Test(arguments: [
        "UPDATE events SET payload = '{}'", "DELETE FROM events", "TRUNCATE events",
        "INSERT INTO events SELECT 5, stream, 2, category, type, type_version, gen_random_uuid(), payload, payload_bytes, content_type, metadata, correlation_id, causation_id, tags, slice, 5, recorded_at FROM events",
        "INSERT INTO events SELECT * FROM events ON CONFLICT (position) DO UPDATE SET payload = '[]'",
        "INSERT INTO permits SELECT stream FROM events; UPDATE events SET payload = '[]'",
        "INSERT INTO permits SELECT stream FROM events; UPDATE events SET version = 9, payload = 'null', erased_at = now()",
        "DELETE FROM tags", "UPDATE tags SET tag = 'y'", "INSERT INTO tags VALUES ('y', 1)", "TRUNCATE tags",
    ])
    func theDatabaseItselfRefuses(statement: String) async throws {
        let client = try await open()
        try await client.append(Append([event("a-1", tags: ["x"])]))
        let before = try await client.events().collect()
        let result = try await database.run("SET search_path = \(database.schema); \(statement)")
        #expect(result.status != 0)
        #expect(result.errors.contains("disco: "), "\(result)")
        #expect(try await client.events(.tags("x")).collect() == before)
        await client.store.close()
    }

    @Test func aRoleWithoutPrivilegesMigratesAndUsesItsOwnSchema() async throws {
        let role = database.schema
        let granted = try await database.run("CREATE ROLE \(role) LOGIN; GRANT CREATE ON DATABASE disco TO \(role)")
        #expect(granted.status == 0, "\(granted)")
        var plain = settings
        plain.connection.url = database.url.replacing("disco@", with: role + "@")
        let client = EventStoreClient(try await PostgresEventStore.open(plain))
        let append = Append([event("a-1", tags: ["x"]), event("b-1")])
        try await client.append(append)
        try await client.append(Append([event("a-1", tags: ["x"])], key: IdempotencyKey("k", fingerprint: "f")))
        #expect(try await client.append(append).repeated)
        #expect(try await client.recorded(under: IdempotencyKey("k", fingerprint: "f"))?.last == 3)
        #expect(try await client.events(.tags("x")).collect().map(\.position) == [1, 3])
        #expect(try await client.verify() == [])
        let readModels = try await PostgresReadModelStore.open(.init(url: plain.connection.url, schema: role + "r"))
        await readModels.close()
        // The function that assigns positions leaves no loophole.
        let result = try await database.run(
            "SET search_path = \(database.schema); SELECT append_one('c-1', 'c', 1::smallint, 'T', 1, gen_random_uuid(), '{}', null, null, null, null, -1); INSERT INTO tags VALUES ('y', 1)"
        )
        #expect(result.errors.contains("disco: INSERT on tags is not allowed: use the function append"), "\(result)")
        await client.store.close()
    }

    @Test func aSessionThatIsIdleInATransactionStallsNobody() async throws {
        let client = try await open()
        try await client.append(Append([event("a-1")]))
        let sitting = try Program("/usr/bin/psql", ["-X", "-q", "-A", "-t", "-d", database.url])
        try sitting.send("BEGIN ISOLATION LEVEL REPEATABLE READ; SELECT count(*) FROM \(database.schema).events;")
        #expect(try await sitting.printed(atLeast: 2) == "1\n")
        let follower = Task {
            var seen = 0
            for try await case .event in client.subscribe() {
                seen += 1
                if seen == 51 { break }
            }
        }
        for _ in 0..<50 { try await client.append(Append([event("a-1")])) }
        try await follower.value
        sitting.kill()
        _ = try await sitting.finish()
        await client.store.close()
    }

    @Test func twoProcessesAppendConcurrentlyAndAFrozenOneStallsNobody() async throws {
        let client = try await open()
        let address = database.url + "#" + database.schema
        let programs = try (0..<3).map { _ in try Program("DiscoProbe", ["race", address, "8"]) }
        for program in programs { #expect(try await program.printed(atLeast: 6) == "ready\n") }
        for program in programs { try program.send("go") }
        try await eventually { try await client.head() > 200 }
        programs[2].freeze()
        let before = try await client.head()
        try await eventually(within: .seconds(40)) { try await client.head().rawValue > before.rawValue + 200 }
        var recorded = 0
        for program in programs[..<2] {
            recorded += try #require(Int(try await program.finish().output.dropLast()))
        }
        programs[2].kill()
        #expect(try await client.head().rawValue >= Int64(recorded))
        #expect(try await client.verify() == [])
        await client.store.close()
    }

    @Test func aReadIsCancelledOnTheServer() async throws {
        let client = try await open()
        try await client.append(Append([event("a-1")]))
        let locking = try Program("/usr/bin/psql", ["-X", "-q", "-A", "-t", "-d", database.url])
        try locking.send("BEGIN; LOCK TABLE \(database.schema).events; SELECT 1;")
        _ = try await locking.printed(atLeast: 2)
        let waiting =
            "SELECT count(*) FROM pg_stat_activity WHERE application_name = '\(database.schema)' AND wait_event_type = 'Lock'"
        let read = Task { try await client.events().collect() }
        try await eventually { try await database.run(waiting).output != "0\n" }
        read.cancel()
        await #expect(throws: CancellationError.self) { try await read.value }
        try locking.send("COMMIT; SELECT 2;")
        _ = try await locking.printed(atLeast: 2)
        #expect(try await client.events().collect().count == 1)
        locking.kill()
        _ = try await locking.finish()
        await client.store.close()
    }

    @Test func aReadAsOfATimeReturnsAPrefix() async throws {
        let client = try await open()
        // Each takes longer than a microsecond, so their times differ.
        for _ in 0..<9 { try await client.append(Append([event("a-1"), event("b-1")])) }
        let events = try await client.events().collect()
        for (index, event) in events.enumerated() where index.isMultiple(of: 2) {
            let now = try await client.events(asOf: event.recordedAt).collect()
            #expect(now == Array(events.prefix(index + 2)))
            let before = try await client.events(asOf: event.recordedAt.addingTimeInterval(-0.000_001)).collect()
            #expect(before == Array(events.prefix(index)))
        }
        #expect(try await client.events(asOf: .distantPast).collect() == [])
        #expect(try await client.events(asOf: .distantFuture).collect() == events)
        await client.store.close()
    }

    @Test func verificationFindsEachKindOfDamage() async throws {
        func findings(_ damage: String) async throws -> [Finding] {
            let database = try TestDatabase()
            let client = EventStoreClient(
                try await PostgresEventStore.open(.init(url: database.url, schema: database.schema)))
            for number in 1...4 { try await client.append(Append([event(StreamID("a-\(number % 2)"), tags: ["x"])])) }
            let done = try await database.run(
                "SET search_path = \(database.schema); SET session_replication_role = replica; \(damage)")
            #expect(done.status == 0, "\(done)")
            let findings = try await client.verify()
            await client.store.close()
            return findings
        }
        #expect(
            try await findings("DELETE FROM events WHERE position IN (1, 2)") == [
                .missingPositions(1, through: 2), .wrongVersion(3, stream: "a-1", version: 2, expected: 1),
                .wrongVersion(4, stream: "a-0", version: 2, expected: 1),
            ])
        #expect(
            try await findings("UPDATE events SET version = 7 WHERE position = 4") == [
                .wrongVersion(4, stream: "a-0", version: 7, expected: 2)
            ])
        #expect(
            try await findings("UPDATE events SET recorded_at = '2000-01-01' WHERE position = 3")
                == [.timeRunsBackwards(3)])
        #expect(try await findings("DELETE FROM tags WHERE position = 3") == [.wrongTags(3, stream: "a-1")])
    }

    @Test func newerEditedOrMissingSchemasAreRefused() async throws {
        var never = settings
        never.migrates = false
        let missing = await #expect(throws: EventStoreError.self) { try await PostgresEventStore.open(never) }
        #expect(missing?.code == .schema)
        #expect(missing?.message.contains("lacks the migration postgres_0001_event_store.sql") == true)
        try await open().store.close()
        try await PostgresEventStore.open(never).close()
        for (change, words) in [
            ("UPDATE disco_migrations SET checksum = 'other'", "was applied to this database with different content"),
            ("UPDATE disco_migrations SET name = 'other'", "the database holds an event store"),
            ("INSERT INTO disco_migrations VALUES (2, 'later', 'x')", "has schema 2 (later)"),
        ] {
            try await database.run("SET search_path = \(database.schema); \(change)")
            let error = await #expect(throws: EventStoreError.self) { try await open() }
            #expect(error?.code == .schema)
            #expect(error?.message.contains(words) == true, "\(error?.message ?? "")")
        }
    }

    @Test func concurrentOpensOfANewSchemaMigrateItOnce() async throws {
        try await withThrowingTaskGroup(of: Void.self) { group in
            for _ in 0..<8 { group.addTask { try await open().store.close() } }
            try await group.waitForAll()
        }
        #expect(try await database.run("SELECT count(*) FROM \(database.schema).disco_migrations").output == "1\n")
    }

    @Test func aServerThatWouldLoseAppendsIsRefusedUnlessAllowed() async throws {
        var weak = settings
        weak.connection.url += "&options=-c%20synchronous_commit%3Doff"
        let error = await #expect(throws: EventStoreError.self) { try await PostgresEventStore.open(weak) }
        #expect(error?.code == .notDurable)
        #expect(error?.message.contains("synchronous_commit = off") == true)
        weak.allowsWeakDurability = true
        try await PostgresEventStore.open(weak).close()
    }

    @Test(arguments: ["Disco", "", "a b", "pg_x", "x\"; DROP", String(repeating: "x", count: 41)])
    func anInvalidSchemaNameIsRefused(schema: String) async throws {
        let error = await #expect(throws: EventStoreError.self) {
            try await PostgresEventStore.open(.init(url: database.url, schema: schema))
        }
        #expect(error?.code == .configuration)
    }

    @Test func aRefusedLoginIsReportedWithoutThePassword() async throws {
        let base = database.url.replacing("disco@", with: "nobody:s3cret@")
        for url in [base, database.url.replacing("/disco?", with: "/nowhere?")] {
            let error = await #expect(throws: EventStoreError.self) {
                try await PostgresEventStore.open(.init(url: url))
            }
            #expect(error?.code == .unavailable)
            #expect(error?.message.contains("s3cret") == false)
        }
    }

    @Test func settingsAreShownWithoutTheirURLs() {
        var settings = PostgresEventStore.Settings(url: "postgresql://me:s3cret@host/x")
        settings.connection.notifications = .url("postgresql://me:s3cret@host/x")
        var dumped = ""
        dump(settings, to: &dumped)
        dump(settings.connection.notifications, to: &dumped)
        for text in ["\(settings)", String(reflecting: settings), "\(settings.connection.notifications)", dumped] {
            #expect(!text.contains("s3cret"), "\(text)")
        }
    }

    @Test func aDefaultOfRepeatableReadChangesNothing() async throws {
        var strict = settings
        strict.connection.url += "&options=-c%20default_transaction_isolation%3Drepeatable%5C%20read"
        let (one, other) = (
            EventStoreClient(try await PostgresEventStore.open(strict)),
            EventStoreClient(try await PostgresEventStore.open(strict))
        )
        try await withThrowingTaskGroup(of: Void.self) { group in
            for number in 0..<200 {
                let client = number.isMultiple(of: 2) ? one : other
                group.addTask { try await client.append(Append([event("a-1")])) }
            }
            try await group.waitForAll()
        }
        #expect(try await one.events(in: "a-1").collect().map(\.version) == Array(1...200))
        #expect(try await one.verify() == [])
        await one.store.close()
        await other.store.close()
    }
}
