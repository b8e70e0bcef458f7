import DiscoCore
import DiscoEventStoreSQLite

/// Measures what group commit gains: single-event appends from 64 concurrent callers and from one, interleaved.
enum Appending {
    static func run(_ path: String) async throws {
        let client = EventStoreClient(try await SQLiteEventStore.open(path: path))
        _ = try await rate(client, callers: 64, appends: 2_048)
        var alone: [Double] = []
        var together: [Double] = []
        for _ in 1...5 {
            alone.append(try await rate(client, callers: 1, appends: 2_048))
            together.append(try await rate(client, callers: 64, appends: 32_000))
        }
        await client.store.close()
        let ratio = median(zip(together, alone).map { $0 / $1 })
        print(
            "append: 64 callers \(Int(median(together)))/s, 1 caller (one commit per append) \(Int(median(alone)))/s, "
                + "ratio \(ratio.shown()) (medians of 5 rounds, synchronous=FULL)")
        try DiscoBench.check(ratio >= 4, "grouped appends are less than 4 times as fast as single ones")
    }

    private static func rate(_ client: EventStoreClient, callers: Int, appends: Int) async throws -> Double {
        let before = try await client.head()
        let seconds = try await seconds {
            try await withThrowingTaskGroup(of: Void.self) { group in
                for caller in 0..<callers {
                    group.addTask {
                        for number in 0..<appends / callers {
                            try await client.append(Append([deposit(StreamID("account-\(caller)-\(number % 500)"))]))
                        }
                    }
                }
                try await group.waitForAll()
            }
        }
        let stored = try await client.head().rawValue - before.rawValue
        try DiscoBench.check(stored == Int64(appends), "\(stored) of \(appends) appends are stored")
        return Double(appends) / seconds
    }
}
