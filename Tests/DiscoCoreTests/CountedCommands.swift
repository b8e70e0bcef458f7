import DiscoCore
import Foundation
import WalletDomain

/// Counts the decisions made in the current task.
enum Decisions {
    @TaskLocal static var count: Locked<Int>?

    static func note() { count?.withLock { $0 += 1 } }
}

/// Counts how often it is decided.
struct SpendMoney: UpdateCommand {
    let id: UUID
    let amount: Decimal

    func run(on wallet: Wallet) throws -> [Wallet.Event] {
        Decisions.note()
        return try WithdrawMoney(id: id, amount: amount).run(on: wallet)
    }
}

/// Cannot answer a repeat.
struct GiveAllAway: ActionCommand {
    let id: UUID

    func run(in context: ActionContext) async throws -> Decimal {
        Decisions.note()
        let wallet = try await context.load(Wallet.self, id)
        let amount = wallet.state.balance
        try await context.append([wallet.recording(.moneyWithdrawn(amount: amount))])
        return amount
    }
}
