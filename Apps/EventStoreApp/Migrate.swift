import AppSupport
import ArgumentParser
import DiscoCore
import DiscoEventStore
import DiscoMigrations
import Foundation

struct Migrate: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Creates the event store's tables, or migrates them to this version.",
        discussion: "Running it again changes nothing. If two run at once, one migrates and the other waits.")

    @Flag(help: "Only print the pending migrations; exit with status 1 if there are any.") var check = false

    func run() async throws {
        try await Output.reporting {
            let config = try await EventStoreApp.settings()
            let adapter = try EventStoreAdapter.chosen(by: config, among: AppConfiguration.eventStores)
            let pending = try await adapter.pendingMigrations(config)
            if check {
                for name in pending { try Output.write(name) }
                if !pending.isEmpty { throw ExitCode(1) }
                return
            }
            await (try await adapter.open(config)).close()
            // If the settings forbid migrating, `open` has thrown.
            for name in pending { try Output.write("applied \(name)") }
            if pending.isEmpty { try Output.write("up to date") }
        }
    }
}

struct Migrations: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        abstract:
            "Prints the SQL of all migrations, or writes it to files, for use with your own migration tool.",
        discussion: """
            Apply the files in order, each once. On PostgreSQL the SQL names the schema "disco", or "disco_read_models" \
            with --read-models: create it first, or replace the name with your own. Each file ends by recording that \
            it was applied, so that the store finds nothing pending. Set DISCO_EVENT_STORE_POSTGRES_MIGRATES=false, and \
            DISCO_READ_MODELS_POSTGRES_MIGRATES=false, to keep the stores from applying later migrations themselves.
            """)

    enum Adapter: String, ExpressibleByArgument, CaseIterable { case sqlite, postgres }

    @Option(help: "The database: sqlite or postgres.") var adapter: Adapter
    @Flag(help: "Print the migrations of a read-model store instead of an event store.") var readModels = false
    @Option(help: "The folder to write one file per migration to; created if missing.") var output: String?

    private var migrations: [Migration] {
        switch (adapter, readModels) {
        case (.sqlite, false): Migration.sqliteEventStore
        case (.sqlite, true): Migration.sqliteReadModels
        case (.postgres, false): Migration.postgresEventStore
        case (.postgres, true): Migration.postgresReadModels
        }
    }

    func run() async throws {
        try await Output.reporting {
            for migration in migrations {
                var sql =
                    migration.sql + "\n"
                    + MigrationPlan.record(of: migration, schema: adapter == .postgres ? "disco" : nil)
                if readModels { sql = sql.replacingOccurrences(of: "\"disco\"", with: "\"disco_read_models\"") }
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
