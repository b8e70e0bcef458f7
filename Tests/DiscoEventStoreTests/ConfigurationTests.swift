import Configuration
import DiscoCore
import DiscoEventStore
import Testing

@Suite struct ConfigurationTests {
    private func config(_ values: [AbsoluteConfigKey: ConfigValue]) -> ConfigReader {
        ConfigReader(provider: InMemoryProvider(values: values))
    }

    private func message(_ body: () throws -> Void) -> String? {
        let error = #expect(throws: EventStoreError.self) { try body() }
        #expect(error?.code == .configuration)
        return error?.message
    }

    @Test func anAdapterIsChosenByItsName() async throws {
        let config = config(["disco.eventStore.adapter": "memory"])
        let adapter = try EventStoreAdapter.chosen(
            by: config,
            among: [.memory, EventStoreAdapter(name: "other") { _, _ in preconditionFailure("not chosen") }])
        #expect(adapter.name == "memory")
        let client = EventStoreClient(try await adapter.open(config))
        try await client.emit("Opened", [:] as JSON)
        #expect(try await client.head() == 1)
        await client.store.close()
    }

    @Test func theEnvironmentHasTheSameKeys() throws {
        let environment = EnvironmentVariablesProvider(environmentVariables: ["DISCO_EVENT_STORE_ADAPTER": "memory"])
        let chosen = try EventStoreAdapter.chosen(by: ConfigReader(provider: environment), among: [.memory])
        #expect(chosen.name == "memory")
    }

    @Test func anUnknownAdapterErrorNamesTheKeyTheValueAndTheAllowedValues() {
        let said = message {
            _ = try EventStoreAdapter.chosen(by: config(["disco.eventStore.adapter": "papyrus"]), among: [.memory])
        }
        #expect(
            said == """
                disco.eventStore.adapter (in the environment DISCO_EVENT_STORE_ADAPTER) is "papyrus"; allowed values: memory.
                """)
    }

    @Test func theReadModelStoreHasTheEventStoresAdapterUnlessNamed() throws {
        let adapters = ["memory", "sqlite"].map { name in
            ReadModelStoreAdapter(name: name) { _, _ in preconditionFailure("not opened") }
        }
        func chosen(_ values: [AbsoluteConfigKey: ConfigValue]) throws -> String {
            try ReadModelStoreAdapter.chosen(by: config(values), among: adapters).name
        }
        #expect(try chosen([:]) == "sqlite")
        #expect(try chosen(["disco.eventStore.adapter": "memory"]) == "memory")
        #expect(try chosen(["disco.eventStore.adapter": "memory", "disco.readModels.adapter": "sqlite"]) == "sqlite")
        #expect(
            message { _ = try chosen(["disco.eventStore.adapter": "papyrus"]) }?.hasPrefix("disco.readModels.adapter")
                == true)
    }

    @Test func anInvalidValueIsRefusedAndNeverReplacedByTheDefault() throws {
        let settings = SettingsReader(
            config([
                "disco.yes": "true", "disco.typed": true, "disco.maybe": "maybe", "disco.long": "2.5",
                "disco.never": "never", "disco.negative": "-1",
            ]))
        #expect(try settings.flag("yes", default: false))
        #expect(try settings.flag("typed", default: false))
        #expect(try settings.flag("missing", default: true))
        #expect(try settings.seconds("long", default: .zero) == .milliseconds(2500))
        #expect(try settings.seconds("missing", default: .seconds(7)) == .seconds(7))
        #expect(
            message { _ = try settings.flag("maybe", default: false) }
                == #"disco.maybe (in the environment DISCO_MAYBE) is "maybe"; allowed values: true and false."#)
        for key in ["never", "negative"] {
            #expect(
                message { _ = try settings.seconds(key, default: .zero) }?.hasSuffix("seconds, for example 2.5.")
                    == true)
        }
    }
}
