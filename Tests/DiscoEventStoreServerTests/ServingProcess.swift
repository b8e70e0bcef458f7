#if HTTP
import Foundation
import TestSupport
import Testing

/// `EventStoreApp serve` on SQLite in a process of its own, and the Python programs beside this file that use it.
struct ServingProcess {
    private let folder: TemporaryFolder
    private let program: Program
    private let url: String

    static func start(_ environment: [String: String] = [:]) async throws -> ServingProcess {
        let folder = try TemporaryFolder()
        let settings = [
            "DISCO_EVENT_STORE_ADAPTER": "sqlite", "DISCO_EVENT_STORE_SQLITE_PATH": folder.events,
            "DISCO_READ_MODELS_ADAPTER": "memory", "DISCO_SERVER_PORT": "0",
        ]
        let (program, url) = try await Program.serving(
            "EventStoreApp", environment: settings.merging(environment) { $1 })
        return ServingProcess(folder: folder, program: program, url: url)
    }

    /// Runs a Python program on the server, and expects that it succeeds; then, that the server ends cleanly.
    func run(_ name: String, _ arguments: [String] = []) async throws {
        let path = URL(filePath: #filePath).deletingLastPathComponent().appending(path: name).path
        let result = try await Program("/usr/bin/python3", [path, url, "\(program.id)"] + arguments).finish()
        #expect(result.status == 0, "\(result.output)\n\(result.errors)")
        program.signal("TERM")
        let end = try await program.finish()
        #expect(end.status == 0 && end.errors.isEmpty, "the server ended with \(end.status): \(end.errors)")
    }
}
#endif
