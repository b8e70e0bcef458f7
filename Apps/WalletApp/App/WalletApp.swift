import AppSupport
import ArgumentParser
import DiscoConsumers
import DiscoCore
import Foundation
import WalletDomain

/// A wallet at the command line.
@main
struct WalletApp: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "WalletApp",
        abstract: "Wallets on an event store: commands decide, events are recorded, queries answer.",
        discussion: """
            Answers are JSON on standard output. A refusal is JSON on standard error, and the exit status is 1.

            \(AppConfiguration.help)
            """,
        subcommands: [Demo.self, Commands.self, Queries.self, Dispatch.self, Ask.self, Consume.self])
}

struct Commands: AsyncParsableCommand {
    static let configuration = CommandConfiguration(abstract: "Lists the commands.")

    func run() async throws {
        try await System.run(shared: false) { system in
            Output.print(.array(system.wallets.orchestrator.commands().map(JSON.string)))
        }
    }
}

struct Queries: AsyncParsableCommand {
    static let configuration = CommandConfiguration(abstract: "Lists the queries.")

    func run() async throws {
        try await System.run(shared: false) { system in
            Output.print(.array(system.wallets.orchestrator.queries().map(JSON.string)))
        }
    }
}

struct Dispatch: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Carries out a command and prints the wallet's new state.",
        discussion: "Example: WalletApp dispatch deposit_money '{\"id\": \"0198…\", \"amount\": 12.50}'")

    @Argument(help: "The command's name; `WalletApp commands` lists them.") var name: String
    @Argument(help: "Its fields, as a JSON object.") var fields: String

    func run() async throws {
        try await System.run(shared: true) { system in
            let answer = try await system.wallets.orchestrator.dispatch(name, JSONText(fields).value())
            Output.print(answer)
            // What the command causes belongs to it; where this is cut off, the next process goes on.
            try await system.wallets.consumers.catchUp()
        }
    }
}

struct Ask: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "query", abstract: "Answers a query, on everything that is recorded by now.",
        discussion: "Example: WalletApp query list_wallets '{\"user_id\": \"13bb…\"}'")

    @Argument(help: "The query's name; `WalletApp queries` lists them.") var name: String
    @Argument(help: "Its fields, as a JSON object.") var fields: String = "{}"

    func run() async throws {
        try await System.run(shared: true) { system in
            try await system.wallets.consumers.catchUp(projectionsOnly: true)
            Output.print(try await system.wallets.orchestrator.query(name, JSONText(fields).value()))
        }
    }
}

struct Consume: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Keeps the read model up to date and sends notices, until it is ended.")

    func run() async throws {
        try await System.run(shared: true) { system in
            try await system.wallets.consumers.run()
        }
    }
}
