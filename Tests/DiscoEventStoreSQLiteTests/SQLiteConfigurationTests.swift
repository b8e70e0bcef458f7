import Configuration
import DiscoCore
import DiscoEventStore
import DiscoEventStoreSQLite
import TestSupport
import Testing

@Suite struct SQLiteConfigurationTests {
    private func config(_ values: [String: String]) -> ConfigReader {
        ConfigReader(provider: EnvironmentVariablesProvider(environmentVariables: values))
    }

    @Test func everySettingHasAKey() throws {
        let plain = try SQLiteEventStore.Settings(config: config([:]))
        #expect(plain.path == "events.sqlite")
        #expect(plain.durability == .full)
        #expect(plain.busyTimeout == .seconds(10))
        #expect(!plain.allowsErasing)
        let set = try SQLiteEventStore.Settings(
            config: config([
                "DISCO_EVENT_STORE_SQLITE_PATH": "x.sqlite", "DISCO_EVENT_STORE_SQLITE_DURABILITY": "process-crash",
                "DISCO_EVENT_STORE_SQLITE_BUSY_TIMEOUT": "0.5", "DISCO_EVENT_STORE_SQLITE_ALLOWS_ERASING": "true",
            ]))
        #expect(set.path == "x.sqlite")
        #expect(set.durability == .processCrash)
        #expect(set.busyTimeout == .milliseconds(500))
        #expect(set.allowsErasing)
    }

    @Test(arguments: ["DURABILITY", "BUSY_TIMEOUT", "ALLOWS_ERASING"])
    func anInvalidValueIsReportedWithItsKey(name: String) {
        let key = "DISCO_EVENT_STORE_SQLITE_" + name
        let error = #expect(throws: EventStoreError.self) {
            try SQLiteEventStore.Settings(config: config([key: "perhaps"]))
        }
        #expect(error?.code == .configuration)
        #expect(error?.message.contains("\(key)) is \"perhaps\"; allowed values: ") == true)
    }

    @Test func readModelsAreStoredBesideTheEventsByDefault() async throws {
        let folder = try TemporaryFolder()
        let config = config(["DISCO_EVENT_STORE_SQLITE_PATH": folder.events])
        let events = try await EventStoreAdapter.chosen(by: config, among: [.memory, .sqlite]).open(config)
        let readModels = try await ReadModelStoreAdapter.chosen(by: config, among: [.memory, .sqlite]).open(config)
        try await EventStoreClient(events).emit("T", [:] as JSON)
        try await readModels.save(ConsumerStep(consumer: "c", from: .start, to: Checkpoint(position: 1)))
        await events.close()
        await readModels.close()
        let again = try await SQLiteReadModelStore.open(path: folder.events + ".read-models")
        #expect(try await again.checkpoint(of: "c").position == 1)
        await again.close()
    }
}
