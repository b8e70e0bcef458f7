public import DiscoCore
public import Foundation

/// Opens a wallet for a user.
public struct CreateWallet: CreateCommand {
    public var userID: UUID
    public var balance: Decimal

    enum CodingKeys: String, CodingKey {
        case userID = "user_id"
        case balance
    }

    public init(userID: UUID, balance: Decimal) {
        self.userID = userID
        self.balance = balance
    }

    public static let rules: [FieldRule<Self>] = [
        .field(CodingKeys.userID, else: "must be a valid UUID string"),
        .field(CodingKeys.balance, \.balance, .atLeast(0)),
    ]

    public func run(on wallet: Wallet) throws -> [Wallet.Event] { [.walletCreated(userID: userID, balance: balance)] }
}

/// Deposits money into a wallet.
public struct DepositMoney: UpdateCommand {
    public let id: UUID
    public var amount: Decimal

    public init(id: UUID, amount: Decimal) {
        self.id = id
        self.amount = amount
    }

    public static let rules: [FieldRule<Self>] = [
        .field(CodingKeys.id, else: "must be a valid UUID string"),
        .field(CodingKeys.amount, \.amount, .greaterThan(0)),
    ]

    public func run(on wallet: Wallet) throws -> [Wallet.Event] { [.moneyDeposited(amount: amount)] }
}

/// Withdraws money from a wallet, if its balance covers the amount.
public struct WithdrawMoney: UpdateCommand {
    public let id: UUID
    public var amount: Decimal

    public init(id: UUID, amount: Decimal) {
        self.id = id
        self.amount = amount
    }

    public static let rules: [FieldRule<Self>] = [
        .field(CodingKeys.id, else: "must be a valid UUID string"),
        .field(CodingKeys.amount, \.amount, .greaterThan(0)),
    ]

    public func run(on wallet: Wallet) throws -> [Wallet.Event] {
        try wallet.require(amount)
        return [.moneyWithdrawn(amount: amount)]
    }
}

/// Records that the balance is low; does nothing if it is not low, or if this is already recorded.
public struct NoticeLowBalance: UpdateCommand {
    public let id: UUID

    public init(id: UUID) { self.id = id }

    public static let rules: [FieldRule<Self>] = [.field(CodingKeys.id, else: "must be a valid UUID string")]

    public func run(on wallet: Wallet) throws -> [Wallet.Event] {
        wallet.balance < Wallet.low && !wallet.isLow ? [.lowBalanceNoticed(balance: wallet.balance)] : []
    }
}

/// Moves money from one wallet to another: both change, or neither.
public struct TransferMoney: ActionCommand {
    public var from: UUID
    public var to: UUID
    public var amount: Decimal

    public init(from: UUID, to: UUID, amount: Decimal) {
        self.from = from
        self.to = to
        self.amount = amount
    }

    public static let rules: [FieldRule<Self>] = [
        .field(CodingKeys.from, else: "must be a valid UUID string"),
        .field(CodingKeys.to, else: "must be a valid UUID string"),
        .field(CodingKeys.amount, \.amount, .greaterThan(0)),
    ]

    public func validate() throws {
        if from == to { throw ValidationError(["to": ["must be another wallet"]]) }
    }

    public func run(in context: ActionContext) async throws -> [Wallet] {
        let source = try await context.load(Wallet.self, from)
        let destination = try await context.load(Wallet.self, to)
        for wallet in [source, destination] where !wallet.exists {
            throw DispatchError.aggregateNotFound(wallet.stream)
        }
        try source.state.require(amount)
        try await context.append([
            source.recording(.moneyWithdrawn(amount: amount)), destination.recording(.moneyDeposited(amount: amount)),
        ])
        return [source.after(.moneyWithdrawn(amount: amount)), destination.after(.moneyDeposited(amount: amount))]
    }

    /// Both wallets as they were after the transfer.
    public func repeated(_ appended: Appended, in context: ActionContext) async throws -> [Wallet] {
        var wallets: [Wallet] = []
        for event in appended.events {
            guard let id = UUID(uuidString: event.stream.id) else { continue }
            wallets.append(try await context.load(Wallet.self, id, version: event.version).state)
        }
        return wallets
    }
}

extension Loaded<Wallet> {
    fileprivate func after(_ event: Wallet.Event) -> Wallet {
        var wallet = state
        wallet.apply(event)
        return wallet
    }
}
