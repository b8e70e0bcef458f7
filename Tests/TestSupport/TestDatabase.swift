import Foundation

/// A schema of its own in the PostgreSQL server that `Scripts/test` starts.
package struct TestDatabase: Sendable {
    package struct Missing: Error, CustomStringConvertible {
        package init() {}

        package let description = "There is no PostgreSQL server to test with: run Scripts/test, which starts one."
    }

    package let schema = "t" + UUID().uuidString.lowercased().filter { $0 != "-" }
    private let base: String

    /// - Parameter url: nil for the server that is there for all tests.
    package init(url: String? = nil) throws {
        guard let url = url ?? ProcessInfo.processInfo.environment["DISCO_TEST_POSTGRES_URL"] else { throw Missing() }
        base = url
    }

    /// Connections are known to the server by the schema's name, so that a test can cut its own.
    package var url: String { base + "?application_name=" + schema }

    /// Of another database of the server.
    package func url(database: String) -> String {
        base.split(separator: "/").dropLast().joined(separator: "/").replacing(":/", with: "://") + "/" + database
    }

    /// What psql prints, a line for each row.
    @discardableResult
    package func run(_ sql: String) async throws -> Program.Result {
        try await Program("/usr/bin/psql", ["-X", "-q", "-A", "-t", "-v", "ON_ERROR_STOP=1", "-d", base, "-c", sql])
            .finish()
    }

    /// Cuts all connections of this schema's stores.
    package func cutConnections() async throws {
        try await run(
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name = '\(schema)' AND pid <> pg_backend_pid()"
        )
    }
}
