import AppSupport
import ArgumentParser
import DiscoCore
import DiscoEventStore
import DiscoMigrations
import Foundation

struct Migrate: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Makes the event store's tables, or brings them to this version.",
        discussion: "Doing it twice does no harm. Two at once: one migrates, the other waits.")

    @Flag(help: "Changes nothing: prints what is pending, and ends with status 1 where anything is.") var check = false

    func run() async throws {
        try await Output.reporting {
            let config = try await AppConfiguration.load()
            let adapter = try EventStoreAdapter.chosen(by: config, among: AppConfiguration.eventStores)
            let pending = try await adapter.pendingMigrations(config)
            if check {
                for name in pending { try Output.write(name) }
                if !pending.isEmpty { throw ExitCode(1) }
                return
            }
            await (try await adapter.open(config)).close()
            // What the settings forbid to apply, opening has refused.
            for name in pending { try Output.write("applied \(name)") }
            if pending.isEmpty { try Output.write("up to date") }
        }
    }
}

struct Migrations: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        abstract:
            "Prints the SQL of all migrations, or writes it to files: for those who run a migration tool of their own.",
        discussion: """
            Apply the files in their order, each once. On PostgreSQL the schema stands as "disco": create it first, or put another name \
            in its place. Each file notes at its end that it was applied, so that the store finds nothing to do;
            DISCO_EVENT_STORE_POSTGRES_MIGRATES=false keeps it from migrating by itself later.
            """)

    enum Adapter: String, ExpressibleByArgument, CaseIterable { case sqlite, postgres }

    @Option(help: "sqlite or postgres.") var adapter: Adapter
    @Option(help: "A folder, made where it is missing, that gets a file for each migration.") var output: String?

    func run() async throws {
        try await Output.reporting {
            let migrations = adapter == .sqlite ? Migration.sqliteEventStore : Migration.postgresEventStore
            for migration in migrations {
                let sql =
                    migration.sql + "\n"
                    + MigrationPlan.record(of: migration, schema: adapter == .postgres ? "disco" : nil)
                guard let output else {
                    try Output.write("-- \(migration.name)\n\n\(sql)")
                    continue
                }
                let folder = URL(filePath: output)
                try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
                try Data(sql.utf8).write(to: folder.appending(path: migration.name))
                try Output.write(folder.appending(path: migration.name).path)
            }
        }
    }
}
