import AppSupport
import ArgumentParser
import DiscoCore

struct ReadEvents: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "read", abstract: "Prints the events of a stream, of a category, or of the whole store.",
        discussion: """
            EventStoreApp read wallet-6f0c --limit 10 --backward
            EventStoreApp read --category wallet --types MoneyDeposited,MoneyWithdrawn
            EventStoreApp read --all --tags course:algebra --from 1000
            """)

    @Argument(help: "The stream to read.") var stream: String?
    @Option(help: "The category to read: the part of a stream's name before its first hyphen.") var category: String?
    @Flag(help: "Read every stream.") var all = false
    @OptionGroup var selection: Selection
    @Option(help: "The position to start at; for a stream, the version.") var from: Int64?
    @Option(help: "The maximum number of events.") var limit: Int?
    @Flag(help: "Read backward, from --from or from the last event.") var backward = false
    @OptionGroup var rows: RowOptions

    func validate() throws {
        guard [stream != nil, category != nil, all].filter(\.self).count == 1 else {
            throw ValidationError("Specify a stream, --category or --all, and only one of them.")
        }
        if let limit, limit < 0 { throw ValidationError("--limit is \(limit); it cannot be less than 0.") }
        if let from, from < 0 { throw ValidationError("--from is \(from); it cannot be less than 0.") }
    }

    func run() async throws {
        try await withClient { client in
            let direction: Read.Direction = backward ? .backward : .forward
            var table = EventTable(json: rows.json)
            let events: EventSequence
            if let stream {
                let (first, last) = backward ? (1, from.map(Int.init) ?? .max) : (from.map(Int.init) ?? 1, .max)
                events = client.events(
                    in: StreamID(stream), types: selection.types.commaSeparated,
                    tags: selection.tags.commaSeparated.map { EventTag($0) }, from: first, to: last,
                    direction: direction,
                    limit: limit)
            } else {
                events = client.events(
                    selection.query(category: category),
                    after: backward ? .start : Position(rawValue: max(0, (from ?? 1) - 1)),
                    upTo: backward ? from.map(Position.init(rawValue:)) : nil, direction: direction, limit: limit)
            }
            for try await event in events { try table.add(event) }
            try table.finish()
        }
    }
}

/// The options that select events.
struct Selection: ParsableArguments {
    @Option(help: "Only events of any of these types, separated by commas.") var types: String?
    @Option(help: "Only events with all of these tags, separated by commas.") var tags: String?

    func query(category: String? = nil) -> EventQuery {
        EventQuery(items: [
            .init(types: types.commaSeparated, tags: tags.commaSeparated.map { EventTag($0) }, category: category)
        ])
    }
}

/// Prints events as rows, on a terminal in batches, so that a long read shows progress.
struct EventTable {
    private var table: Table
    private var gathered = 0

    init(json: Bool) {
        table = Table(["position", "stream", "version", "type", "payload", "recorded_at"], json: json)
    }

    mutating func add(_ event: RecordedEvent) throws {
        try table.add(event.wire)
        gathered += 1
        if gathered.isMultiple(of: 100) { try table.finish() }
    }

    mutating func finish() throws { try table.finish() }
}
