import Configuration
import DiscoCore
import DiscoEventStore
import DiscoEventStoreSQLite
import Foundation
import TestSupport
import Testing

/// The code of the guide "Configuration".
@Suite struct ConfigurationExamples {
    private let folder: TemporaryFolder

    init() throws { folder = try TemporaryFolder() }

    /// Stands for an adapter of another package.
    struct PapyrusEventStore: EventStore {
        private let base = InMemoryEventStore()

        init(pages: Int) throws {}

        var abilities: StoreAbilities { base.abilities }

        func append(_ append: Append) async throws -> Appended { try await base.append(append) }
        func page(_ read: Read) async throws -> Page { try await base.page(read) }
        func wait(beyond position: Position) async throws { try await base.wait(beyond: position) }
        func identity() async throws -> StoreIdentity { try await base.identity() }
        func close() async { await base.close() }
    }

    func fromTheEnvironment() async throws -> any EventStore {
        let config = ConfigReader(provider: EnvironmentVariablesProvider())
        let events = try await EventStoreAdapter.chosen(by: config, among: [.memory, .sqlite]).open(config)
        return events
    }

    func fromAFile() async throws -> ConfigReader {
        let file = try await FileProvider<JSONSnapshot>(filePath: "disco.json", allowMissing: true)
        let config = ConfigReader(providers: [EnvironmentVariablesProvider(), file])
        return config
    }

    @Test func settingsAreReadAndChanged() async throws {
        let config = ConfigReader(
            provider: EnvironmentVariablesProvider(environmentVariables: [
                "DISCO_EVENT_STORE_SQLITE_PATH": folder.events, "DISCO_EVENT_STORE_SQLITE_BUSY_TIMEOUT": "0.5",
            ]))
        var settings = try SQLiteEventStore.Settings(config: config)
        settings.allowsErasing = true
        let store = try await SQLiteEventStore.open(settings)
        #expect(store.settings.path == folder.events)
        #expect(store.settings.busyTimeout == .milliseconds(500))
        #expect(store.settings.allowsErasing)
        await store.close()
    }

    @Test func anUnknownVariableIsRefused() throws {
        let keys = ConfigurationKeys(eventStores: [.memory, .sqlite], readModelStores: [.memory, .sqlite])
        try keys.check(environment: ProcessInfo.processInfo.environment)
        let error = #expect(throws: EventStoreError.self) {
            try keys.check(environment: ["DISCO_EVENT_STORE_SQLITE_PAHT": "x"])
        }
        #expect(error?.message.contains("DISCO_EVENT_STORE_SQLITE_PATH") == true)
        // Variables of a platform.
        try keys.check(environment: ["DISCO_PORT": "tcp://10.0.0.1:80", "DISCO_SERVICE_HOST": "10.0.0.1"])
    }

    @Test func testsSetTheirValues() throws {
        let config = ConfigReader(provider: InMemoryProvider(values: ["disco.eventStore.adapter": "memory"]))
        let adapter = try EventStoreAdapter.chosen(by: config, among: [.memory, .sqlite])
        #expect(adapter.name == "memory")
    }

    @Test func anAdapterOfAnotherPackageIsChosenByItsName() async throws {
        let papyrus = EventStoreAdapter(name: "papyrus", keys: ["papyrus.pages"]) { config, _ in
            let pages = config.int(forKey: "papyrus.pages", default: 100)
            return try PapyrusEventStore(pages: pages)
        }
        let config = ConfigReader(provider: InMemoryProvider(values: ["disco.eventStore.adapter": "papyrus"]))
        let store = try await EventStoreAdapter.chosen(by: config, among: [.memory, papyrus]).open(config)
        #expect(store is PapyrusEventStore)
        await store.close()
    }
}
