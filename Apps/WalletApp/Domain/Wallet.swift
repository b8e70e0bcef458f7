public import DiscoCore
public import Foundation

/// The money of one user.
public struct Wallet: Aggregate {
    public let id: UUID
    public var userID: UUID?
    public var balance: Decimal = 0
    /// Whether the owner was told that the balance is low.
    public var isLow = false

    enum CodingKeys: String, CodingKey {
        case id
        case userID = "user_id"
        case balance
        case isLow = "is_low"
    }

    public init(id: UUID) { self.id = id }

    public static let commands: [any AggregateCommand<Wallet>.Type] = [
        CreateWallet.self, DepositMoney.self, WithdrawMoney.self, NoticeLowBalance.self,
    ]

    public enum Event: DomainEvent, Equatable {
        case walletCreated(userID: UUID, balance: Decimal)
        case moneyDeposited(amount: Decimal)
        case moneyWithdrawn(amount: Decimal)
        case lowBalanceNoticed(balance: Decimal)

        enum CodingKeys: String, CodingKey, CaseIterable {
            case walletCreated, moneyDeposited, moneyWithdrawn, lowBalanceNoticed
        }

        enum WalletCreatedCodingKeys: String, CodingKey {
            case userID = "user_id"
            case balance
        }
    }

    /// Few wallets ever have that many events; those of shops do.
    public static let snapshotPolicy = SnapshotPolicy.every(events: 500)

    /// Upcasters for older versions of events. No event has changed yet.
    public static let upcasters: [Upcaster] = []

    /// The shapes of the events, for the committed file Apps/WalletApp/events.json.
    public static var schema: EventSchema { EventSchema([Event.self], upcasters: upcasters) }

    public mutating func apply(_ event: Event) {
        switch event {
        case .walletCreated(let userID, let balance):
            self.userID = userID
            self.balance = balance
        case .moneyDeposited(let amount):
            balance += amount
            isLow = isLow && balance < Self.low
        case .moneyWithdrawn(let amount): balance -= amount
        case .lowBalanceNoticed: isLow = true
        }
    }

    /// The balance below which the owner is told.
    static let low: Decimal = 10

    func require(_ amount: Decimal) throws {
        guard balance >= amount else { throw WalletRefusal.insufficientFunds(balance: balance, amount: amount) }
    }
}

/// Why a wallet refuses a command.
public enum WalletRefusal: Refusal, Equatable {
    case insufficientFunds(balance: Decimal, amount: Decimal)

    public var message: String {
        switch self {
        case .insufficientFunds(let balance, let amount): "The balance is \(balance), which does not cover \(amount)."
        }
    }

    public var data: JSON.Object {
        switch self {
        case .insufficientFunds(let balance, let amount):
            [
                "balance": JSON(balance),
                "amount": JSON(amount),
            ]
        }
    }
}
