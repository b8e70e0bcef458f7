import DiscoCore
import Foundation
import TestSupport
import Testing

@testable import DiscoEventStorePostgres

/// A database may change after it was opened.
@Suite(.timeLimit(.minutes(2))) struct PostgresDriftTests {
    private let database: TestDatabase

    init() throws { database = try TestDatabase() }

    private var settings: PostgresEventStore.Settings {
        var settings = PostgresEventStore.Settings(url: database.url, schema: database.schema)
        settings.readers = 2
        return settings
    }

    private func event(_ stream: StreamID, tags: [EventTag] = []) -> NewEvent {
        NewEvent(stream: stream, type: "T", payload: #"{"n":1.50}"#, tags: tags)
    }

    @Test func tablesAlteredByAnotherConnectionCanStillBeReadAndWritten() async throws {
        let client = EventStoreClient(try await PostgresEventStore.open(settings))
        try await client.append(Append([event("a-1", tags: ["x"])]))
        for _ in 0..<3 { _ = try await client.events(.all).collect() }
        let altered = try await database.run("ALTER TABLE \(database.schema).events ADD COLUMN note text")
        #expect(altered.status == 0, "\(altered)")
        for _ in 0..<4 { #expect(try await client.events(.all).collect().count == 1) }
        try await client.append(Append([event("a-1"), event("b-1")]))
        #expect(try await client.events(.all).collect().count == 3)
        await client.store.close()

        let readModels = try await PostgresReadModelStore.open(
            .init(url: database.url, schema: database.schema + "r"))
        try await readModels.setUp { transaction in
            try transaction.execute("CREATE TABLE items (id TEXT PRIMARY KEY)")
            try transaction.execute("INSERT INTO items VALUES ('a')")
        }
        for _ in 0..<6 { _ = try await readModels.read { try $0.query("SELECT * FROM items").count } }
        try await database.run("ALTER TABLE \(database.schema)r.items ADD COLUMN name text DEFAULT 'n'")
        for _ in 0..<6 {
            let columns = try await readModels.read { try $0.query("SELECT * FROM items")[0].columns }
            #expect(columns == ["id", "name"])
        }
        try await database.run("ALTER TABLE \(database.schema)r.items ADD COLUMN more text")
        // In a step, the body runs again, even if it swallows the error.
        for _ in 0..<6 {
            try await readModels.write { transaction in
                let row = try? transaction.query("SELECT * FROM items").first
                if row?.columns.count != 3 { throw EventStoreError(.database, "not all columns were seen") }
            }
        }
        await readModels.close()
    }

    @Test func aConnectionDeallocatesStatementsThatAreLongUnused() async throws {
        var settings = settings
        settings.readers = 1
        let client = EventStoreClient(try await PostgresEventStore.open(settings))
        try await client.append(Append([event("a-1", tags: ["x"])]))
        for count in 1...160 {
            let items = (0..<count % 40 + 1).map { _ in EventQuery.Item(tags: ["x"]) }
            let query = EventQuery(items: items + (0..<count / 40).map { EventQuery.Item(types: ["U\($0)"]) })
            #expect(try await client.events(query).collect().count == 1)
        }
        await client.store.close()
    }

    @Test func preparedStatementsAreBoundedInNumberAndSize() {
        var preparations = PostgresPreparations()
        let first = preparations.plan("SELECT 0")
        #expect(!first.isPrepared)
        #expect(preparations.plan("SELECT 0") == .init(name: first.name, isPrepared: true))
        var given: [String] = []
        for number in 1...100 {
            given += preparations.plan("SELECT \(number)").deallocate
            #expect(preparations.count <= PostgresPreparations.most)
            // A statement in use is kept.
            #expect(preparations.plan("SELECT 0").isPrepared)
        }
        #expect(given.count == 51)
        #expect(!given.contains(first.name))
        // Long statements displace many others.
        let long = String(repeating: " ", count: 49_000)
        for number in 0..<5 { given += preparations.plan("SELECT \(number)" + long).deallocate }
        #expect(preparations.count <= 4)
        #expect(Set(given).count == given.count)
        preparations.forgetAll()
        #expect(preparations.plan("SELECT 0").deallocate == [])
    }

    @Test func settingsOfTheRoleAndTheDatabaseChangeNoValue() async throws {
        let role = database.schema
        let granted = try await database.run(
            """
            CREATE ROLE \(role) LOGIN; CREATE SCHEMA \(role)odd AUTHORIZATION \(role);
            CREATE SCHEMA \(role) AUTHORIZATION \(role); CREATE SCHEMA \(role)r AUTHORIZATION \(role);
            ALTER ROLE \(role) SET datestyle = 'SQL, DMY'; ALTER ROLE \(role) SET bytea_output = 'escape';
            ALTER ROLE \(role) SET extra_float_digits = -15; ALTER ROLE \(role) SET search_path = '\(role)odd, pg_catalog';
            ALTER ROLE \(role) SET statement_timeout = '300ms'; ALTER ROLE \(role) SET timezone = 'Asia/Kathmandu';
            ALTER ROLE \(role) SET intervalstyle = 'iso_8601'; ALTER ROLE \(role) SET lc_messages = 'C'
            """)
        #expect(granted.status == 0, "\(granted)")
        var settings = settings
        settings.connection.url = database.url.replacing("disco@", with: role + "@")
        let client = EventStoreClient(try await PostgresEventStore.open(settings))
        try await client.append(Append([event("a-1", tags: ["x"])]))
        let recorded = try await client.events().collect()
        #expect(recorded.count == 1)
        #expect(abs(recorded[0].recordedAt.timeIntervalSinceNow) < 60)
        #expect(try await client.events(asOf: recorded[0].recordedAt).collect() == recorded)
        // Longer than the role's limit: the store sets its own limits.
        let session = try Program("/usr/bin/psql", ["-X", "-q", "-d", database.url])
        try session.send(
            "BEGIN; SELECT pg_advisory_xact_lock(hashtextextended('disco event store \"\(database.schema)\"', 0)); SELECT pg_sleep(1); COMMIT;"
        )
        _ = try await session.printed(atLeast: 1)
        try await client.append(Append([event("a-1")]))
        session.endInput()
        _ = try await session.finish()
        await client.store.close()

        let readModels = try await PostgresReadModelStore.open(
            .init(url: settings.connection.url, schema: settings.schema + "r"))
        let (date, third) = (Date(timeIntervalSince1970: 1_700_000_000.123456), 1.0 / 3)
        try await readModels.setUp { transaction in
            try transaction.execute("CREATE TABLE v (at TIMESTAMPTZ, bytes BYTEA, number DOUBLE PRECISION)")
            try transaction.execute("INSERT INTO v VALUES (\(date), \(Data([0, 1, 92])), \(third))")
            try transaction.execute("SELECT pg_sleep(0.5)")
        }
        try await readModels.read { transaction in
            let row = try #require(try transaction.query("SELECT * FROM v").first)
            #expect(try row.value("at") == date)
            #expect(try row.value("bytes") == Data([0, 1, 92]))
            #expect(try row.value("number") == third)
        }
        await readModels.close()
    }

    enum Listening: CaseIterable, Sendable { case nobodyThere, noSuchDatabase }

    @Test(arguments: Listening.allCases) func aFollowerWorksEvenIfTheStoreCannotListen(listening: Listening)
        async throws
    {
        var settings = settings
        switch listening {
        case .nobodyThere: settings.connection.notifications = .url("postgresql://disco@127.0.0.1:1/disco")
        case .noSuchDatabase: settings.connection.notifications = .url(database.url(database: "none"))
        }
        settings.connection.connectTimeout = .seconds(2)
        let log = LogCollector()
        let following = EventStoreClient(
            try await PostgresEventStore.open(settings, context: StoreContext(logger: log.logger())))
        let writing = EventStoreClient(try await PostgresEventStore.open(self.settings))
        let seen = Locked(0)
        let follower = Task {
            for try await element in following.subscribe() {
                if case .event = element { seen.withLock { $0 += 1 } }
            }
        }
        for number in 1...5 {
            try await writing.append(Append([event("a-1")]))
            await eventually { seen.withLock { $0 } == number }
        }
        follower.cancel()
        #expect(log.messages.count { $0.contains("cannot listen for notifications") } == 1)
        await following.store.close()
        await writing.store.close()
    }

    @Test func aWrongDatabaseOrRoleIsReportedAsSuch() async throws {
        var urls = [database.url(database: "none"), database.url.replacing("disco@", with: "nobody_here@")]
        for url in urls {
            let error = await #expect(throws: EventStoreError.self) {
                _ = try await PostgresEventStore.open(.init(url: url))
            }
            #expect(error?.message.contains("refused the connection. Check the role, password and database.") == true)
            #expect(error?.code == .unavailable)
        }
        urls = ["postgresql://disco@127.0.0.1:1/disco"]
        let error = await #expect(throws: EventStoreError.self) {
            _ = try await PostgresEventStore.open(.init(url: urls[0]))
        }
        #expect(error?.message.contains("cannot be reached") == true)
    }

    @Test func extremeSettingsAreRefusedOrBounded() async throws {
        for readers in [Int.min, 0, 1001, .max] {
            var wrong = settings
            wrong.readers = readers
            await #expect(throws: EventStoreError.self) { _ = try await PostgresEventStore.open(wrong) }
        }
        var wrong = settings
        wrong.connection.requestTimeout = .zero
        await #expect(throws: EventStoreError.self) { _ = try await PostgresEventStore.open(wrong) }
        for schema in ["", "a\0", "A", "é", "pg_x", String(repeating: "a", count: 41)] {
            var wrong = settings
            wrong.schema = schema
            await #expect(throws: EventStoreError.self) { _ = try await PostgresEventStore.open(wrong) }
        }
        var long = settings
        long.connection.requestTimeout = .seconds(Int64.max)
        long.connection.connectTimeout = .seconds(Int64.max)
        let client = EventStoreClient(try await PostgresEventStore.open(long))
        try await client.append(Append([event("a-1")]))
        await client.store.close()
    }

    /// The procedure of the guide "Operating on PostgreSQL".
    @Test func aCompletelyRestoredDumpIsTheSameStore() async throws {
        let folder = try TemporaryFolder()
        let client = EventStoreClient(try await PostgresEventStore.open(settings))
        try await client.append(Append([event("a-1", tags: ["x"]), event("b-1")], key: .init("k", fingerprint: "f")))
        try await client.delete("b-1")
        let (events, identity) = (try await client.events().collect(), try await client.store.identity())
        await client.store.close()
        let url = database.url(database: "disco")
        let commands = [
            "pg_dump --format custom --schema \(database.schema) --file '\(folder.file("dump"))' '\(url)'",
            "psql -q --dbname '\(url)' --command 'DROP SCHEMA IF EXISTS \(database.schema) CASCADE'",
            "pg_restore --exit-on-error --dbname '\(url)' --no-owner '\(folder.file("dump"))'",
        ]
        for command in commands {
            let result = try await Program("/bin/sh", ["-c", command]).finish()
            #expect(result.status == 0, "\(command): \(result)")
        }
        let restored = EventStoreClient(try await PostgresEventStore.open(settings))
        #expect(try await restored.events().collect() == events)
        #expect(try await restored.store.identity() == identity)
        #expect(try await restored.append(Append([event("a-2")], key: .init("k", fingerprint: "f"))).last == 2)
        try await restored.append(Append([event("a-1")]))
        #expect(try await restored.verify() == [])
        await restored.store.close()
    }

    @Test func dataRestoredIntoAMigratedStoreIsReportedAsSuch() async throws {
        let store = try await PostgresEventStore.open(settings)
        await store.close()
        try await database.run("INSERT INTO \(database.schema).store VALUES (gen_random_uuid(), 1)")
        let error = await #expect(throws: EventStoreError.self) { _ = try await PostgresEventStore.open(settings) }
        #expect(error?.message.contains("has 2 identities") == true)
        #expect(error?.message.contains("restore the whole dump") == true)
    }
}
