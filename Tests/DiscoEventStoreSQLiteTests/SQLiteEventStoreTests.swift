import DiscoCore
import DiscoEventStoreSQLite
import DiscoTesting
import Foundation
import GRDB
import TestSupport
import Testing

@Suite struct SQLiteEventStoreTests {
    @Test(arguments: EventStoreConformance.cases)
    func conforms(to aCase: EventStoreConformance.Case) async throws {
        let folder = try TemporaryFolder()
        let suite = EventStoreConformance(
            open: { options in
                var settings = SQLiteEventStore.Settings(path: folder.file(UUID().uuidString))
                settings.allowsErasing = options.allowsErasing
                return try await SQLiteEventStore.open(settings, context: options.context)
            },
            second: { store in
                try await SQLiteEventStore.open(try #require(store as? SQLiteEventStore).settings)
            })
        if case .skipped(let lacking) = try await aCase.run(on: suite) {
            // The console does not show cancelled cases.
            print("skipped: \(aCase); this store lacks \(lacking)")
            try Test.cancel("\(lacking)")
        }
    }

    @Test(arguments: [
        "UPDATE disco_events SET payload = '{}'",
        "DELETE FROM disco_events",
        "INSERT OR REPLACE INTO disco_events SELECT * FROM disco_events WHERE position = 1",
        """
        INSERT OR REPLACE INTO disco_events (position, stream, version, category, type, type_version, id, payload, slice,
            append_id, recorded_at)
        SELECT 2, stream, 2, category, type, type_version, id, payload, slice, 2, recorded_at FROM disco_events
        """,
        """
        INSERT INTO disco_events (position, stream, version, category, type, type_version, id, payload, slice,
            append_id, recorded_at)
        SELECT 5, stream, 2, category, type, type_version, randomblob(16), payload, slice, 5, recorded_at FROM disco_events
        """,
        "UPDATE OR REPLACE disco_events SET position = 7",
        "INSERT INTO disco_permits SELECT stream FROM disco_events; UPDATE disco_events SET payload = '{}'",
        "INSERT INTO disco_permits SELECT stream FROM disco_events; UPDATE disco_events SET version = 9, payload = 'null', erased_at = 1",
        "DELETE FROM disco_tags", "UPDATE disco_tags SET tag = 'y'", "INSERT INTO disco_tags VALUES ('y', 0)",
        "INSERT OR REPLACE INTO disco_tags VALUES ('y', 9)",
        "INSERT INTO disco_tags VALUES ('y', 1)", "UPDATE disco_types SET name = 'Other'", "DELETE FROM disco_types",
        "INSERT OR REPLACE INTO disco_types (name) VALUES ('T')", "UPDATE disco_categories SET name = 'b'",
        "DELETE FROM disco_categories", "INSERT OR REPLACE INTO disco_categories (name) VALUES ('a')",
        "INSERT OR REPLACE INTO disco_streams (name, category) VALUES ('a-1', 1)",
        "INSERT OR REPLACE INTO disco_streams (key, name, category) VALUES (1, 'b-1', 1)",
        "DELETE FROM disco_streams", "UPDATE disco_streams SET name = 'x-1'",
    ])
    func theDatabaseItselfRefuses(statement: String) async throws {
        let folder = try TemporaryFolder()
        let store = try await SQLiteEventStore.open(path: folder.events)
        try await EventStoreClient(store).append(
            Append([NewEvent(stream: "a-1", type: "T", payload: "{}", tags: ["x"])]))
        let before = try await EventStoreClient(store).events().collect()
        let queue = try DatabaseQueue(path: folder.events)
        #expect(throws: DatabaseError.self) { try queue.inDatabase { try $0.execute(sql: statement) } }
        try queue.close()
        #expect(try await EventStoreClient(store).events(.tags("x")).collect() == before)
        await store.close()
    }

    @Test func openingTwiceMigratesOnceAndANewerSchemaIsRefused() async throws {
        let folder = try TemporaryFolder()
        try await SQLiteEventStore.open(path: folder.events).close()
        try await SQLiteEventStore.open(path: folder.events).close()
        let queue = try DatabaseQueue(path: folder.events)
        try queue.inDatabase { try $0.execute(sql: "INSERT INTO disco_migrations VALUES (2, 'later', 'x', 'now')") }
        try queue.close()
        let error = await #expect(throws: EventStoreError.self) { try await SQLiteEventStore.open(path: folder.events) }
        #expect(error?.code == .schema)
        #expect(error?.message.contains("has schema 2 (later)") == true)
    }

    @Test func aFileThatIsNotADatabaseIsRefused() async throws {
        let folder = try TemporaryFolder()
        try Data(repeating: 65, count: 5000).write(to: URL(filePath: folder.events))
        let error = await #expect(throws: EventStoreError.self) { try await SQLiteEventStore.open(path: folder.events) }
        #expect(error?.code == .corrupt)
    }

    /// Damages the file after removing its guards; returns the findings.
    private func findings(_ damage: String) async throws -> [Finding] {
        let folder = try TemporaryFolder()
        let client = EventStoreClient(try await SQLiteEventStore.open(path: folder.events))
        for number in 1...4 {
            try await client.append(
                Append([NewEvent(stream: StreamID("a-\(number % 2)"), type: "T", payload: "{}", tags: ["x"])]))
        }
        var configuration = GRDB.Configuration()
        configuration.foreignKeysEnabled = false
        let queue = try DatabaseQueue(path: folder.events, configuration: configuration)
        try queue.inDatabase { db in
            let triggers = try String.fetchAll(db, sql: "SELECT name FROM sqlite_schema WHERE type = 'trigger'")
            for trigger in triggers { try db.execute(sql: "DROP TRIGGER \(trigger)") }
            try db.execute(sql: damage)
        }
        try queue.close()
        let findings = try await client.verify()
        await client.store.close()
        return findings
    }

    @Test func verificationFindsEachKindOfDamage() async throws {
        #expect(
            try await findings("DELETE FROM disco_events WHERE position IN (1, 2)") == [
                .missingPositions(1, through: 2), .wrongVersion(3, stream: "a-1", version: 2, expected: 1),
                .wrongVersion(4, stream: "a-0", version: 2, expected: 1),
            ])
        #expect(
            try await findings("UPDATE disco_events SET version = 7 WHERE position = 4") == [
                .wrongVersion(4, stream: "a-0", version: 7, expected: 2)
            ])
        #expect(
            try await findings("UPDATE disco_events SET payload = '{' WHERE position = 2") == [
                .damagedPayload(2, stream: "a-0", reason: "not JSON: expected a member name at byte 1")
            ])
        #expect(
            try await findings("UPDATE disco_events SET payload = CAST(x'22FF22' AS TEXT) WHERE position = 2") == [
                .damagedPayload(2, stream: "a-0", reason: "not JSON: invalid UTF-8 at byte 1")
            ])
        #expect(
            try await findings("UPDATE disco_events SET recorded_at = 5 WHERE position = 3") == [
                .timeRunsBackwards(3)
            ])
        #expect(
            try await findings("DELETE FROM disco_tags WHERE position = 3") == [.wrongTags(3, stream: "a-1")])
    }

    @Test func aMigrationEditedAfterItWasAppliedIsRefused() async throws {
        let folder = try TemporaryFolder()
        try await SQLiteEventStore.open(path: folder.events).close()
        let queue = try DatabaseQueue(path: folder.events)
        try queue.inDatabase { try $0.execute(sql: "UPDATE disco_migrations SET checksum = 'other'") }
        try queue.close()
        let error = await #expect(throws: EventStoreError.self) { try await SQLiteEventStore.open(path: folder.events) }
        #expect(error?.code == .schema)
        #expect(
            error?.message.contains("sqlite_0001_event_store.sql was applied to this database with different content")
                == true)
    }
}
