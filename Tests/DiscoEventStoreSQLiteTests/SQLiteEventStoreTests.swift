import DiscoCore
import DiscoEventStoreSQLite
import DiscoTesting
import Foundation
import GRDB
import Testing

/// A folder for one test, removed with everything in it.
final class TemporaryFolder: Sendable {
    let url: URL

    init() throws {
        url = FileManager.default.temporaryDirectory.appending(path: "disco-" + UUID().uuidString)
        try FileManager.default.createDirectory(at: url, withIntermediateDirectories: true)
    }

    deinit { try? FileManager.default.removeItem(at: url) }

    var events: String { url.appending(path: "events.sqlite").path }
}

@Suite struct SQLiteEventStoreTests {
    @Test(arguments: EventStoreConformance.cases + EventStoreConformance.sharedCases)
    func conforms(to aCase: EventStoreConformance.Case) async throws {
        let folder = try TemporaryFolder()
        try await aCase.run(
            on: EventStoreConformance(
                open: { try SQLiteEventStore(path: folder.events) },
                second: { _ in try SQLiteEventStore(path: folder.events) }))
    }

    @Test func eventsSurviveAndTimesNeverRunBackwardsWithTheClock() async throws {
        let folder = try TemporaryFolder()
        let now = Date()
        let first = try SQLiteEventStore(path: folder.events, clock: { now })
        try await EventStoreClient(first).emit("Happened", [1])
        await first.close()
        let second = try SQLiteEventStore(path: folder.events, clock: { now.addingTimeInterval(-3600) })
        try await EventStoreClient(second).emit("Happened", [2])
        let events = try await EventStoreClient(second).events().collect()
        await second.close()
        #expect(events.map(\.payload) == ["[1]", "[2]"])
        #expect(events.map(\.recordedAt) == [events[0].recordedAt, events[0].recordedAt])
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
        "DELETE FROM disco_streams", "UPDATE disco_streams SET name = 'x-1'",
    ])
    func theDatabaseItselfRefuses(statement: String) async throws {
        let folder = try TemporaryFolder()
        let store = try SQLiteEventStore(path: folder.events)
        try await EventStoreClient(store).append(Append([NewEvent(stream: "a-1", type: "T", payload: "{}")]))
        let queue = try DatabaseQueue(path: folder.events)
        #expect(throws: DatabaseError.self) { try queue.inDatabase { try $0.execute(sql: statement) } }
        try queue.close()
        let events = try await EventStoreClient(store).events().collect()
        #expect(events.count == 1)
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
