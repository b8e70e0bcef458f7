import ArgumentParser
package import DiscoCore
import Foundation

/// What the apps print: answers on standard output, refusals as JSON on standard error.
package enum Output {
    package static let isTerminal = isatty(STDOUT_FILENO) == 1
    package static let hasTerminalForErrors = isatty(STDERR_FILENO) == 1

    package static func print(_ value: JSON) { write(value.description) }

    package static func write(_ line: String) { write(line + "\n", to: .standardOutput) }

    /// Something for people who wait, kept from the answers.
    package static func note(_ text: String) { write(text, to: .standardError) }

    /// About something that was done all the same.
    package static func warn(_ value: JSON) { write(value.description + "\n", to: .standardError) }

    package static func refuse(_ error: any Error) {
        write(JSON(describing: error).description + "\n", to: .standardError)
    }

    private static func write(_ text: String, to handle: FileHandle) {
        // A reader that has gone (a closed pipe) is no reason to fail.
        try? handle.write(contentsOf: Data(text.utf8))
    }

    /// Prints whatever goes wrong as one line of JSON on standard error, and ends the process with status 1, or 78
    /// (EX_CONFIG of sysexits.h) where a setting is wrong.
    package static func reporting<Result>(_ body: () async throws -> Result) async throws -> Result {
        do {
            return try await body()
        } catch let exit as ExitCode {
            throw exit
        } catch {
            refuse(error)
            throw ExitCode((error as? EventStoreError)?.code == .configuration ? 78 : 1)
        }
    }
}

extension String? {
    /// Its parts between commas; none where there is no text.
    package var commaSeparated: [String] { self?.split(separator: ",").map(String.init) ?? [] }
}
