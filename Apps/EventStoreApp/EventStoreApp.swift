import AppSupport
import ArgumentParser
import Configuration
import DiscoCore
import DiscoEventStore

@main
enum Main {
    static func main() async { await Termination.heeding { await EventStoreApp.main() } }
}

/// The event store at the command line.
struct EventStoreApp: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "EventStoreApp",
        abstract: "Manages an event store: migrates it, reads and appends, follows, counts, verifies.",
        discussion: """
            Rows are tables on a terminal and a JSON object a line elsewhere. What is refused is JSON on standard error, and the \
            exit status is 1; 78 for a wrong setting, 64 for wrong usage, 74 where the output cannot be written.

            \(AppConfiguration.help)
            """,
        subcommands: [
            Migrate.self, Migrations.self, AppendEvent.self, ReadEvents.self, Tail.self, Streams.self, Stats.self,
            Verify.self, ConsumersCommand.self, ForgetKeys.self,
        ])
}

extension ParsableCommand {
    /// Runs `body` on the store that the configuration names, which is closed afterwards.
    func withClient(_ body: (EventStoreClient) async throws -> Void) async throws {
        try await Output.reporting {
            let config = try await AppConfiguration.load()
            let adapter = try EventStoreAdapter.chosen(by: config, among: AppConfiguration.eventStores)
            if adapter.name == EventStoreAdapter.memory.name {
                throw EventStoreError(
                    .configuration,
                    "The memory store ends with its process, so there is nothing to look after: "
                        + "set DISCO_EVENT_STORE_ADAPTER=sqlite or postgres.")
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
    @Flag(help: "Prints a JSON object a line on a terminal too.") var json = false
}
