import DiscoCore
import DiscoEventStoreSQLite
import Foundation

/// Single-event appends to a SQLite file, from 64 callers at once and from one, interleaved in one run: what group commit
/// is worth. Every round checks that all it appended is there.
@main
struct DiscoBench {
    static func main() async throws {
        let folder = FileManager.default.temporaryDirectory.appending(path: "disco-bench-" + UUID().uuidString)
        try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
        defer { try? FileManager.default.removeItem(at: folder) }
        let store = try SQLiteEventStore(path: folder.appending(path: "events.sqlite").path)
        let client = EventStoreClient(store)
        _ = try await rate(client, callers: 64, appends: 2_048)

        var ratios: [Double] = []
        for round in 1...5 {
            let alone = try await rate(client, callers: 1, appends: 2_048)
            let together = try await rate(client, callers: 64, appends: 32_000)
            ratios.append(together / alone)
            print(
                "round \(round): 1 caller \(Int(alone)) appends/s, 64 callers \(Int(together)) appends/s, ratio "
                    + "\((together / alone * 10).rounded() / 10)")
        }
        print(
            "median ratio \((ratios.sorted()[2] * 10).rounded() / 10) (synchronous=FULL; one caller is one transaction an append)"
        )
        await store.close()
    }

    private static func rate(_ client: EventStoreClient, callers: Int, appends: Int) async throws -> Double {
        let before = try await client.head()
        let payload = JSONText(
            .object(JSON.Object([("amount", 100), ("memo", .string(String(repeating: "x", count: 160)))])))
        let start = ContinuousClock.now
        try await withThrowingTaskGroup(of: Void.self) { group in
            for caller in 0..<callers {
                group.addTask {
                    for number in 0..<appends / callers {
                        let stream = StreamID("account-\(caller)-\(number % 500)")
                        try await client.append(Append([NewEvent(stream: stream, type: "Deposited", payload: payload)]))
                    }
                }
            }
            try await group.waitForAll()
        }
        let seconds = (ContinuousClock.now - start) / .seconds(1)
        let stored = try await client.head().rawValue - before.rawValue
        precondition(stored == Int64(appends), "\(stored) of \(appends) appends are there.")
        return Double(appends) / seconds
    }
}
