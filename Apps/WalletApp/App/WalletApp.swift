import AppSupport
import ArgumentParser
import DiscoConsumers
import DiscoCore
import Foundation
import Logging
import ServiceLifecycle
import WalletDomain

@main
enum Main {
    static func main() async { await Termination.heeding { await WalletApp.main() } }
}

/// The wallet system on the command line.
struct WalletApp: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "WalletApp",
        abstract: "Manages wallets on an event store, with commands, events and queries.",
        discussion: """
            Results are printed as JSON on standard output, errors as JSON on standard error. The exit status is 1 for an \
            error, 64 for wrong usage, 74 if the output cannot be written, and 78 for a wrong setting.

            \(AppConfiguration.help)
            """,
        subcommands: [
            Demo.self, Commands.self, Queries.self, Dispatch.self, Ask.self, Consume.self, Schema.self,
        ] + serving)

    #if HTTP
    private static let serving: [any ParsableCommand.Type] = [Serve.self]
    #else
    private static let serving: [any ParsableCommand.Type] = []
    #endif
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
        abstract: "Runs a command and prints the wallet's new state.",
        discussion: """
            Example: WalletApp dispatch deposit_money '{"id": "0198…", "amount": 12.50}' --key order-77

            With --key, the command takes effect once, however often it is sent; a repeat prints the first result.
            With --await, it returns when `consume` in another process has brought the read model up to date, or warns \
            on standard error that the read model is behind; the command is recorded in both cases. With --details, it \
            also prints the position, for `query --after`.
            """)

    @Argument(help: "The command's name; `WalletApp commands` lists them.") var name: String
    @Argument(help: "The command's fields, as a JSON object.") var fields: String
    @Option(help: "An idempotency key, at most 255 bytes.") var key: String?
    @Option(name: .customLong("await"), help: "The consumers to wait for, separated by commas, for example wallets.")
    var awaited: String?
    @Option(help: "How many seconds to wait for them.") var within = 5.0
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
            // With --await, the consumers run in another process.
            if awaited != nil { return }
            // The consequences are part of the command; if this is interrupted, the next process continues.
            try await system.wallets.consumers.catchUp()
        }
    }
}

struct Ask: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "query", abstract: "Runs a query on everything recorded so far.",
        discussion: "Example: WalletApp query list_wallets '{\"user_id\": \"13bb…\"}'")

    @Argument(help: "The query's name; `WalletApp queries` lists them.") var name: String
    @Argument(help: "The query's fields, as a JSON object.") var fields: String = "{}"
    @Option(
        help:
            "Do not update the read model here: wait until `consume` in another process has passed this position."
    )
    var after: Int64?
    @Option(help: "How many seconds to wait for that position.") var within = 5.0

    func validate() throws {
        if let after, after < 0 { throw ValidationError("--after is \(after); it must be a position, at least 0.") }
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
        abstract: "Writes the shapes of all event types to a file, or checks the file.",
        discussion: """
            Example: WalletApp schema --check Apps/WalletApp/events.json

            Commit the file and check it in CI. A change to an event type that would make recorded events unreadable \
            is refused, with advice on what to do.
            """)

    @Argument(help: "The file of event shapes.") var file: String
    @Flag(help: "Write nothing; fail if the file is out of date or a change is refused.") var check = false

    func run() async throws {
        try await Output.reporting {
            if check { try Wallet.schema.check(file) } else { try Wallet.schema.write(to: file) }
        }
    }
}

struct Consume: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Keeps the read model up to date and sends notices, until stopped by a signal.",
        discussion: """
            It may be started several times, on several machines: one process works on each consumer, and the others \
            stand by and take over. `EventStoreApp consumers` shows who works on what. On SIGTERM or SIGINT it finishes \
            the current event and saves its checkpoints; a second ends it at once.
            """)

    func run() async throws {
        // At level info, the log says what this process works on.
        try await System.run(shared: true, logging: .info) { system in
            let services = ServiceGroup(
                services: [system.wallets.consumers], logger: AppConfiguration.logger("wallets"))
            // A signal handler cannot wait; `services.run()` below returns when the shutdown is complete.
            Termination.shuttingDown { Task { await services.triggerGracefulShutdown() } }
            try await services.run()
        }
    }
}

private func checkLimit(_ seconds: Double) throws {
    guard (0...86_400).contains(seconds) else {
        throw ValidationError("--within is \(seconds); it must be a number of seconds from 0 to 86400 (one day).")
    }
}
