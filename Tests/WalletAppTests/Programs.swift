import Foundation

/// Runs the package's own executables, which lie beside the test bundle.
struct Program {
    static let folder = URL(filePath: "/proc/self/exe").resolvingSymlinksInPath().deletingLastPathComponent()

    let process = Process()
    let output = Pipe()
    let errors = Pipe()

    init(_ name: String, _ arguments: [String], environment: [String: String] = [:]) throws {
        process.executableURL = Self.folder.appending(path: name)
        process.arguments = arguments
        process.environment = ProcessInfo.processInfo.environment.merging(environment) { $1 }
        process.standardOutput = output
        process.standardError = errors
        try process.run()
    }

    struct Result {
        var status: Int32
        var output: String
        var errors: String
    }

    /// Waits for its end. What it prints must fit the pipes' buffers of 64 KiB.
    func finish() -> Result {
        process.waitUntilExit()
        let output = output.fileHandleForReading.readDataToEndOfFile()
        let errors = errors.fileHandleForReading.readDataToEndOfFile()
        return Result(
            status: process.terminationStatus, output: String(decoding: output, as: UTF8.self),
            errors: String(decoding: errors, as: UTF8.self))
    }
}

/// A folder for one test, removed with everything in it.
final class TemporaryFolder: Sendable {
    let url: URL
    var events: String { url.appending(path: "events.sqlite").path }

    init() throws {
        url = FileManager.default.temporaryDirectory.appending(path: "disco-" + UUID().uuidString)
        try FileManager.default.createDirectory(at: url, withIntermediateDirectories: true)
    }

    deinit { try? FileManager.default.removeItem(at: url) }
}
