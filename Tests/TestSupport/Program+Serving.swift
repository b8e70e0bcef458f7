import Foundation

extension Program {
    /// A server did not print where it listens.
    package struct NotServing: Error, CustomStringConvertible {
        package let result: Result
        package var description: String { "the server did not start: \(result.output) \(result.errors)" }
    }

    /// Starts an app's `serve`, and returns with its URL once it accepts connections.
    package static func serving(
        _ name: String, _ arguments: [String] = [], environment: [String: String]
    ) async throws -> (program: Program, url: String) {
        let program = try Program(name, ["serve"] + arguments, environment: environment)
        let line = try await program.printed(lines: 1)
        let prefix = "listening on "
        guard line.hasPrefix(prefix) else {
            var result = try await program.finish()
            result.output = line + result.output
            throw NotServing(result: result)
        }
        return (program, line.dropFirst(prefix.count).trimmingCharacters(in: .whitespacesAndNewlines))
    }
}
