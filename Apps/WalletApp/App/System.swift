import ArgumentParser
import Configuration
import DiscoCore
import DiscoEventStore
import DiscoEventStoreSQLite
import Foundation
import Logging
import WalletDomain

/// The wallet system on the store that the environment names.
struct System {
    let wallets: Wallets
    private let events: any EventStore
    private let readModels: SQLiteReadModelStore

    /// - Parameter shared: whether what is done here must be there for the next process.
    static func open(shared: Bool) throws -> System {
        let config = ConfigReader(provider: EnvironmentVariablesProvider()).scoped(to: "disco.event.store")
        let adapter = config.string(forKey: "adapter", default: "sqlite")
        switch adapter {
        case "memory":
            if shared {
                throw EventStoreError(
                    .unavailable,
                    "The memory store ends with its process, so no other one can see what is done here: "
                        + "set DISCO_EVENT_STORE_ADAPTER=sqlite, or run the demo.")
            }
            return try System(events: InMemoryEventStore(), readModels: SQLiteReadModelStore(path: nil))
        case "sqlite":
            let path = config.string(forKey: "sqlite.path", default: "wallets.sqlite")
            return try System(
                events: SQLiteEventStore(path: path), readModels: SQLiteReadModelStore(path: path + ".read-models"))
        default:
            throw EventStoreError(
                .unavailable, "DISCO_EVENT_STORE_ADAPTER is \(adapter); allowed are memory and sqlite.")
        }
    }

    private init(events: any EventStore, readModels: SQLiteReadModelStore) {
        self.events = events
        self.readModels = readModels
        var logger = Logger(label: "wallets") { StreamLogHandler.standardError(label: $0) }
        logger.logLevel = .warning
        wallets = Wallets(events: events, readModels: readModels, logger: logger)
    }

    func close() async {
        await events.close()
        readModels.close()
    }

    /// Prints whatever goes wrong as JSON on standard error, and ends with status 1.
    static func reporting(_ body: () async throws -> Void) async throws {
        do {
            try await body()
        } catch {
            Output.refuse(error)
            throw ExitCode(1)
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
