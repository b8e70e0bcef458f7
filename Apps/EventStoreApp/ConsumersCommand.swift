import AppSupport
import ArgumentParser
import Configuration
import DiscoCore
import DiscoEventStore

struct ConsumersCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "consumers", abstract: "Lists consumers and their progress, or resets one.",
        subcommands: [List.self, Reset.self], defaultSubcommand: List.self)

    struct List: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            abstract:
                "Lists the consumers that have a checkpoint: position, lag in events, and number of held events."
        )

        @OptionGroup var rows: RowOptions

        func run() async throws {
            try await withClient { client in
                let head = try await client.head()
                try await ConsumersCommand.withReadModels { readModels in
                    var table = Table(["consumer", "position", "lag", "held", "reason"], json: rows.json)
                    for name in try await readModels.consumers().map(\.name) {
                        let position = try await readModels.checkpoint(of: name).position
                        let held = try await readModels.held(by: name)
                        try table.add([
                            "consumer": .string(name), "position": JSON(position.rawValue),
                            "lag": JSON(try await client.count(after: position, upTo: head)),
                            "held": JSON(held.count),
                            "reason": held.lazy.compactMap(\.failure).first.map { .string($0.reason) } ?? .null,
                        ])
                    }
                    try table.finish()
                }
            }
        }
    }

    struct Reset: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Deletes a consumer's checkpoint and held events: its next run starts from the beginning.",
            discussion: """
                Stop the consumer first. A projection applies every event again, so empty its tables. A policy reacts \
                to every event again.
                """)

        @Argument(help: "The consumer's name.") var name: String

        func run() async throws {
            try await Output.reporting {
                try await ConsumersCommand.withReadModels { readModels in
                    let known = try await readModels.consumers().map(\.name)
                    guard known.contains(name) else {
                        let names = known.isEmpty ? "none has a checkpoint" : "known: \(known.joined(separator: ", "))"
                        throw EventStoreError(.unknownConsumer, "There is no consumer \(name); \(names).")
                    }
                    try await readModels.reset(name)
                    try Output.print(["reset": .string(name)])
                }
            }
        }
    }

    private static func withReadModels(_ body: (any ReadModelStore) async throws -> Void) async throws {
        let config = try await EventStoreApp.settings()
        let adapter = try ReadModelStoreAdapter.chosen(by: config, among: AppConfiguration.readModelStores)
        let readModels = try await adapter.open(
            config, context: StoreContext(logger: AppConfiguration.logger("EventStoreApp")))
        do {
            try await body(readModels)
        } catch {
            await readModels.close()
            throw error
        }
        await readModels.close()
    }
}
