import Configuration
import DiscoCore
import DiscoEventStore
import DiscoEventStorePostgres
import DiscoEventStoreSQLite
import Foundation
import TestSupport
import Testing

/// The code of the guide "Choosing a store".
@Suite struct ChoosingAStoreExamples {
    private let folder: TemporaryFolder
    private var path: String { folder.events }

    init() throws { folder = try TemporaryFolder() }

    @Test func inMemory() async throws {
        let client = EventStoreClient(InMemoryEventStore())
        #expect(try await client.head() == 0)
    }

    @Test func inMemoryWithAClock() async throws {
        let store = InMemoryEventStore(context: StoreContext(now: { Date(timeIntervalSince1970: 1_700_000_000) }))
        let client = EventStoreClient(store)
        try await client.emit("DoorOpened", [:] as JSON)
        let event = try await client.events().collect().first
        #expect(event?.recordedAt == Date(timeIntervalSince1970: 1_700_000_000))
    }

    @Test func onSQLite() async throws {
        var settings = SQLiteEventStore.Settings(path: path)
        settings.busyTimeout = .seconds(2)
        let client = EventStoreClient(try await SQLiteEventStore.open(settings))
        try await client.emit("DoorOpened", [:] as JSON)
        #expect(try await client.head() == 1)
        let inAFile = try await SQLiteReadModelStore.open(path: path + ".read-models")
        let inMemory = try await SQLiteReadModelStore.open(.inMemory)
        for readModels in [inAFile, inMemory] {
            #expect(try await readModels.checkpoint(of: "doors") == .start)
            await readModels.close()
        }
        await client.store.close()
    }

    func byConfiguration() async throws {
        let config = ConfigReader(provider: EnvironmentVariablesProvider())
        let client = EventStoreClient(
            try await EventStoreAdapter.chosen(by: config, among: [.memory, .sqlite]).open(config))
        let readModels = try await ReadModelStoreAdapter.chosen(by: config, among: [.memory, .sqlite]).open(config)
        await client.store.close()
        await readModels.close()
    }

    func onPostgres() async throws -> EventStoreClient {
        var settings = PostgresEventStore.Settings(url: "postgresql://app@db1,db2/app?target_session_attrs=read-write")
        settings.schema = "orders"
        let client = EventStoreClient(try await PostgresEventStore.open(settings))
        return client
    }
}
