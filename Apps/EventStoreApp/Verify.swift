import AppSupport
import ArgumentParser
import DiscoCore

struct Verify: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        abstract:
            "Checks the whole store for damage: gaps in positions and versions, broken payloads, lost tags.",
        discussion:
            "Prints its findings, and exits with status 1 if there are any. Deleted and erased streams are not damage."
    )

    @OptionGroup var rows: RowOptions

    func run() async throws {
        try await withClient { client in
            let findings = try await client.verify { through, head in
                guard Output.hasTerminalForErrors, head.rawValue > 0 else { return }
                Output.note("\rexamined \(through) of \(head) (\(100 * through.rawValue / head.rawValue)%)")
            }
            if Output.hasTerminalForErrors { Output.note("\n") }
            var table = Table(["finding"], json: rows.json)
            for finding in findings { try table.add(["finding": .string(finding.description)]) }
            try table.finish()
            if !findings.isEmpty { throw ExitCode(1) }
            if Output.isTerminal { try Output.write("no damage found in \(try await client.head()) events") }
        }
    }
}
