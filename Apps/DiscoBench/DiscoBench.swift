import Foundation

/// Measures the figures of the README's performance section.
///
/// `DiscoBench` runs every workload, `DiscoBench NAME…` only those named. Every workload checks its own result and
/// bounds; a failed check ends the process with status 1. Where possible, figures are ratios within one run, because
/// machines differ and are shared.
@main
struct DiscoBench {
    struct Failed: Error, CustomStringConvertible {
        let description: String
    }

    static let workloads: [(name: String, run: @Sendable (_ path: String) async throws -> Void)] = [
        ("append", Appending.run), ("log", Log.run), ("read", Reading.run), ("rehydrate", Rehydrating.run),
        ("open", Opening.run), ("projection", SlowProjection.run), ("middleware", AroundDispatch.run),
        ("consumers", RunningConsumers.run),
    ]

    static func main() async {
        let arguments = Array(CommandLine.arguments.dropFirst())
        do {
            if arguments.first == "postgres" { return try await OnPostgres.run(arguments.dropFirst().first ?? "") }
            #if HTTP
            if arguments.first == "http" { return try await OverHTTP.run(Array(arguments.dropFirst())) }
            #endif
        } catch {
            print("FAILED: \(error)")
            exit(1)
        }
        let names = Set(CommandLine.arguments.dropFirst())
        let known = workloads.map(\.name)
        guard names.isSubset(of: known) else {
            print("Usage: DiscoBench [NAME…]; the names are \(known.joined(separator: ", ")).")
            print("       DiscoBench postgres NAME; Scripts/bench-postgres starts the server and runs all of them.")
            print("       DiscoBench http NAME …; so does Scripts/bench-http.")
            exit(64)
        }
        do {
            for workload in workloads where names.isEmpty || names.contains(workload.name) {
                let folder = FileManager.default.temporaryDirectory.appending(path: "disco-bench-" + UUID().uuidString)
                try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
                defer { try? FileManager.default.removeItem(at: folder) }
                try await workload.run(folder.appending(path: "events.sqlite").path)
            }
        } catch {
            print("FAILED: \(error)")
            exit(1)
        }
    }

    static func check(_ holds: Bool, _ what: @autoclosure () -> String) throws {
        if !holds { throw Failed(description: what()) }
    }
}
