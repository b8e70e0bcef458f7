import Foundation

/// A separate schema in the PostgreSQL server that `Scripts/test` starts.
package struct TestDatabase: Sendable {
    package struct Missing: Error, CustomStringConvertible {
        package init() {}

        package let description = "No PostgreSQL server to test with. Run Scripts/test, which starts one."
    }

    package let schema = "t" + UUID().uuidString.lowercased().filter { $0 != "-" }
    private let base: String

    /// - Parameter url: nil for the server that all tests share.
    package init(url: String? = nil) throws {
        guard let url = url ?? ProcessInfo.processInfo.environment["DISCO_TEST_POSTGRES_URL"] else { throw Missing() }
        base = url
    }

    /// Connections have the schema's name as their application name, so that a test can cut its own.
    package var url: String { base + "?application_name=" + schema }

    /// The URL of another database on the server.
    package func url(database: String) -> String {
        base.split(separator: "/").dropLast().joined(separator: "/").replacing(":/", with: "://") + "/" + database
    }

    /// The output of psql, one line per row.
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
