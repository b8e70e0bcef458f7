import AppSupport
import ArgumentParser
import DiscoCore

struct Verify: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        abstract:
            "Looks through the whole store for damage: holes in positions and versions, broken payloads, lost tags.",
        discussion:
            "Prints what it finds, and ends with status 1 where that is anything. Deleted and erased streams are sound."
    )

    @OptionGroup var rows: RowOptions

    func run() async throws {
        try await withClient { client in
            let findings = try await client.verify { through, head in
                guard Output.hasTerminalForErrors, head.rawValue > 0 else { return }
                Output.note("\rexamined \(through) of \(head) (\(100 * through.rawValue / head.rawValue) %)")
            }
            if Output.hasTerminalForErrors { Output.note("\n") }
            var table = Table(["finding"], json: rows.json)
            for finding in findings { try table.add(["finding": .string(finding.description)]) }
            try table.finish()
            if !findings.isEmpty { throw ExitCode(1) }
            if Output.isTerminal { try Output.write("sound: \(try await client.head()) events") }
        }
    }
}
