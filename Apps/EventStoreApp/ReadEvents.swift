import AppSupport
import ArgumentParser
import DiscoCore

struct ReadEvents: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "read", abstract: "Prints events: those of a stream, of a category, or all.",
        discussion: """
            EventStoreApp read wallet-6f0c --limit 10 --backward
            EventStoreApp read --category wallet --types MoneyDeposited,MoneyWithdrawn
            EventStoreApp read --all --tags course:algebra --from 1000
            """)

    @Argument(help: "A stream.") var stream: String?
    @Option(help: "A category: what stands before the first hyphen of a stream.") var category: String?
    @Flag(help: "Every stream.") var all = false
    @OptionGroup var selection: Selection
    @Option(help: "Begins at this position; of a stream, at this version.") var from: Int64?
    @Option(help: "The most events.") var limit: Int?
    @Flag(help: "From the last one back.") var backward = false
    @OptionGroup var rows: RowOptions

    func validate() throws {
        guard [stream != nil, category != nil, all].filter(\.self).count == 1 else {
            throw ValidationError("Name a stream, or a --category, or --all.")
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

/// Which events.
struct Selection: ParsableArguments {
    @Option(help: "Any of these types; several with commas between them.") var types: String?
    @Option(help: "All of these tags; several with commas between them.") var tags: String?

    func query(category: String? = nil) -> EventQuery {
        EventQuery(items: [
            .init(types: types.commaSeparated, tags: tags.commaSeparated.map { EventTag($0) }, category: category)
        ])
    }
}

/// Events as rows; on a terminal they come a page at a time, so that a long read shows something.
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
