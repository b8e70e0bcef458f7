import AppSupport
import ArgumentParser
import DiscoCore
import DiscoEventStore
import Foundation

/// What consumers hold because an event failed.
struct ParkedCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "parked", abstract: "Shows the streams that consumers hold, and decides about them.",
        subcommands: [ListParked.self, ShowParked.self, RetryParked.self, DiscardParked.self, AuditParked.self],
        defaultSubcommand: ListParked.self)

    /// The row that is printed for a held stream.
    fileprivate static func row(_ consumer: String, _ held: HeldStream) -> JSON {
        let failure = held.failure
        return [
            "consumer": .string(consumer), "stream": .string(held.stream.name), "position": JSON(held.first.rawValue),
            "through": JSON(held.through.rawValue), "state": .string(held.isParked ? "parked" : "retrying"),
            "attempts": JSON(held.attempts), "type": failure.map { .string($0.type) } ?? .null,
            "code": failure.map { .string($0.code) } ?? .null, "reason": failure.map { .string($0.reason) } ?? .null,
            "first_failed_at": text(failure?.firstAt), "last_failed_at": text(failure?.lastAt),
            "retry_at": text(held.retryAt), "parked_at": text(held.parkedAt),
            "build": failure.map { .string($0.build) } ?? .null,
        ]
    }

    fileprivate static func text(_ date: Date?) -> JSON {
        date.flatMap(Timestamp.text(of:)).map(JSON.string) ?? .null
    }

    fileprivate static func known(_ readModels: any ReadModelStore, _ consumer: String?) async throws -> [String] {
        let names = Set(try await readModels.partitions(of: nil).map(\.partition.consumer)).sorted()
        guard let consumer else { return names }
        guard names.contains(consumer) else {
            let others = names.isEmpty ? "None has run yet." : "Known: \(names.joined(separator: ", "))."
            throw EventStoreError(.unknownConsumer, "There is no consumer \(consumer). \(others)")
        }
        return [consumer]
    }
}

private struct FilterOptions: ParsableArguments {
    @Option(help: "Only this stream.") var stream: String?
    @Option(help: "Only streams whose event of this type failed.") var type: String?
    @Option(help: "Only streams that failed with this code.") var code: String?
    @Option(help: "Only streams that first failed more than so many minutes ago.") var olderThan: Double?

    func validate() throws {
        if let olderThan, !(0...10_000_000).contains(olderThan) {
            throw ValidationError("--older-than is \(olderThan); it must be a number of minutes from 0 to 10000000.")
        }
    }

    func filter(isParked: Bool?) -> HeldFilter {
        HeldFilter(
            stream: stream.map { StreamID($0) }, type: type, code: code,
            failedBefore: olderThan.map { Date(timeIntervalSinceNow: -$0 * 60) }, isParked: isParked)
    }
}

private struct ListParked: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "list", abstract: "Lists the streams that are parked.",
        discussion: "A parked stream waits for a decision: retry it after mending the cause, or discard events.")

    @Argument(help: "The consumer's name; all consumers by default.") var consumer: String?
    @OptionGroup var options: FilterOptions
    @Flag(help: "Also list streams that are still retried automatically.") var all = false
    @OptionGroup var rows: RowOptions

    func run() async throws {
        try await Output.reporting {
            try await ConsumersCommand.withReadModels { readModels in
                var table = Table(
                    ["consumer", "stream", "position", "state", "attempts", "type", "code", "reason"], json: rows.json)
                let filter = options.filter(isParked: all ? nil : true)
                for name in try await ParkedCommand.known(readModels, consumer) {
                    for held in try await readModels.held(by: name) where filter.matches(held) {
                        try table.add(ParkedCommand.row(name, held))
                    }
                }
                try table.finish()
            }
        }
    }
}

private struct ShowParked: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "show", abstract: "Shows a held stream with the events that wait, as they are recorded.")

    @Argument(help: "The consumer's name.") var consumer: String
    @Argument(help: "The stream's name.") var stream: String

    func run() async throws {
        try await withClient { client in
            try await ConsumersCommand.withReadModels { readModels in
                _ = try await ParkedCommand.known(readModels, consumer)
                let held = try await readModels.held(by: consumer).first { $0.stream == StreamID(stream) }
                guard let held else {
                    throw EventStoreError(.unknownStream, "\(consumer) does not hold the stream \(stream).")
                }
                try Output.print(ParkedCommand.row(consumer, held))
                var shown = 0
                for try await event in client.events(in: held.stream) where event.position >= held.first {
                    if event.position > held.through || shown == 100 { break }
                    try Output.print([
                        "position": JSON(event.position.rawValue), "version": JSON(event.version),
                        "type": .string(event.type), "payload": try event.payload.value(),
                        "recorded_at": ParkedCommand.text(event.recordedAt),
                    ])
                    shown += 1
                }
            }
        }
    }
}

private struct RetryParked: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "retry", abstract: "Tries held streams again, in order, with the code that runs now.",
        discussion: "The process that works on them does it at once. Without filters, all that are parked.")

    @Argument(help: "The consumer's name.") var consumer: String
    @OptionGroup var options: FilterOptions
    @Option(help: "Kept in the audit log.") var reason = ""
    @Flag(help: "Only list what would be tried again.") var dryRun = false

    func run() async throws {
        let filter = options.filter(isParked: options.stream == nil ? true : nil)
        try await decide(HeldDecision(.retry, consumer: consumer, filter, reason: reason, by: person), dryRun)
    }
}

private struct DiscardParked: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "discard", abstract: "Gives up the event that failed, or all events of the stream that wait.",
        discussion: "The consumer never processes them. The events themselves stay recorded.")

    @Argument(help: "The consumer's name.") var consumer: String
    @OptionGroup var options: FilterOptions
    @Flag(help: "Give up all events that wait, not only the first.") var all = false
    @Option(help: "Why; kept in the audit log.") var reason: String
    @Flag(help: "Only list what would be given up.") var dryRun = false

    func validate() throws {
        let isFiltered = options.stream != nil || options.type != nil || options.code != nil || options.olderThan != nil
        if !isFiltered {
            throw ValidationError("Say what to discard: --stream, --type, --code or --older-than.")
        }
    }

    func run() async throws {
        let filter = options.filter(isParked: options.stream == nil ? true : nil)
        try await decide(
            HeldDecision(all ? .discardAll : .discardFirst, consumer: consumer, filter, reason: reason, by: person),
            dryRun)
    }
}

/// Carries out a decision, or shows what it concerns.
private func decide(_ decision: HeldDecision, _ isDryRun: Bool) async throws {
    try await Output.reporting {
        try await ConsumersCommand.withReadModels { readModels in
            _ = try await ParkedCommand.known(readModels, decision.consumer)
            let decided =
                isDryRun
                ? try await readModels.held(by: decision.consumer).filter(decision.filter.matches)
                : try await readModels.decide(decision)
            for held in decided {
                var row = ParkedCommand.row(decision.consumer, held).object ?? [:]
                row[isDryRun ? "would" : "did"] = .string(decision.action.description)
                try Output.print(.object(row))
            }
            if decided.isEmpty { Output.note("No held stream of \(decision.consumer) matches.\n") }
        }
    }
}

/// Who runs the command.
private var person: String { ProcessInfo.processInfo.environment["SUDO_USER"] ?? NSUserName() }

private struct AuditParked: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "audit", abstract: "Lists what was decided about held streams, the latest first.")

    @Argument(help: "The consumer's name.") var consumer: String
    @Option(help: "The maximum number of entries.") var limit = 100
    @OptionGroup var rows: RowOptions

    func run() async throws {
        try await Output.reporting {
            try await ConsumersCommand.withReadModels { readModels in
                var table = Table(
                    ["at", "action", "stream", "first_position", "through_position", "by", "reason", "failure"],
                    json: rows.json)
                for entry in try await readModels.audit(of: consumer, limit: limit) {
                    try table.add([
                        "at": ParkedCommand.text(entry.at), "action": .string(entry.action.description),
                        "consumer": .string(entry.consumer), "stream": .string(entry.stream.name),
                        "first_position": JSON(entry.positions.lowerBound.rawValue),
                        "through_position": JSON(entry.positions.upperBound.rawValue),
                        "attempts": JSON(entry.attempts), "failure": .string(entry.failure),
                        "reason": .string(entry.reason), "by": .string(entry.by),
                    ])
                }
                try table.finish()
            }
        }
    }
}
