import AppSupport
import ArgumentParser
import DiscoConsumers
import DiscoCore
import Foundation
import ServiceLifecycle
import WalletDomain

@main
enum Main {
    static func main() async { await Termination.heeding { await WalletApp.main() } }
}

/// A wallet at the command line.
struct WalletApp: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "WalletApp",
        abstract: "Wallets on an event store: commands decide, events are recorded, queries answer.",
        discussion: """
            Answers are JSON on standard output. A refusal is JSON on standard error, and the exit status is 1.

            \(AppConfiguration.help)
            """,
        subcommands: [
            Demo.self, Commands.self, Queries.self, Dispatch.self, Ask.self, Consume.self, Schema.self,
        ])
}

struct Commands: AsyncParsableCommand {
    static let configuration = CommandConfiguration(abstract: "Lists the commands.")

    func run() async throws {
        try await System.run(shared: false) { system in
            try Output.print(.array(system.wallets.orchestrator.commands().map(JSON.string)))
        }
    }
}

struct Queries: AsyncParsableCommand {
    static let configuration = CommandConfiguration(abstract: "Lists the queries.")

    func run() async throws {
        try await System.run(shared: false) { system in
            try Output.print(.array(system.wallets.orchestrator.queries().map(JSON.string)))
        }
    }
}

struct Dispatch: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Carries out a command and prints the wallet's new state.",
        discussion: """
            Example: WalletApp dispatch deposit_money '{"id": "0198…", "amount": 12.50}' --key order-77

            With --key the command takes effect once, however often it is sent; each time it is answered as it was the first time.
            With --await it returns when a process that consumes has brought the read model that far, or warns on standard error that it \
            is behind: recorded it is all the same. With --details the answer says at which position, for `query --after`.
            """)

    @Argument(help: "The command's name; `WalletApp commands` lists them.") var name: String
    @Argument(help: "Its fields, as a JSON object.") var fields: String
    @Option(help: "An idempotency key, at most 255 bytes.") var key: String?
    @Option(name: .customLong("await"), help: "A consumer to wait for: wallets. Several with commas between them.")
    var awaited: String?
    @Option(help: "How many seconds to wait for it.") var within = 5.0
    @Flag(help: "Print the output together with the position, and whether it is a repeat.") var details = false

    func validate() throws {
        try checkLimit(within)
    }

    func run() async throws {
        try await System.run(shared: true) { system in
            let answer = try await system.wallets.orchestrator.dispatch(
                name, JSONText(fields).value(), key: key, awaiting: awaited.commaSeparated,
                within: .seconds(within))
            try Output.print(details ? answer.json : answer.output)
            if !answer.behind.isEmpty {
                Output.warn(["warning": "consumers_behind", "consumers": .array(answer.behind.map(\.json))])
            }
            // Whoever waits for consumers runs them elsewhere.
            if awaited != nil { return }
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
    @Option(
        help:
            "Leave bringing the read model up to date to a process that consumes, and wait until it has passed this position."
    )
    var after: Int64?
    @Option(help: "How many seconds to wait for it.") var within = 5.0

    func validate() throws {
        if let after, after < 0 { throw ValidationError("--after must be a position, at least 0, not \(after).") }
        try checkLimit(within)
    }

    func run() async throws {
        try await System.run(shared: true) { system in
            if after == nil { try await system.wallets.consumers.catchUp(projectionsOnly: true) }
            try Output.print(
                try await system.wallets.orchestrator.query(
                    name, JSONText(fields).value(), after: after.map { Position(rawValue: $0) },
                    within: .seconds(within)))
        }
    }
}

struct Schema: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Writes the shapes of all event types into a file, or checks it.",
        discussion: """
            Example: WalletApp schema --check Apps/WalletApp/events.json

            The file is committed; CI checks it. A change of an event type that recorded events would not survive is refused, with \
            what to do about it.
            """)

    @Argument(help: "The file.") var file: String
    @Flag(help: "Write nothing; fail where the file is not as it must be.") var check = false

    func run() async throws {
        try await Output.reporting {
            if check { try Wallet.schema.check(file) } else { try Wallet.schema.write(to: file) }
        }
    }
}

struct Consume: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Keeps the read model up to date and sends notices, until a signal ends it.",
        discussion:
            "SIGTERM or SIGINT has it finish the event in hand and save its checkpoints; a second one ends it at once.")

    func run() async throws {
        try await System.run(shared: true) { system in
            let services = ServiceGroup(
                services: [system.wallets.consumers], logger: AppConfiguration.logger("wallets"))
            // A signal's handler cannot wait; `services.run()` below returns once this has had its effect.
            Termination.shuttingDown { Task { await services.triggerGracefulShutdown() } }
            try await services.run()
        }
    }
}

private func checkLimit(_ seconds: Double) throws {
    guard (0...86_400).contains(seconds) else {
        throw ValidationError("--within must be a number of seconds, at most a day, not \(seconds).")
    }
}
