import AppSupport
import Configuration
import DiscoCore
import DiscoEventStore
import Logging
import WalletDomain

#if HTTP
import DiscoHTTP
#endif

/// The wallet system on the stores that the configuration names.
struct System {
    let wallets: Wallets
    let config: ConfigReader
    private let events: any EventStore
    private let readModels: any ReadModelStore

    /// - Parameters:
    ///   - shared: whether other processes must see what this one records.
    ///   - level: from which level on the stores and the consumers log.
    private static func open(shared: Bool, _ level: Logger.Level) async throws -> System {
        let config = try await AppConfiguration.load(others: ownKeys)
        let adapter = try EventStoreAdapter.chosen(by: config, among: AppConfiguration.eventStores)
        if shared, adapter.name == EventStoreAdapter.memory.name {
            throw EventStoreError(
                .configuration,
                "The memory store is lost when its process ends, so no other process can see the result: "
                    + "set DISCO_EVENT_STORE_ADAPTER to sqlite or postgres, or run the demo.")
        }
        let readModels = try ReadModelStoreAdapter.chosen(by: config, among: AppConfiguration.readModelStores)
        let logger = AppConfiguration.logger("wallets")
        let context = StoreContext(logger: AppConfiguration.logger("wallets", level))
        let events = try await adapter.open(config, context: context)
        do {
            return System(events, try await readModels.open(config, context: context), config, logger)
        } catch {
            await events.close()
            throw error
        }
    }

    /// The keys of the app's own settings.
    private static var ownKeys: [String] {
        #if HTTP
        OrchestratorServer.Settings.keys
        #else
        []
        #endif
    }

    private init(
        _ events: any EventStore, _ readModels: any ReadModelStore, _ config: ConfigReader, _ logger: Logger
    ) {
        self.config = config
        self.events = events
        self.readModels = readModels
        wallets = Wallets(events: events, readModels: readModels, logger: logger)
    }

    /// Opens the system, runs `body` on it, and closes it.
    static func run(
        shared: Bool, logging level: Logger.Level = .warning, _ body: (System) async throws -> Void
    ) async throws {
        try await Output.reporting {
            let system = try await open(shared: shared, level)
            do {
                try await body(system)
            } catch {
                await system.close()
                throw error
            }
            await system.close()
        }
    }

    private func close() async {
        await events.close()
        await readModels.close()
    }
}
