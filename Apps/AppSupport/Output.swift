import ArgumentParser
package import DiscoCore
import Foundation

/// What the apps print: answers on standard output, refusals as JSON on standard error.
package enum Output {
    package static let isTerminal = isatty(STDOUT_FILENO) == 1
    package static let hasTerminalForErrors = isatty(STDERR_FILENO) == 1

    package static func print(_ value: JSON) throws { try write(value.description) }

    /// - Throws: where it cannot be written; the app then ends, with a status that says so.
    package static func write(_ line: String) throws { try write(line + "\n", to: STDOUT_FILENO) }

    /// Something for people who wait, kept from the answers.
    package static func note(_ text: String) { try? write(text, to: STDERR_FILENO) }

    /// About something that was done all the same.
    package static func warn(_ value: JSON) { try? write(value.description + "\n", to: STDERR_FILENO) }

    package static func refuse(_ error: any Error) {
        try? write(JSON(describing: error).description + "\n", to: STDERR_FILENO)
    }

    private struct Failure: DescribedError {
        let number: Int32

        var code: String { "output" }
        var message: String { "The output cannot be written: \(String(cString: strerror(number)))." }
    }

    private static func write(_ text: String, to file: Int32) throws {
        var text = text
        try text.withUTF8 { buffer in
            var rest = UnsafeRawBufferPointer(buffer)
            while !rest.isEmpty {
                let count = Foundation.write(file, rest.baseAddress, rest.count)
                if count < 0, errno == EINTR { continue }
                if count < 0, errno == EAGAIN {
                    // A parent made it non-blocking: what reads it is asked for room.
                    var descriptor = pollfd(fd: file, events: Int16(POLLOUT), revents: 0)
                    poll(&descriptor, 1, -1)
                    continue
                }
                if count < 0 { throw Failure(number: errno) }
                rest = UnsafeRawBufferPointer(rebasing: rest.dropFirst(count))
            }
        }
    }

    /// Prints whatever goes wrong as one line of JSON on standard error, and ends the process with status 1; with 78
    /// (EX_CONFIG of sysexits.h) where a setting is wrong, 74 (EX_IOERR) where the output cannot be written, 128 and the
    /// signal's number where a signal has ended it, and quietly where nobody reads the output any more.
    package static func reporting<Result>(_ body: () async throws -> Result) async throws -> Result {
        // A write to a reader that has gone then fails, and does not end the process with its stores open.
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
    /// Its parts between commas; none where there is no text.
    package var commaSeparated: [String] {
        self?.utf8.split(separator: UInt8(ascii: ",")).map { String(decoding: $0, as: UTF8.self) } ?? []
    }
}
