import AppSupport
import DiscoCore
import DiscoEventStore
import Logging
import WalletDomain

/// The wallet system on the stores that the configuration names.
struct System {
    let wallets: Wallets
    private let events: any EventStore
    private let readModels: any ReadModelStore

    /// - Parameter shared: whether what is done here must be there for the next process.
    private static func open(shared: Bool) async throws -> System {
        let config = try await AppConfiguration.load()
        let adapter = try EventStoreAdapter.chosen(by: config, among: AppConfiguration.eventStores)
        if shared, adapter.name == EventStoreAdapter.memory.name {
            throw EventStoreError(
                .configuration,
                "The memory store ends with its process, so no other one can see what is done here: "
                    + "set DISCO_EVENT_STORE_ADAPTER=sqlite, or run the demo.")
        }
        let readModels = try ReadModelStoreAdapter.chosen(by: config, among: AppConfiguration.readModelStores)
        let logger = AppConfiguration.logger("wallets")
        let context = StoreContext(logger: logger)
        let events = try await adapter.open(config, context: context)
        do {
            return System(events, try await readModels.open(config, context: context), logger)
        } catch {
            await events.close()
            throw error
        }
    }

    private init(_ events: any EventStore, _ readModels: any ReadModelStore, _ logger: Logger) {
        self.events = events
        self.readModels = readModels
        wallets = Wallets(events: events, readModels: readModels, logger: logger)
    }

    /// Runs `body` on a system that is closed afterwards.
    static func run(shared: Bool, _ body: (System) async throws -> Void) async throws {
        try await Output.reporting {
            let system = try await open(shared: shared)
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
