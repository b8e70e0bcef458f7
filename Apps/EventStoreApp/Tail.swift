import AppSupport
import ArgumentParser
import DiscoCore

struct Tail: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Prints events as they are recorded, until a signal ends it.",
        discussion: "Without --after it begins with what is recorded from now on.")

    @Option(help: "Begins behind this position: 0 for every event.") var after: Int64?
    @Option(help: "Only of this category.") var category: String?
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
                // A signal is how it ends.
                try table.finish()
            }
        }
    }
}
