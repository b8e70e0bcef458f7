import ArgumentParser
import Configuration
import DiscoCore
import DiscoEventStore
import DiscoEventStoreSQLite
import Foundation
import Logging
import WalletDomain

/// The wallet system on the stores that the environment names.
struct System {
    let wallets: Wallets
    private let events: any EventStore
    private let readModels: any ReadModelStore

    /// - Parameter shared: whether what is done here must be there for the next process.
    static func open(shared: Bool) async throws -> System {
        let config = ConfigReader(provider: EnvironmentVariablesProvider())
        let adapter = try EventStoreAdapter.chosen(by: config, among: [.memory, .sqlite])
        if shared, adapter.name == EventStoreAdapter.memory.name {
            throw EventStoreError(
                .configuration,
                "The memory store ends with its process, so no other one can see what is done here: "
                    + "set DISCO_EVENT_STORE_ADAPTER=sqlite, or run the demo.")
        }
        let readModels = try ReadModelStoreAdapter.chosen(by: config, among: [.memory, .sqlite])
        return System(events: try await adapter.open(config), readModels: try await readModels.open(config))
    }

    private init(events: any EventStore, readModels: any ReadModelStore) {
        self.events = events
        self.readModels = readModels
        var logger = Logger(label: "wallets") { StreamLogHandler.standardError(label: $0) }
        logger.logLevel = .warning
        wallets = Wallets(events: events, readModels: readModels, logger: logger)
    }

    func close() async {
        await events.close()
        await readModels.close()
    }

    /// Runs `body` on a system that is closed afterwards. Whatever goes wrong is printed as JSON on standard error, and ends
    /// the process with status 1, or 78 (EX_CONFIG of sysexits.h) where a setting is wrong.
    static func run(shared: Bool, _ body: (System) async throws -> Void) async throws {
        do {
            let system = try await open(shared: shared)
            do {
                try await body(system)
            } catch {
                await system.close()
                throw error
            }
            await system.close()
        } catch {
            Output.refuse(error)
            throw ExitCode((error as? EventStoreError)?.code == .configuration ? 78 : 1)
        }
    }
}

enum Output {
    static func print(_ value: JSON) { write(value.description, to: .standardOutput) }

    static func refuse(_ error: any Error) { write(JSON(describing: error).description, to: .standardError) }

    static func write(_ line: String, to handle: FileHandle) {
        // A reader that has gone (a closed pipe) is no reason to fail.
        try? handle.write(contentsOf: Data((line + "\n").utf8))
    }
}
