import DiscoCore
import DiscoEventStoreSQLite
import Foundation

/// Appends a million events while two readers page through the store without pause: the write-ahead log stays bounded.
enum Log {
    static func run(_ path: String) async throws {
        let client = EventStoreClient(try await SQLiteEventStore.open(path: path))
        let events = 1_000_000
        // Beside what is measured, until they are cancelled below.
        let readers = (0..<2).map { _ in Task { try await readOverAndOver(client) } }
        var longest = 0
        let seconds = try await seconds {
            for start in stride(from: 0, to: events, by: 100) {
                try await client.append(Append((0..<100).map { deposit(StreamID("account-\((start + $0) % 1000)")) }))
                let size = try FileManager.default.attributesOfItem(atPath: path + "-wal")[.size] as? Int
                longest = max(longest, size ?? 0)
            }
        }
        var read = 0
        for reader in readers {
            reader.cancel()
            read += try await reader.value
        }
        let stored = try await client.head().rawValue
        await client.store.close()
        print(
            "log: \(events) events in appends of 100 at \(Int(Double(events) / seconds))/s while two readers read \(read); "
                + "the log reached at most \(longest >> 20) MiB")
        try DiscoBench.check(stored == Int64(events), "\(stored) of \(events) events are stored")
        try DiscoBench.check(longest < 128 << 20, "the log grew to \(longest >> 20) MiB")
    }

    /// Reads the whole store repeatedly until cancelled, and returns how many events it read.
    @concurrent private static func readOverAndOver(_ client: EventStoreClient) async throws -> Int {
        var read = 0
        do {
            while true { for try await _ in client.events() { read += 1 } }
        } catch is CancellationError {
            return read
        }
    }
}
