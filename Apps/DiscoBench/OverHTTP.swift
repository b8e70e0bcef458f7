#if HTTP
import DiscoCore
import DiscoEventStorePostgres
import DiscoEventStoreRemote
import DiscoEventStoreSQLite
import Foundation
import HTTPTypes
import Hummingbird
import NIOCore

/// Runs workloads on a store that a server or this process holds, one per invocation, so that a script can run several
/// processes at once.
///
/// `DiscoBench http NAME TARGET …`; the target is the URL of a server, `URL#SCHEMA` of a PostgreSQL database, or a file.
enum OverHTTP {
    static let names = "append TARGET CALLERS SECONDS, load TARGET COUNT, read TARGET, follow TARGET, bare PORT"

    static func run(_ arguments: [String]) async throws {
        guard arguments.count >= 2 else { throw DiscoBench.Failed(description: "Name one of: \(names).") }
        let number = arguments.count > 2 ? Int(arguments[2]) ?? 1 : 1
        switch arguments[0] {
        case "append":
            try await append(arguments[1], callers: number, seconds: Double(arguments.last ?? "") ?? 3)
        case "load": try await on(arguments[1]) { try await $0.load(number) }
        case "read": try await on(arguments[1], read)
        case "follow": try await follow(arguments[1])
        case "bare": try await bare(port: Int(arguments[1]) ?? 8081)
        default: throw DiscoBench.Failed(description: "Name one of: \(names).")
        }
    }

    private static func open(_ target: String) async throws -> EventStoreClient {
        if target.hasPrefix("http") {
            return EventStoreClient(try await RemoteEventStore.open(.init(url: target)))
        }
        let parts = target.split(separator: "#").map(String.init)
        guard parts.count == 2 else { return EventStoreClient(try await SQLiteEventStore.open(path: target)) }
        return EventStoreClient(try await PostgresEventStore.open(.init(url: parts[0], schema: parts[1])))
    }

    private static func on(_ target: String, _ body: (EventStoreClient) async throws -> Void) async throws {
        let client = try await open(target)
        try await body(client)
        await client.close()
    }

    /// Waits for a line of input, so that several processes start at once, and prints the appends per second.
    private static func append(_ target: String, callers: Int, seconds: Double) async throws {
        let client = try await open(target)
        try await client.append(Append([deposit("warm-up")]))
        print("ready")
        fflush(nil)
        _ = readLine()
        let end = ContinuousClock.now + .seconds(seconds)
        let count = try await withThrowingTaskGroup(of: Int.self) { group in
            for _ in 0..<callers {
                group.addTask {
                    var count = 0
                    while ContinuousClock.now < end {
                        try await client.append(Append([deposit(StreamID("account-\(Int.random(in: 0..<32_000))"))]))
                        count += 1
                    }
                    return count
                }
            }
            return try await group.reduce(0, +)
        }
        print(Int(Double(count) / seconds))
        await client.close()
    }

    /// Prints the events per second of reading the whole store.
    private static func read(_ client: EventStoreClient) async throws {
        var count = 0
        let time = try await seconds {
            for try await event in client.events() {
                count += 1
                try DiscoBench.check(event.position.rawValue >= count, "position \(event.position) after \(count - 1)")
            }
        }
        print(Int(Double(count) / time))
    }

    /// Prints the median and the 99th percentile of the milliseconds from an append to its arrival in another store.
    private static func follow(_ target: String) async throws {
        let (client, other) = (try await open(target), try await open(target))
        var follower = other.subscribe(to: .category("wake"), after: try await client.head()).makeAsyncIterator()
        var times: [Double] = []
        while let element = try await follower.next(), element != .caughtUp {}
        for number in 0..<500 {
            try await Task.sleep(for: .milliseconds(5))
            let start = ContinuousClock.now
            try await client.append(Append([deposit(StreamID("wake-\(number)"))]))
            while let element = try await follower.next() {
                if case .event = element { break }
            }
            times.append((ContinuousClock.now - start) / .milliseconds(1))
        }
        print(median(times).shown(2), times.sorted()[times.count * 99 / 100].shown(2))
        await other.close()
        await client.close()
    }

    /// A Hummingbird app that only parses the JSON of events, for comparison.
    private static func bare(port: Int) async throws {
        let router = Router()
        router.post("/streams/{stream}/events") { request, context -> Response in
            let body = try await request.body.collect(upTo: 8 << 20)
            let events = try JSONText(String(buffer: body)).value()
            return Response(
                status: events["type"] == nil ? .badRequest : .created, headers: [.contentType: "application/json"],
                body: ResponseBody(byteBuffer: ByteBuffer(string: #"{"events":[],"repeated":false}"#)))
        }
        let app = Application(
            router: router, configuration: .init(address: .hostname("127.0.0.1", port: port)),
            onServerRunning: { _ in
                print("listening on http://127.0.0.1:\(port)")
                fflush(nil)
            })
        try await app.run()
    }
}
#endif
