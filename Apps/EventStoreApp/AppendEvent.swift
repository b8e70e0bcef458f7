import AppSupport
import ArgumentParser
import DiscoCore

struct AppendEvent: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "append", abstract: "Appends one event and prints it.",
        discussion: "Example: EventStoreApp append wallet-6f0c MoneyDeposited '{\"amount\": 12.50}' --expect 3")

    @Argument(help: "The stream: a category, a hyphen and an id, for example wallet-6f0c.") var stream: String
    @Argument(help: "The event's type.") var type: String
    @Argument(help: "The event's payload, as JSON.") var payload: String
    @Option(help: "The expected version of the stream: any, none, exists, or the number of its last version.")
    var expect: Expectation = .init(version: .any)
    @Option(help: "The event's tags, separated by commas.") var tags: String?

    struct Expectation: ExpressibleByArgument {
        var version: ExpectedVersion

        init(version: ExpectedVersion) { self.version = version }

        init?(argument: String) {
            switch argument {
            case "any": version = .any
            case "none": version = .noStream
            case "exists": version = .streamExists
            default:
                guard let number = Int(argument), number >= 0 else { return nil }
                version = .exactly(number)
            }
        }

        var defaultValueDescription: String { "any" }
    }

    func run() async throws {
        try await withClient { client in
            let stream = StreamID(stream)
            let event = NewEvent(
                stream: stream, type: type, payload: try JSONText(payload),
                tags: tags.commaSeparated.map { EventTag($0) })
            let appended = try await client.append(Append([event], expect: [stream: expect.version]))
            guard let position = appended.first else { return }
            let before = Position(rawValue: position.rawValue - 1)
            for try await recorded in client.events(after: before, upTo: position) {
                try Output.write(recorded.wire.string)
            }
        }
    }
}
