public import DiscoCore

/// Runs projections and policies on the events of a store. Trouble is logged to the store's ``/DiscoCore/StoreContext/logger``.
///
/// ```swift
/// let consumers = Consumers(of: client, [.projection(WalletList(), in: readModels)])
/// try await consumers.run()  // until its task is cancelled
/// ```
public struct Consumers: Sendable {
    private let client: EventStoreClient
    let loops: [ConsumerLoop]

    /// Two consumers with one name are a programmer error and trap at startup.
    public init(of client: EventStoreClient, _ consumers: [EventConsumer]) {
        let names = consumers.map(\.name)
        precondition(Set(names).count == names.count, "Two consumers have one name among \(names). Name them apart.")
        self.client = client
        loops = consumers.map { ConsumerLoop(consumer: $0, store: client.store) }
    }

    /// Brings every consumer up to what is recorded now, and to what they cause, and returns.
    ///
    /// Events that wait for a retry which is not due yet are left waiting.
    ///
    /// - Parameter projectionsOnly: leaves the policies, which act on the world, alone.
    /// - Throws: ``/DiscoCore/CheckpointDiverged``, or what the stores throw.
    public func catchUp(projectionsOnly: Bool = false) async throws {
        let loops = loops.filter { !projectionsOnly || $0.consumer.isProjection }
        for loop in loops { try await loop.prepare() }
        var memories = loops.map { $0.newMemory() }
        while true {
            let head = try await client.head()
            for (index, loop) in loops.enumerated() {
                while try await loop.step(&memories[index]).next == .more {
                    // Shutting down, a consumer leaves the rest for the next run.
                    if Shutdown.isAsked { throw CancellationError() }
                }
                try await loop.flush(&memories[index])
            }
            if try await client.head() == head { return }
        }
    }
}
