import Foundation

/// A PostgreSQL server for one test, which may kill it. It stops when it is released.
package final class PostgresCluster: Sendable {
    private static let script = URL(filePath: #filePath).deletingLastPathComponent()
        .appending(path: "../../Scripts/postgres").standardized.path

    private let folder: TemporaryFolder
    package let url: String

    private init(_ folder: TemporaryFolder, _ url: String) {
        self.folder = folder
        self.url = url
    }

    deinit {
        // A deinit cannot wait; the folder is removed last.
        let stop = Process()
        stop.executableURL = URL(filePath: Self.script)
        stop.arguments = ["stop", folder.file("cluster")]
        try? stop.run()
        stop.waitUntilExit()
    }

    package struct Failed: Error, CustomStringConvertible {
        package let description: String
    }

    @discardableResult
    private static func run(_ arguments: String...) async throws -> String {
        let result = try await Program(script, arguments).finish()
        guard result.status == 0 else { throw Failed(description: "\(arguments): \(result.errors)") }
        return String(result.output.dropLast())
    }

    package static func start(_ settings: String...) async throws -> PostgresCluster {
        let folder = try TemporaryFolder()
        let result = try await Program(script, ["start", folder.file("cluster")] + settings).finish()
        guard result.status == 0 else { throw Failed(description: result.errors) }
        return PostgresCluster(folder, String(result.output.dropLast()))
    }

    /// Starts a server with a separate disk of this size (`12m`) in the folder ``disk``, visible only to its processes.
    package static func start(withDiskOf size: String) async throws -> PostgresCluster {
        let folder = try TemporaryFolder()
        let mount = """
            set -e; mkdir -p "$0/disk/space"; owner=$(id -u postgres); [ "$user" = 0 ] || owner=0
            mount -t tmpfs -o "size=$size,uid=$owner,mode=755" tmpfs "$0/disk"
            if [ "$user" = 0 ]; then exec "$@"; fi
            exec unshare --user --map-user="$user" "$@"
            """
        let unshare = ["--mount"] + (geteuid() == 0 ? [] : ["--map-root-user"])
        let result = try await Program(
            "/usr/bin/unshare",
            unshare + ["/bin/sh", "-c", mount, folder.path, script, "start", folder.file("cluster")],
            environment: ["size": size, "user": String(geteuid())]
        ).finish()
        guard result.status == 0 else { throw Failed(description: result.errors) }
        return PostgresCluster(folder, String(result.output.dropLast()))
    }

    package var disk: String { folder.file("disk") }

    /// The server's parent process.
    package func postmaster() throws -> String {
        let file = try String(contentsOfFile: folder.file("cluster/data/postmaster.pid"), encoding: .utf8)
        return String(file.prefix { $0.isNumber })
    }

    /// A streaming standby, known to this server as `standby`.
    package func standby() async throws -> PostgresCluster {
        let other = try TemporaryFolder()
        let url = try await Self.run("standby", other.file("cluster"), folder.file("cluster"))
        return PostgresCluster(other, url)
    }

    /// The host and port of the URL.
    package var address: String { url.split(separator: "@")[1].split(separator: "/").first.map(String.init) ?? "" }

    package func promote() async throws { try await Self.run("promote", folder.file("cluster")) }
    package func kill() async throws { try await Self.run("kill", folder.file("cluster")) }
    package func startAgain() async throws { try await Self.run("again", folder.file("cluster")) }

    /// Freezes or resumes all processes of the server.
    package func freeze(_ frozen: Bool) async throws {
        let postmaster = try postmaster()
        let signal = frozen ? "-STOP" : "-CONT"
        _ = try await Program(
            "/bin/sh", ["-c", "kill \(signal) \(postmaster) $(ps -o pid= --ppid \(postmaster))"]
        ).finish()
    }
}

/// PgBouncer in transaction mode in front of a server. It ends when it is released, or with the tests.
package final class PgBouncer: Sendable {
    private let folder: TemporaryFolder
    private let program: Program
    package let url: String

    package init(before serverURL: String) throws {
        folder = try TemporaryFolder()
        let address = serverURL.split(separator: "@")[1].split(separator: "/")[0].split(separator: ":")
        let port = Int.random(in: 20_000..<50_000)
        let settings = """
            [databases]
            disco = host=\(address[0]) port=\(address[1]) dbname=disco
            [pgbouncer]
            listen_addr = 127.0.0.1
            listen_port = \(port)
            auth_type = any
            pool_mode = transaction
            default_pool_size = 20
            max_client_conn = 1000
            unix_socket_dir =
            ignore_startup_parameters = extra_float_digits
            """
        let file = folder.file("pgbouncer.ini")
        // The only user of the pooler is also its user on the server.
        try settings.replacing("dbname=disco", with: "dbname=disco user=disco").write(
            toFile: file, atomically: true, encoding: .utf8)
        // The shell ends it and removes its folder once its input is closed, however the tests ended.
        let watched = "\"$@\" & cat >/dev/null; kill -KILL $!; rm -rf \"$0\""
        let unprivileged = ["/usr/bin/setpriv", "--reuid=postgres", "--regid=postgres", "--clear-groups"]
        program = try Program(
            "/bin/sh",
            ["-c", watched, folder.path] + (geteuid() == 0 ? unprivileged : []) + ["/usr/sbin/pgbouncer", "-q", file])
        url = "postgresql://disco@127.0.0.1:\(port)/disco"
    }

    deinit { program.endInput() }
}
