import DiscoCore
import DiscoEventStoreSQLite

/// Reads the whole store in order, page by page, at 100,000 and at a million events: memory stays flat.
enum Reading {
    static func run(_ path: String) async throws {
        let client = EventStoreClient(try await SQLiteEventStore.open(path: path))
        try await client.load(100_000)
        _ = try await read(client, 100_000)
        let small = try await read(client, 100_000)
        try await client.load(900_000)
        let large = try await read(client, 1_000_000)
        await client.store.close()
        print(
            "read: \(Int(large.rate)) events/s; peak memory \((Double(small.peak) / 1024).shown()) MiB at 100,000 events, "
                + "\((Double(large.peak) / 1024).shown()) MiB at 1,000,000")
        try DiscoBench.check(large.peak - small.peak <= 16 << 10, "memory grows with the number of events")
    }

    private static func read(_ client: EventStoreClient, _ expected: Int) async throws -> (rate: Double, peak: Int) {
        try Memory.resetPeak()
        var next: Int64 = 1
        let seconds = try await seconds {
            for try await event in client.events() {
                try DiscoBench.check(
                    event.position.rawValue == next, "expected position \(next), found \(event.position)")
                next += 1
            }
        }
        try DiscoBench.check(next == Int64(expected) + 1, "\(next - 1) of \(expected) events were read")
        return (Double(expected) / seconds, try Memory.peak())
    }
}
