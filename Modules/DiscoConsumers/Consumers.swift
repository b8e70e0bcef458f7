public import DiscoCore
import Foundation
public import Logging

/// Runs projections and policies on the events of a store.
///
/// ```swift
/// let consumers = Consumers(of: client, [.projection(WalletList(), in: readModels)], logger: logger)
/// try await consumers.run()  // until its task is cancelled
/// ```
public struct Consumers: Sendable {
    private let client: EventStoreClient
    private let loops: [ConsumerLoop]

    /// Two consumers of one name are a mistake in the program, and stop it at start.
    public init(of client: EventStoreClient, _ consumers: [EventConsumer], logger: Logger) {
        let names = consumers.map(\.name)
        precondition(Set(names).count == names.count, "Two consumers have one name among \(names). Name them apart.")
        self.client = client
        loops = consumers.map { ConsumerLoop(consumer: $0, store: client.store, logger: logger) }
    }

    /// Brings every consumer up to what is recorded now, and to what they cause, and returns.
    ///
    /// Events that wait for a retry which is not due yet are left waiting.
    ///
    /// - Parameter projectionsOnly: leaves the policies, which act on the world, alone.
    /// - Throws: ``CheckpointDiverged``, or what the stores throw.
    public func catchUp(projectionsOnly: Bool = false) async throws {
        let loops = loops.filter { !projectionsOnly || $0.consumer.isProjection }
        for loop in loops { try await loop.prepare() }
        while true {
            let head = try await client.head()
            for loop in loops { while try await loop.step().hasMore {} }
            if try await client.head() == head { return }
        }
    }

    /// Runs all of them until the task is cancelled; a batch that was begun is finished.
    func runAll() async throws {
        for loop in loops { try await loop.prepare() }
        try await withThrowingTaskGroup(of: Void.self) { group in
            for loop in loops { group.addTask { try await Self.run(loop, client.store) } }
            try await group.waitForAll()
        }
    }

    private static func run(_ loop: ConsumerLoop, _ store: any EventStore) async throws {
        var failures = 0
        while !Task.isCancelled {
            do {
                let step = try await loop.step()
                failures = 0
                if !step.hasMore { try await wait(store, step) }
            } catch let error as EventStoreError where [.busy, .unavailable].contains(error.code) {
                loop.logger.warning("\(loop.consumer.name) waits: \(error)")
                try await Task.sleep(until: .now + .seconds(Backoff.date(attempts: failures).timeIntervalSinceNow))
                failures += 1
            }
        }
    }

    /// Until there are new events, or one that waits is due.
    private static func wait(_ store: any EventStore, _ step: ConsumerLoop.Step) async throws {
        guard let retry = step.nextRetry else { return try await store.wait(beyond: step.position) }
        try await withThrowingTaskGroup(of: Void.self) { group in
            group.addTask { try await store.wait(beyond: step.position) }
            group.addTask { try await Task.sleep(for: .seconds(max(0, retry.timeIntervalSinceNow))) }
            try await group.next()
            group.cancelAll()
        }
    }
}
