import ArgumentParser
package import DiscoCore
import Foundation

/// What the apps print: results on standard output, errors as JSON on standard error.
package enum Output {
    package static let isTerminal = isatty(STDOUT_FILENO) == 1
    package static let hasTerminalForErrors = isatty(STDERR_FILENO) == 1

    package static func print(_ value: JSON) throws { try write(value.description) }

    /// - Throws: an error if the line cannot be written; ``reporting(_:)`` turns it into an exit status.
    package static func write(_ line: String) throws { try write(line + "\n", to: STDOUT_FILENO) }

    /// Prints a note on progress to standard error, so that it does not mix with the results.
    package static func note(_ text: String) { try? write(text, to: STDERR_FILENO) }

    /// Prints a warning about a command that succeeded to standard error.
    package static func warn(_ value: JSON) { try? write(value.description + "\n", to: STDERR_FILENO) }

    package static func refuse(_ error: any Error) {
        try? write(JSON(describing: error).description + "\n", to: STDERR_FILENO)
    }

    private struct Failure: DescribedError {
        let number: Int32

        var code: String { "output" }
        var message: String { "Cannot write the output: \(String(cString: strerror(number)))." }
    }

    private static func write(_ text: String, to file: Int32) throws {
        var text = text
        try text.withUTF8 { buffer in
            var rest = UnsafeRawBufferPointer(buffer)
            while !rest.isEmpty {
                let count = Foundation.write(file, rest.baseAddress, rest.count)
                if count < 0, errno == EINTR { continue }
                if count < 0, errno == EAGAIN {
                    // A parent process made the file non-blocking: wait until its reader makes room.
                    var descriptor = pollfd(fd: file, events: Int16(POLLOUT), revents: 0)
                    poll(&descriptor, 1, -1)
                    continue
                }
                if count < 0 { throw Failure(number: errno) }
                rest = UnsafeRawBufferPointer(rebasing: rest.dropFirst(count))
            }
        }
    }

    /// Prints an error as one line of JSON on standard error and exits with status 1.
    ///
    /// The status is 78 (EX_CONFIG of sysexits.h) for a wrong setting, 74 (EX_IOERR) if the output cannot be written,
    /// and 128 plus the signal's number after a signal. If the reader of the output has gone, it exits silently with
    /// status 0.
    package static func reporting<Result>(_ body: () async throws -> Result) async throws -> Result {
        // With SIGPIPE ignored, a write to a closed pipe fails instead of ending the process with its stores open.
        signal(SIGPIPE, SIG_IGN)
        do {
            return try await body()
        } catch let exit as ExitCode {
            throw exit
        } catch is CancellationError where Termination.signal != nil {
            throw ExitCode(128 + (Termination.signal ?? 0))
        } catch let failure as Failure where failure.number == EPIPE {
            throw ExitCode.success
        } catch {
            refuse(error)
            throw ExitCode((error as? EventStoreError)?.code == .configuration ? 78 : error is Failure ? 74 : 1)
        }
    }
}

extension String? {
    /// The parts between commas; empty if there is no text.
    package var commaSeparated: [String] {
        self?.utf8.split(separator: UInt8(ascii: ",")).map { String(decoding: $0, as: UTF8.self) } ?? []
    }
}
