import Foundation

/// Measures what the README's performance section says. `DiscoBench` runs every workload, `DiscoBench NAME…` those
/// named.
///
/// Every workload checks its own result and bounds; one that does not hold ends the process with status 1. Figures are
/// ratios taken in one run wherever they can be: machines differ, and share.
@main
struct DiscoBench {
    struct Failed: Error, CustomStringConvertible {
        let description: String
    }

    static let workloads: [(name: String, run: @Sendable (_ path: String) async throws -> Void)] = [
        ("append", Appending.run), ("log", Log.run), ("read", Reading.run), ("rehydrate", Rehydrating.run),
        ("open", Opening.run), ("projection", SlowProjection.run), ("middleware", AroundDispatch.run),
    ]

    static func main() async {
        let arguments = Array(CommandLine.arguments.dropFirst())
        if arguments.first == "postgres" {
            do {
                return try await OnPostgres.run(arguments.dropFirst().first ?? "")
            } catch {
                print("FAILED: \(error)")
                exit(1)
            }
        }
        let names = Set(CommandLine.arguments.dropFirst())
        let known = workloads.map(\.name)
        guard names.isSubset(of: known) else {
            print("Usage: DiscoBench [NAME…]; the names are \(known.joined(separator: ", ")).")
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
