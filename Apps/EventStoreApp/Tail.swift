import AppSupport
import ArgumentParser
import DiscoCore

struct Tail: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Prints events as they are recorded, until stopped by a signal.",
        discussion: "Without --after, it starts with the next event to be recorded.")

    @Option(help: "Start after this position; 0 prints every event.") var after: Int64?
    @Option(help: "Only events of this category.") var category: String?
    @OptionGroup var selection: Selection
    @OptionGroup var rows: RowOptions

    func run() async throws {
        try await withClient { client in
            let start: Position
            if let after { start = Position(rawValue: after) } else { start = try await client.head() }
            var table = EventTable(json: rows.json)
            do {
                for try await element in client.subscribe(to: selection.query(category: category), after: start) {
                    switch element {
                    case .event(let event): try table.add(event)
                    case .progress: break
                    case .caughtUp: try table.finish()
                    }
                }
            } catch is CancellationError where Termination.signal != nil {
                // A signal is the normal end.
                try table.finish()
            }
        }
    }
}
