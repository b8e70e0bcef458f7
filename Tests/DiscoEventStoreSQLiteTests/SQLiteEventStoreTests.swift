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
                return try SQLiteEventStore(settings, clock: options.clock)
            },
            second: { store in
                try SQLiteEventStore(try #require(store as? SQLiteEventStore).settings)
            })
        if case .skipped(let lacking) = try await aCase.run(on: suite) {
            // The console does not show a case that was cancelled.
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
        "DELETE FROM disco_streams", "UPDATE disco_streams SET name = 'x-1'",
    ])
    func theDatabaseItselfRefuses(statement: String) async throws {
        let folder = try TemporaryFolder()
        let store = try SQLiteEventStore(path: folder.events)
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
        try await SQLiteEventStore(path: folder.events).close()
        try await SQLiteEventStore(path: folder.events).close()
        let queue = try DatabaseQueue(path: folder.events)
        try queue.inDatabase { try $0.execute(sql: "INSERT INTO disco_migrations VALUES (2, 'later', 'x', 'now')") }
        try queue.close()
        let error = #expect(throws: EventStoreError.self) { try SQLiteEventStore(path: folder.events) }
        #expect(error?.code == .schema)
        #expect(error?.message.contains("has schema 2 (later)") == true)
    }

    @Test func aFileThatIsNoDatabaseIsRefusedWithASentence() throws {
        let folder = try TemporaryFolder()
        try Data(repeating: 65, count: 5000).write(to: URL(filePath: folder.events))
        let error = #expect(throws: EventStoreError.self) { try SQLiteEventStore(path: folder.events) }
        #expect(error?.code == .corrupt)
    }
}
