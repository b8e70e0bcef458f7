import DiscoConsumers
import DiscoCore
import DiscoEventStoreSQLite
import Foundation

/// Measures appends beside a projection that sleeps for a second in every batch: read models have their own file, so
/// appends do not wait.
enum SlowProjection {
    private struct Sleeper: Projection {
        let name = "sleeper"
        func setUp(_ transaction: SQLTransaction) throws {}
        /// Blocks the writer of the read models, as a slow statement would.
        func apply(_ event: RecordedEvent, _ transaction: SQLTransaction) throws {
            if event.position.rawValue.isMultiple(of: 100) { Thread.sleep(forTimeInterval: 1) }
        }
    }

    static func run(_ path: String) async throws {
        let client = EventStoreClient(try await SQLiteEventStore.open(path: path))
        let readModels = try await SQLiteReadModelStore.open(path: path + ".read-models")
        let consumers = Consumers(of: client, [.projection(Sleeper(), in: readModels)])
        _ = try await slowest(client)
        var without: [Double] = []
        var with: [Double] = []
        for _ in 0..<5 {
            without.append(try await slowest(client))
            // Beside what is measured; awaited below.
            let running = Task { try await consumers.run() }
            with.append(try await slowest(client))
            running.cancel()
            try await running.value
        }
        await client.store.close()
        await readModels.close()
        let ratio = median(zip(with, without).map { $0 / $1 })
        print(
            "projection: 99th percentile of appends \(median(without).shown(2)) ms, beside a sleeping projection "
                + "\(median(with).shown(2)) ms, ratio \(ratio.shown(2)) (medians of 5 rounds)")
        try DiscoBench.check(ratio <= 2, "a slow projection slows appends")
    }

    /// The 99th percentile of 2,000 appends by one caller, in milliseconds.
    private static func slowest(_ client: EventStoreClient) async throws -> Double {
        var times: [Double] = []
        for number in 0..<2000 {
            times.append(try await seconds { try await client.append(Append([deposit(StreamID("a-\(number % 50)"))])) })
        }
        return times.sorted()[1980] * 1000
    }
}
