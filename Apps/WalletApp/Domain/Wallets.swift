public import DiscoConsumers
public import DiscoCore
public import Logging

/// The whole wallet system on an event store and a read model store.
public struct Wallets: Sendable {
    public let client: EventStoreClient
    public let orchestrator: Orchestrator
    public let consumers: Consumers

    /// - Parameter logger: where commands and queries are logged.
    public init(events: any EventStore, readModels: any ReadModelStore, logger: Logger) {
        client = EventStoreClient(events, upcasters: Wallet.upcasters)
        orchestrator = Orchestrator(
            client: client, aggregates: [Wallet.self], commands: [TransferMoney.self],
            readModels: [
                ReadModel(queries: [ListWallets.self, FindWallet.self], store: readModels, consumers: ["wallets"])
            ],
            queries: [WalletHistory.self], middleware: [LoggingMiddleware(logger: logger)])
        consumers = Consumers(
            of: client,
            [
                .projection(WalletList(), in: readModels),
                .policy(LowBalanceNotice(orchestrator: orchestrator), in: readModels),
            ])
    }
}
