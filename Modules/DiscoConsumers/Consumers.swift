public import DiscoCore

/// Runs projections and policies on the events of a store. Problems are logged to the store's
/// ``/DiscoCore/StoreContext/logger``.
///
/// ```swift
/// let consumers = Consumers(of: client, [.projection(WalletList(), in: readModels)])
/// try await consumers.run()  // until its task is cancelled
/// ```
///
/// Any number of processes may run the same consumers: they share the work through the store of the checkpoints. Of a
/// consumer with one partition, one process works and the others stand by.
public struct Consumers: Sendable {
    let client: EventStoreClient
    let groups: [ConsumerGroup]
    let reports = HealthReports()

    public struct Settings: Sendable {
        /// How long a process keeps its partitions without renewing its lease: so long others wait after it has died.
        /// It renews after three tenths of it. At least 100 ms; by the clock of the checkpoints' database.
        public var lease: Duration
        /// Names the build of the program, for example a version or a commit: shown with members and failures.
        public var build: String
        /// How long the generation of a read model that was live before a rebuild is kept, for going back to it.
        public var keepsPrevious: Duration
        /// Is told what the consumers do, for metrics and traces.
        public var observer: (any ConsumerObserver)?

        public init(
            lease: Duration = .seconds(10), build: String = "", keepsPrevious: Duration = .seconds(3600),
            observer: (any ConsumerObserver)? = nil
        ) {
            self.observer = observer
            self.lease = max(.milliseconds(100), lease.bounded)
            self.build = build
            self.keepsPrevious = keepsPrevious.bounded
        }
    }

    /// Two consumers with the same name are a programmer error and trap at startup.
    public init(of client: EventStoreClient, _ consumers: [EventConsumer], settings: Settings = Settings()) {
        let names = consumers.map(\.name)
        precondition(
            Set(names).count == names.count, "Two of the consumers \(names) have the same name. Give each its own name."
        )
        self.client = client
        groups = ConsumerGroup.groups(of: consumers, client.store, settings, reports)
    }
}
