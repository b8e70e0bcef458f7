import AppSupport
import ArgumentParser
import Configuration
import DiscoCore
import DiscoEventStore

#if HTTP
import DiscoEventStoreServer
#endif

@main
enum Main {
    static func main() async { await Termination.heeding { await EventStoreApp.main() } }
}

/// The event store on the command line.
struct EventStoreApp: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "EventStoreApp",
        abstract: "Manages an event store: migrates, appends, reads, follows, counts and verifies.",
        discussion: """
            Rows are printed as a table on a terminal and as one JSON object per line elsewhere. Errors are printed as \
            JSON on standard error. The exit status is 1 for an error, 64 for wrong usage, 74 if the output cannot be \
            written, and 78 for a wrong setting.

            \(AppConfiguration.help)
            """,
        subcommands: [
            Migrate.self, Migrations.self, AppendEvent.self, ReadEvents.self, Tail.self, Streams.self, Stats.self,
            Verify.self, ConsumersCommand.self, ForgetKeys.self,
        ] + serverCommands)

    #if HTTP
    private static let serverCommands: [any ParsableCommand.Type] = [Serve.self, Health.self, Tokens.self]
    private static let serverKeys = EventStoreServer.Settings.keys
    #else
    private static let serverCommands: [any ParsableCommand.Type] = []
    private static let serverKeys: [String] = []
    #endif

    static func settings() async throws -> ConfigReader { try await AppConfiguration.load(others: serverKeys) }
}

extension ParsableCommand {
    /// Opens the store that the configuration names, runs `body` on it, and closes it.
    func withClient(_ body: (EventStoreClient) async throws -> Void) async throws {
        try await Output.reporting {
            let config = try await EventStoreApp.settings()
            let adapter = try EventStoreAdapter.chosen(by: config, among: AppConfiguration.eventStores)
            if adapter.name == EventStoreAdapter.memory.name {
                throw EventStoreError(
                    .configuration,
                    "The memory store is lost when its process ends, so there is nothing to manage: "
                        + "set DISCO_EVENT_STORE_ADAPTER to sqlite or postgres.")
            }
            let client = EventStoreClient(
                try await adapter.open(config, context: StoreContext(logger: AppConfiguration.logger("EventStoreApp"))))
            do {
                try await body(client)
            } catch {
                await client.close()
                throw error
            }
            await client.close()
        }
    }
}

/// Options that several commands share.
struct RowOptions: ParsableArguments {
    @Flag(help: "Print one JSON object per line on a terminal too.") var json = false
}
