public import DiscoCore
public import Foundation

/// A wallet as queries return it.
public struct WalletView: Codable, Equatable, Sendable {
    public let id: UUID
    public let userID: UUID
    public let balance: Decimal

    enum CodingKeys: String, CodingKey {
        case id
        case userID = "user_id"
        case balance
    }

    init(_ row: SQLRow) throws {
        id = try row.value("id")
        userID = try row.value("user_id")
        balance = try row.value("balance")
    }
}

/// Lists all wallets of a user, in the order in which they were opened.
public struct ListWallets: Query {
    public var userID: UUID

    enum CodingKeys: String, CodingKey { case userID = "user_id" }

    public init(userID: UUID) { self.userID = userID }

    public static let rules: [FieldRule<Self>] = [
        .field(CodingKeys.userID, else: "must be a valid UUID string")
    ]

    public func run(in context: QueryContext) async throws -> [WalletView] {
        let userID = userID
        return try await context.read { transaction in
            try transaction.query("SELECT * FROM \(table: "wallet_list") WHERE user_id = \(userID) ORDER BY opened")
                .map(
                    WalletView.init)
        }
    }
}

/// Finds one wallet; the result is null if there is none.
public struct FindWallet: Query {
    public var id: UUID

    public init(id: UUID) { self.id = id }

    public static let rules: [FieldRule<Self>] = [.field(CodingKeys.id, else: "must be a valid UUID string")]

    public func run(in context: QueryContext) async throws -> WalletView? {
        let id = id
        return try await context.read { transaction in
            try transaction.query("SELECT * FROM \(table: "wallet_list") WHERE id = \(id)").first.map(WalletView.init)
        }
    }
}

/// Lists what happened to a wallet, read from the events themselves.
public struct WalletHistory: Query {
    public var id: UUID

    public init(id: UUID) { self.id = id }

    public static let rules: [FieldRule<Self>] = [.field(CodingKeys.id, else: "must be a valid UUID string")]

    public func run(in context: QueryContext) async throws -> [JSON] {
        var history: [JSON] = []
        for try await event in context.client.events(in: Wallet.streamID(id)) { history.append(try event.wire.value()) }
        return history
    }
}
