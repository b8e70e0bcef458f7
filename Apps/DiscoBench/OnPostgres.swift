import DiscoCore
import DiscoEventStorePostgres
import Foundation

/// Runs workloads on PostgreSQL, one per invocation, so that a script can alternate them with other programs.
///
/// `DiscoBench postgres NAME` runs one on the database at `DISCO_BENCH_POSTGRES_URL` and prints only its figure.
enum OnPostgres {
    static let workloads: [(name: String, run: @Sendable (EventStoreClient) async throws -> String)] = [
        ("load", { try await load($0) }),
        (
            "append",
            { client in
                try await appends(client, callers: 64) { _, _ in StreamID("account-\(Int.random(in: 0..<32_000))") }
            }
        ),
        (
            "alone",
            { client in
                try await appends(client, callers: 1) { _, _ in StreamID("account-\(Int.random(in: 0..<32_000))") }
            }
        ),
        ("one-stream", { client in try await appends(client, callers: 64) { _, _ in "hot-1" } }),
        ("conflicts", { try await conflicts($0) }), ("hundreds", { try await hundreds($0) }),
        ("read", { try await read($0) }),
        ("memory", { try await memory($0) }), ("wake-up", { try await wakeUp($0) }),
    ]

    static func run(_ name: String) async throws {
        guard let url = ProcessInfo.processInfo.environment["DISCO_BENCH_POSTGRES_URL"],
            let workload = workloads.first(where: { $0.name == name })
        else {
            throw DiscoBench.Failed(
                description:
                    "Set DISCO_BENCH_POSTGRES_URL and name one of \(workloads.map(\.name).joined(separator: ", "))")
        }
        let client = EventStoreClient(try await PostgresEventStore.open(.init(url: url)))
        print(try await workload.run(client))
        await client.store.close()
    }

    private static let length = Duration.seconds(3)
    private static let metadata = Metadata(values: #"{"by":"bench"}"#)

    /// Makes an event with metadata and one tag, like those of the C program.
    private static func event(_ stream: StreamID) -> NewEvent {
        var event = deposit(stream)
        event.metadata = metadata
        event.tags = [EventTag(stream.name)]
        return event
    }

    private static func load(_ client: EventStoreClient) async throws -> String {
        for start in stride(from: try await Int(client.head().rawValue), to: 1_000_000, by: 1000) {
            try await client.append(
                Append((0..<min(1000, 1_000_000 - start)).map { event(StreamID("account-\((start + $0) % 32_000)")) }))
        }
        return "\(try await client.head())"
    }

    /// Runs `body` repeatedly from `callers` concurrent callers, and returns the events it counted per second.
    private static func rate(
        _ client: EventStoreClient, callers: Int, _ body: @escaping @Sendable (Int) async throws -> Int
    ) async throws -> String {
        let before = try await client.head()
        let start = ContinuousClock.now
        let end = start + length
        let counted = try await withThrowingTaskGroup(of: Int.self) { group in
            for caller in 0..<callers {
                group.addTask {
                    var counted = 0
                    while ContinuousClock.now < end { counted += try await body(caller) }
                    return counted
                }
            }
            return try await group.reduce(0, +)
        }
        let seconds = (ContinuousClock.now - start) / .seconds(1)
        let stored = try await client.head().rawValue - before.rawValue
        try DiscoBench.check(stored == Int64(counted), "\(stored) of \(counted) events are stored")
        return "\(Int(Double(counted) / seconds))"
    }

    private static func appends(
        _ client: EventStoreClient, callers: Int, _ stream: @escaping @Sendable (Int, Int) -> StreamID
    ) async throws -> String {
        try await rate(client, callers: callers) { caller in
            try await client.append(Append([event(stream(caller, 0))]))
            return 1
        }
    }

    /// One append in ten expects a version that its stream does not have.
    private static func conflicts(_ client: EventStoreClient) async throws -> String {
        try await rate(client, callers: 64) { _ in
            let stream = StreamID("account-\(Int.random(in: 0..<32_000))")
            let wrong = Int.random(in: 0..<10) == 0
            do {
                try await client.append(Append([event(stream)], expect: [stream: wrong ? .noStream : .streamExists]))
                return 1
            } catch is VersionConflict {
                return 0
            }
        }
    }

    private static func hundreds(_ client: EventStoreClient) async throws -> String {
        try await rate(client, callers: 8) { caller in
            let stream = StreamID("large-\(caller)")
            try await client.append(Append((0..<100).map { _ in event(stream) }))
            return 100
        }
    }

    private static func read(_ client: EventStoreClient) async throws -> String {
        var next: Int64 = 1
        let seconds = try await seconds {
            for try await event in client.events() {
                try DiscoBench.check(
                    event.position.rawValue == next, "expected position \(next), found \(event.position)")
                next += 1
            }
        }
        return "\(Int(Double(next - 1) / seconds))"
    }

    /// Returns by how many MiB the peak memory of reading the whole store exceeds that of reading its first tenth.
    private static func memory(_ client: EventStoreClient) async throws -> String {
        func peak(_ events: EventSequence) async throws -> Int {
            try Memory.resetPeak()
            for try await _ in events {}
            return try Memory.peak()
        }
        let small = try await peak(client.events(upTo: 100_000))
        let large = try await peak(client.events(upTo: 1_000_000))
        try DiscoBench.check(large - small <= 16 << 10, "memory grows by \((large - small) >> 10) MiB")
        return (Double(large - small) / 1024).shown()
    }

    /// Returns the median time in ms from the start of an append to its arrival at a subscriber with its own store.
    private static func wakeUp(_ client: EventStoreClient) async throws -> String {
        guard let store = client.store as? PostgresEventStore else { return "" }
        let other = EventStoreClient(try await PostgresEventStore.open(store.settings))
        var follower = other.subscribe(to: .category("wake"), after: try await client.head()).makeAsyncIterator()
        var times: [Double] = []
        while let element = try await follower.next(), element != .caughtUp {}
        for number in 0..<200 {
            try await Task.sleep(for: .milliseconds(10))
            let start = ContinuousClock.now
            try await client.append(Append([event(StreamID("wake-\(number)"))]))
            while let element = try await follower.next() {
                if case .event = element { break }
            }
            times.append((ContinuousClock.now - start) / .milliseconds(1))
        }
        await other.store.close()
        return median(times).shown(2)
    }
}
