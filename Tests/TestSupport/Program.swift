import Foundation

/// A running program: one of the package's executables, which are beside the test bundle, or a system program.
///
/// Blocking calls run on separate threads, so that a waiting test does not take a thread from the others.
package struct Program: Sendable {
    private static let folder = URL(filePath: "/proc/self/exe").resolvingSymlinksInPath().deletingLastPathComponent()

    /// The path of one of the package's executables.
    package static func path(of name: String) -> String { folder.appending(path: name).path }

    private let process = Process()
    private let input = Pipe()
    private let output = Pipe()
    private let errors = Pipe()

    package init(_ name: String, _ arguments: [String], environment: [String: String] = [:]) throws {
        process.executableURL = URL(filePath: name.hasPrefix("/") ? name : Self.path(of: name))
        process.arguments = arguments
        process.environment = ProcessInfo.processInfo.environment.merging(environment) { $1 }
        process.standardInput = input
        process.standardOutput = output
        process.standardError = errors
        try process.run()
    }

    package var id: Int32 { process.processIdentifier }

    /// Starts the program with these lines as its whole input.
    package init(_ name: String, _ arguments: [String], lines: [String]) throws {
        try self.init(name, arguments)
        for line in lines { try send(line) }
        endInput()
    }

    package struct Result: Sendable {
        package var status: Int32
        package var output: String
        package var errors: String
    }

    package func send(_ line: String) throws {
        // Writing to a program that has ended must not end the tests.
        Foundation.signal(SIGPIPE, SIG_IGN)
        try input.fileHandleForWriting.write(contentsOf: Data((line + "\n").utf8))
    }

    package func endInput() { try? input.fileHandleForWriting.close() }

    /// Freezes the program.
    package func freeze() { _ = Foundation.kill(process.processIdentifier, SIGSTOP) }

    /// Lets a frozen program go on.
    package func thaw() { _ = Foundation.kill(process.processIdentifier, SIGCONT) }

    /// - Parameter name: `TERM`, `INT` or `HUP`.
    package func signal(_ name: String) {
        let number = ["INT": SIGINT, "HUP": SIGHUP][name] ?? SIGTERM
        _ = Foundation.kill(process.processIdentifier, number)
    }

    package func kill() { _ = Foundation.kill(process.processIdentifier, SIGKILL) }

    /// The output so far, once it has at least `count` bytes; less if the program ends.
    package func printed(atLeast count: Int) async throws -> String {
        try await read(output) { $0.count >= count }
    }

    /// The output so far, once it has at least `lines` lines; less if the program ends.
    package func printed(lines: Int) async throws -> String {
        try await read(output) { data in data.count { $0 == UInt8(ascii: "\n") } >= lines }
    }

    /// The standard error output so far, once it has at least `lines` lines; less if the program ends.
    package func complained(lines: Int) async throws -> String {
        try await read(errors) { data in data.count { $0 == UInt8(ascii: "\n") } >= lines }
    }

    private func read(_ pipe: Pipe, until isEnough: @escaping @Sendable (Data) -> Bool) async throws -> String {
        try await blocking {
            var data = Data()
            while !isEnough(data) {
                let more = pipe.fileHandleForReading.availableData
                if more.isEmpty { break }
                data += more
            }
            return String(decoding: data, as: UTF8.self)
        }
    }

    /// Waits for the program to end; output that was read before is not part of the result.
    package func finish() async throws -> Result {
        async let printed = blocking { try output.fileHandleForReading.readToEnd() ?? Data() }
        async let complained = blocking { try errors.fileHandleForReading.readToEnd() ?? Data() }
        let status = try await blocking {
            process.waitUntilExit()
            return process.terminationStatus
        }
        return Result(
            status: status, output: String(decoding: try await printed, as: UTF8.self),
            errors: String(decoding: try await complained, as: UTF8.self))
    }

    private func blocking<Value: Sendable>(_ body: @escaping @Sendable () throws -> Value) async throws -> Value {
        try await withCheckedThrowingContinuation { continuation in
            Thread.detachNewThread { continuation.resume(with: Swift.Result { try body() }) }
        }
    }
}
