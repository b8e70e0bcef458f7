#if HTTP
import AppSupport
import Configuration
import DiscoEventStore
import DiscoEventStoreServer
import Foundation
import TestSupport
import Testing

/// The files for operating a server.
@Suite(.timeLimit(.minutes(1))) struct DeploymentTests {
    private static let deployment = URL(filePath: #filePath).deletingLastPathComponent()
        .appending(path: "../../Apps/EventStoreApp/Deployment").standardized

    private let text: String
    private let folder: TemporaryFolder

    init() throws {
        text = try String(contentsOf: Self.deployment.appending(path: "eventstore.yaml"), encoding: .utf8)
        folder = try TemporaryFolder()
    }

    /// The file with its keys in use; comments in words begin with `# `.
    private func uncommented(_ isWanted: (String) -> Bool = { _ in true }) -> String {
        text.split(separator: "\n").map { line -> String in
            let key = line.drop { $0 == " " }
            guard key.hasPrefix("#"), !key.hasPrefix("# "), isWanted(String(key.dropFirst())) else {
                return String(line)
            }
            return String(line.prefix { $0 == " " } + key.dropFirst())
        }.joined(separator: "\n")
    }

    /// All values by their keys.
    private var values: [String: String] {
        var (values, path): ([String: String], [String]) = ([:], [])
        for line in uncommented().split(separator: "\n") where !line.drop(while: { $0 == " " }).hasPrefix("#") {
            let parts = line.split(separator: ":", maxSplits: 1, omittingEmptySubsequences: false).map {
                $0.trimmingCharacters(in: .whitespaces)
            }
            path = path.prefix(line.prefix { $0 == " " }.count / 2) + [parts[0]]
            if !parts[1].isEmpty { values[path.joined(separator: ".")] = parts[1] }
        }
        return values
    }

    @Test func theFileHasEveryKeyOnce() {
        let known = ConfigurationKeys(
            eventStores: AppConfiguration.localEventStores, readModelStores: AppConfiguration.readModelStores,
            others: EventStoreServer.Settings.keys
        ).known
        #expect(values.keys.sorted() == known)
        #expect(uncommented().split(separator: "\n").count { $0.contains(": ") && !$0.contains("# ") } == known.count)
    }

    @Test func theFileHasTheDefaults() throws {
        let others = ["tokens", "tokensFile", "certificateFile", "privateKeyFile", "clientAuthoritiesFile"]
        let given = values.filter { key, _ in !others.contains { key == "disco.server." + $0 } }.map { key, value in
            (
                AbsoluteConfigKey(key.split(separator: ".").map(String.init)),
                ConfigValue(.string(value), isSecret: false)
            )
        }
        let config = ConfigReader(provider: InMemoryProvider(values: Dictionary(uniqueKeysWithValues: given)))
        let (settings, defaults) = (try EventStoreServer.Settings(config: config), EventStoreServer.Settings())
        #expect(settings.host == defaults.host)
        #expect(settings.port == defaults.port)
        #expect(settings.limits.bodyBytes == defaults.limits.bodyBytes)
        #expect(settings.limits.eventsPerAppend == defaults.limits.eventsPerAppend)
        #expect(settings.limits.followers == defaults.limits.followers)
        #expect(settings.limits.connections == defaults.limits.connections)
        #expect(settings.limits.requestTime == defaults.limits.requestTime)
        #expect(settings.limits.idleTime == defaults.limits.idleTime)
        #expect(settings.hosts == ["events.example", "10.0.0.5"])
        #expect(settings.origins == ["https://app.example"])
        #expect(settings.limits.requestTime == .seconds(30))
    }

    /// The guide's table of limits has the defaults too.
    @Test func theGuideHasTheSameDefaults() throws {
        let guide = Self.deployment.appending(
            path: "../../../Modules/DiscoEventStoreServer/DiscoEventStoreServer.docc/Running-a-server.md")
        let text = try String(contentsOf: guide, encoding: .utf8)
        let rows = text.matches(of: /\| `(disco\.server\.\w+)` \| (\d+)/)
        #expect(rows.count >= 7)
        for row in rows { #expect(values[String(row.1)] == String(row.2), "\(row.1)") }
    }

    @Test(arguments: [false, true]) func aServerStartsWithTheFile(isUncommented: Bool) async throws {
        // Without what needs files or a database of its own, or stands beside another key.
        let others = ["tokens", "certificateFile", "privateKeyFile", "clientAuthoritiesFile"]
        let file = folder.file("eventstore.yaml")
        let content = isUncommented ? uncommented { key in !others.contains { key.hasPrefix($0) } } : text
        try content.write(toFile: file, atomically: true, encoding: .utf8)
        let environment = ["DISCO_CONFIG_FILE": file, "DISCO_EVENT_STORE_SQLITE_PATH": folder.events]
            .merging(["DISCO_READ_MODELS_SQLITE_PATH": folder.file("models.sqlite")]) { $1 }
        let server = try Program("EventStoreApp", ["serve", "--port", "0"], environment: environment)
        let line = try await server.printed(lines: 1)
        let port = try #require(line.split(separator: ":").last.map { $0.dropLast() }, "\(line)")
        // Asks under the first of the names in the file.
        let health = try await Program("EventStoreApp", ["health", "--port", "\(port)"], environment: environment)
            .finish()
        #expect(health.status == 0, "\(health)")
        server.signal("TERM")
        let end = try await server.finish()
        #expect(end.status == 0, "\(end)")
    }

    /// The unit and the image set what the app knows.
    @Test(arguments: ["eventstore.service", "Dockerfile"]) func theVariablesAreSettings(name: String) throws {
        let text = try String(contentsOf: Self.deployment.appending(path: name), encoding: .utf8)
        let variables = Set(text.matches(of: /DISCO_[A-Z_]+/).map { String($0.0) })
        #expect(variables.count >= 3)
        let keys = ConfigurationKeys(
            eventStores: AppConfiguration.localEventStores,
            others: EventStoreServer.Settings.keys + ["disco.config.file"])
        let names = keys.known.map { key in
            key.replacing(/[A-Z]+/) { "_" + $0.output }.replacing(".", with: "_").uppercased()
        }
        #expect(variables.subtracting(names).isEmpty)
    }
}
#endif
