import AppSupport
import ArgumentParser
import DiscoCore
import Foundation

struct Streams: AsyncParsableCommand {
    static let configuration = CommandConfiguration(abstract: "Lists the streams, sorted by name.")

    @Option(help: "Only streams of this category.") var category: String?
    @Option(help: "Only streams whose names begin with this text.") var prefix: String?
    @OptionGroup var rows: RowOptions

    func run() async throws {
        try await withClient { client in
            var table = Table(["stream", "version"], json: rows.json)
            try await client.forEachStream(category: category, prefix: prefix) { info in
                try table.add(["stream": .string(info.stream.name), "version": JSON(info.version)])
            }
            try table.finish()
        }
    }
}

struct Stats: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Prints the store's identity and size, and how many streams and events each category has.")

    @OptionGroup var rows: RowOptions

    func run() async throws {
        try await withClient { client in
            let identity = try await client.store.identity()
            let head = try await client.head()
            let first = try await client.events(limit: 1).collect().first
            let last = try await client.events(direction: .backward, limit: 1).collect().first
            var categories: [String: (streams: Int, events: Int)] = [:]
            try await client.forEachStream { info in
                let known = categories[info.stream.category] ?? (0, 0)
                categories[info.stream.category] = (known.streams + 1, known.events + info.version)
            }
            func time(_ event: RecordedEvent?) throws -> JSON { try event?.wire.value()["recorded_at"] ?? .null }
            let counts = categories.sorted { $0.key < $1.key }.map { name, count in
                (
                    name,
                    ["streams": JSON(count.streams), "events": JSON(count.events)]
                        as JSON
                )
            }
            let stats: JSON = [
                "store": .string(identity.store.uuidString.lowercased()), "epoch": JSON(identity.epoch),
                "head": JSON(Int(head.rawValue)), "first_recorded_at": try time(first),
                "last_recorded_at": try time(last),
                "streams": JSON(categories.values.reduce(0) { $0 + $1.streams }),
                "categories": .object(JSON.Object(counts)),
            ]
            if rows.json || !Output.isTerminal { return try Output.print(stats) }
            try Output.write(stats.indented)
        }
    }
}

extension EventStoreClient {
    /// Calls `body` with every stream, reading the catalog page by page.
    func forEachStream(
        category: String? = nil, prefix: String? = nil, _ body: (StreamInfo) throws -> Void
    ) async throws {
        var after: StreamID?
        while true {
            let page = try await streams(category: category, prefix: prefix, after: after, limit: 1000)
            try page.forEach(body)
            guard page.count == 1000, let last = page.last else { return }
            after = last.stream
        }
    }
}
