public import DiscoConsumers
public import DiscoCore
import Foundation

/// The read model `wallet_list`: each wallet with its owner and balance.
public struct WalletList: Projection {
    public let name = "wallets"
    public let query = EventQuery.category(Wallet.category)

    public init() {}

    public func setUp(_ transaction: SQLTransaction) throws {
        try transaction.execute(
            """
            CREATE TABLE IF NOT EXISTS \(table: "wallet_list")
            (id TEXT PRIMARY KEY, user_id TEXT NOT NULL, balance TEXT NOT NULL, opened BIGINT NOT NULL)
            """)
        try transaction.execute(
            "CREATE INDEX IF NOT EXISTS \(index: "wallets_of_user") ON \(table: "wallet_list") (user_id, opened)")
    }

    public func apply(_ event: RecordedEvent, _ transaction: SQLTransaction) throws {
        switch try Wallet.Event(event) {
        case .walletCreated(let userID, let balance):
            try transaction.execute(
                "INSERT INTO \(table: "wallet_list") VALUES (\(event.stream.id), \(userID), \(balance), \(event.position))"
            )
        case .moneyDeposited(let amount): try add(amount, event.stream.id, transaction)
        case .moneyWithdrawn(let amount): try add(-amount, event.stream.id, transaction)
        case .lowBalanceNoticed: break
        }
    }

    /// Decimals are kept as text, so they are added here and not in SQL, which would round them.
    private func add(_ amount: Decimal, _ id: String, _ transaction: SQLTransaction) throws {
        let row = try transaction.query("SELECT balance FROM \(table: "wallet_list") WHERE id = \(id)").first
        let balance = try row?.value("balance", as: Decimal.self) ?? 0
        try transaction.execute("UPDATE \(table: "wallet_list") SET balance = \(balance + amount) WHERE id = \(id)")
    }
}

/// Tells owners that the balance is low after a withdrawal, by dispatching a command.
public struct LowBalanceNotice: Policy {
    public let name = "low_balance_notice"
    public let query = EventQuery.types("MoneyWithdrawn")
    private let orchestrator: Orchestrator

    public init(orchestrator: Orchestrator) { self.orchestrator = orchestrator }

    public func process(_ event: RecordedEvent, in context: PolicyContext) async throws -> Outcome {
        guard let id = UUID(uuidString: event.stream.id) else {
            return .skip("\(event.stream) is not a wallet stream")
        }
        try await context.dispatch(NoticeLowBalance(id: id), by: orchestrator)
        return .done
    }
}
