public import DiscoCore

/// Runs projections and policies on the events of a store. Problems are logged to the store's
/// ``/DiscoCore/StoreContext/logger``.
///
/// ```swift
/// let consumers = Consumers(of: client, [.projection(WalletList(), in: readModels)])
/// try await consumers.run()  // until its task is cancelled
/// ```
public struct Consumers: Sendable {
    private let client: EventStoreClient
    let loops: [ConsumerLoop]

    /// Two consumers with the same name are a programmer error and trap at startup.
    public init(of client: EventStoreClient, _ consumers: [EventConsumer]) {
        let names = consumers.map(\.name)
        precondition(
            Set(names).count == names.count, "Two of the consumers \(names) have the same name. Give each its own name."
        )
        self.client = client
        loops = consumers.map { ConsumerLoop(consumer: $0, store: client.store) }
    }

    /// Brings every consumer up to date with what is recorded, including what they cause, and returns.
    ///
    /// Events whose retry is not due yet stay held.
    ///
    /// - Parameter projectionsOnly: skips the policies, which act on the outside world.
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
