import AppSupport
import ArgumentParser
import Configuration
import DiscoCore
import DiscoEventStore
import Foundation

struct ConsumersCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "consumers", abstract: "Shows consumers and their progress, and changes them.",
        subcommands: [
            ListConsumers.self, ParkedCommand.self, RebuildConsumer.self, PauseConsumer.self, ResumeConsumer.self,
            DivideConsumer.self, ResetConsumer.self, ListMembers.self,
        ], defaultSubcommand: ListConsumers.self)

    /// Opens the read model store, and closes it at the end.
    static func withReadModels(_ body: (any ReadModelStore) async throws -> Void) async throws {
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

    /// Changes a consumer, and prints what was done.
    static func change(_ name: String, _ action: ConsumerAction, _ done: String) async throws {
        try await Output.reporting {
            try await withReadModels { readModels in
                try await readModels.administer(name, action)
                try Output.print(.object([done: .string(name)]))
            }
        }
    }
}

private struct ListConsumers: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "list", abstract: "Shows how far each consumer has come, who works on it, and what it holds.",
        discussion: """
            Lag is the number of events, and the age of the oldest one, that a consumer has not passed. With --watch it \
            also shows events a second and, for a rebuild, the time left. As JSON, each row lists its partitions.
            """)

    @OptionGroup var rows: RowOptions
    @Flag(help: "Show it again every two seconds, until stopped.") var watch = false

    func run() async throws {
        try await withClient { client in
            try await ConsumersCommand.withReadModels { readModels in
                var earlier: [ConsumerStatus] = []
                var read = ContinuousClock.now
                while true {
                    let statuses = try await client.status(of: readModels)
                    let seconds = (ContinuousClock.now - read) / .seconds(1)
                    read = .now
                    try show(statuses, earlier, seconds)
                    if !watch { return }
                    earlier = statuses
                    try await client.context.sleep(for: .seconds(2))
                }
            }
        }
    }

    private func show(_ statuses: [ConsumerStatus], _ earlier: [ConsumerStatus], _ seconds: Double) throws {
        var columns = ["consumer", "role", "version", "state", "position", "lag", "lag_seconds"]
        if watch { columns += ["rate", "left"] }
        var table = Table(columns + ["owner", "held", "parked", "reason"], json: rows.json)
        for status in statuses {
            guard var row = status.json.object else { continue }
            let owners = Set(status.partitions.compactMap(\.host)).sorted()
            row["owner"] = owners.isEmpty ? .null : .string(owners.joined(separator: " "))
            if status.lagSeconds.map({ $0 > 0 }) == true {
                row["lag_seconds"] = JSON(((status.lagSeconds ?? 0) * 10).rounded() / 10)
            }
            if watch {
                let before = earlier.first { $0.consumer == status.consumer && $0.generation == status.generation }
                let rate = before.flatMap { status.rate(since: $0, seconds: seconds) }
                row["rate"] = rate.map { JSON(Int($0)) } ?? .null
                let left = Double(status.head.rawValue - status.position.rawValue)
                row["left"] = rate.flatMap { $0 > 0 && left > 0 ? JSON(Int(min(left / $0, 1e9))) : nil } ?? .null
            }
            try table.add(.object(row))
        }
        try table.finish()
    }
}

private struct ListMembers: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "members", abstract: "Lists the processes that run consumers.")

    @OptionGroup var rows: RowOptions

    func run() async throws {
        try await Output.reporting {
            try await ConsumersCommand.withReadModels { readModels in
                var table = Table(["id", "host", "build", "expires_in", "consumers"], json: rows.json)
                let partitions = try await readModels.partitions(of: nil)
                for state in try await readModels.members() {
                    let owned = partitions.filter { $0.owner == state.member.id }.map(\.partition.consumer)
                    try table.add([
                        "id": .string(state.member.id), "host": .string(state.member.host),
                        "build": .string(state.member.build),
                        "expires_in": JSON((state.remaining / .milliseconds(1)).rounded() / 1000),
                        "consumers": .array(Set(owned).sorted().map(JSON.string)),
                    ])
                }
                try table.finish()
            }
        }
    }
}

private struct RebuildConsumer: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "rebuild", abstract: "Builds a projection's read model anew beside the running one.",
        discussion: """
            The processes that run the projection do the work; queries see the present read model until the new one has \
            caught up, and then the new one. The old one is kept for a while: --revert goes back to it. Watch the \
            progress with `consumers list --watch`.
            """)

    @Argument(help: "The projection's name.") var name: String
    @Flag(help: "Give up a rebuild that is running.") var cancel = false
    @Flag(help: "Go back to the read model from before the last rebuild.") var revert = false

    func validate() throws {
        if cancel, revert { throw ValidationError("Give --cancel or --revert, not both.") }
    }

    func run() async throws {
        let (action, done): (ConsumerAction, String) =
            if cancel { (.cancelRebuild, "cancelled") } else if revert { (.revert, "reverting") } else {
                (.rebuild, "rebuilding")
            }
        try await ConsumersCommand.change(name, action, done)
    }
}

private struct PauseConsumer: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "pause", abstract: "Stops a consumer in all processes, until it is resumed.")

    @Argument(help: "The consumer's name.") var name: String
    @Option(help: "Why; shown in the list of consumers.") var reason: String

    func run() async throws { try await ConsumersCommand.change(name, .pause(reason: reason), "paused") }
}

private struct ResumeConsumer: AsyncParsableCommand {
    static let configuration = CommandConfiguration(commandName: "resume", abstract: "Ends a pause of a consumer.")

    @Argument(help: "The consumer's name.") var name: String

    func run() async throws { try await ConsumersCommand.change(name, .resume, "resumed") }
}

private struct DivideConsumer: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "partitions", abstract: "Divides a consumer's events into another number of partitions.",
        discussion: """
            Each partition is worked on by one process at a time, so their number limits how many processes share the \
            work. The running processes carry it out: all partitions run to the same position, and are exchanged there.
            """)

    @Argument(help: "The consumer's name.") var name: String
    @Argument(help: "The number of partitions, from 1 to 1024.") var count: Int

    func run() async throws { try await ConsumersCommand.change(name, .partition(count), "dividing") }
}

private struct ResetConsumer: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "reset", abstract: "Lets a consumer start over: deletes its checkpoint and what it holds.",
        discussion: """
            It may be running. The tables that a projection has created with \\(table:) are emptied; empty others \
            yourself, and stop the projection before. A policy reacts to every event again; commands that it has sent \
            through its context are not repeated.
            """)

    @Argument(help: "The consumer's name.") var name: String

    func run() async throws { try await ConsumersCommand.change(name, .reset, "reset") }
}
