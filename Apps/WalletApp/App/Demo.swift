import AppSupport
import ArgumentParser
import DiscoConsumers
import DiscoCore
import Foundation
import WalletDomain

struct Demo: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Runs a demonstration: two wallets, a deposit, a transfer, an overdraft, and the recorded events.")

    func run() async throws {
        try await System.run(shared: false) { system in try await Story(wallets: system.wallets).tell() }
    }
}

/// Prints the demonstration line by line, with names in place of ids, so that its output is always the same.
private struct Story {
    let wallets: Wallets
    private let user = UUID.timeOrdered()
    private let colour = Output.isTerminal

    init(wallets: Wallets) { self.wallets = wallets }

    func tell() async throws {
        let start = try await wallets.client.head()
        try say("Commands: " + wallets.orchestrator.commands().joined(separator: ", "))
        try say("Queries:  " + wallets.orchestrator.queries().joined(separator: ", "))

        var names: [(String, String)] = [(user.description.lowercased(), "<ada>")]
        try title("Ada opens a wallet with 100")
        let first = try await dispatch("create_wallet", ["user_id": userJSON, "balance": 100], names)
        names.append((id(first), "<wallet 1>"))
        try title("A wallet with an invalid owner and a negative balance is refused, with a reason for each field")
        try await dispatch("create_wallet", ["user_id": "ada", "balance": -1], names)
        try title("A second wallet, then a deposit")
        let second = try await dispatch("create_wallet", ["user_id": userJSON, "balance": 0], names + [])
        names.append((id(second), "<wallet 2>"))
        try await dispatch("deposit_money", ["id": .string(id(first)), "amount": 20.5], names)
        try title("A transfer changes both wallets at once")
        try await dispatch(
            "transfer_money", ["from": .string(id(first)), "to": .string(id(second)), "amount": 115], names)
        try title("An overdraft is refused")
        try await dispatch("withdraw_money", ["id": .string(id(first)), "amount": 1000], names)

        try title("A deposit that is sent twice with one key takes effect once")
        let key = "order of \(user.description.lowercased())"
        for _ in 0..<2 {
            try await dispatch("deposit_money", ["id": .string(id(second)), "amount": 10], names, key: key)
        }

        try title("The projection catches up, and queries read what it wrote")
        try await wallets.consumers.catchUp()
        try await query("list_wallets", ["user_id": userJSON], names)
        try await query("list_wallets", [:], names)

        try title("The recorded events (a policy caused the last one, because the balance was low)")
        for try await event in wallets.client.events(after: start) {
            let position = event.position.rawValue - start.rawValue
            try say(named("  \(position)  \(event.stream) v\(event.version)  \(event.type) \(event.payload)", names))
        }
    }

    private var userJSON: JSON { .string(user.description.lowercased()) }

    private func id(_ wallet: JSON) -> String { wallet["id"]?.string ?? "" }

    @discardableResult
    private func dispatch(
        _ name: String, _ fields: JSON, _ names: [(String, String)], key: String? = nil
    ) async throws -> JSON {
        try say(named("  dispatch \(name) \(fields)" + (key.map { " --key '\($0)'" } ?? ""), names))
        do {
            let answer = try await wallets.orchestrator.dispatch(name, fields, key: key).output
            let unnamed = names.contains { $0.0 == id(answer) } || id(answer).isEmpty
            let all = unnamed ? names : names + [(id(answer), "<wallet \(names.count)>")]
            try say(named("    \(answer)", all), "32")
            return answer
        } catch {
            try say(named("    refused: \(JSON(describing: error))", names), "31")
            return .null
        }
    }

    private func query(_ name: String, _ fields: JSON, _ names: [(String, String)]) async throws {
        try say(named("  query \(name) \(fields)", names))
        do {
            try say(named("    \(try await wallets.orchestrator.query(name, fields))", names), "32")
        } catch {
            try say(named("    refused: \(JSON(describing: error))", names), "31")
        }
    }

    private func named(_ text: String, _ names: [(String, String)]) -> String {
        names.reduce(text) { $0.replacingOccurrences(of: $1.0, with: $1.1) }
    }

    private func title(_ text: String) throws { try say("\n" + text, "1") }

    private func say(_ line: String, _ style: String? = nil) throws {
        if colour, let style {
            try Output.write("\u{1B}[\(style)m\(line)\u{1B}[0m")
        } else {
            try Output.write(line)
        }
    }
}
