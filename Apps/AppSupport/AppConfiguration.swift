package import Configuration
import DiscoCore
package import DiscoEventStore
import DiscoEventStorePostgres
import DiscoEventStoreSQLite
import Foundation
package import Logging
import SystemPackage
import Yams

/// The settings of an app: the environment, then the file that `DISCO_CONFIG_FILE` names, then the defaults.
package enum AppConfiguration {
    /// - Throws: ``EventStoreError`` with code ``EventStoreError/Code/configuration`` where the file cannot be read, or
    ///   where a variable or key is none of the settings.
    package static func load() async throws -> ConfigReader {
        try keys.check(environment: ProcessInfo.processInfo.environment)
        let environment = EnvironmentVariablesProvider()
        guard let path = ConfigReader(provider: environment).string(forKey: "disco.config.file") else {
            return ConfigReader(provider: environment)
        }
        do {
            switch URL(filePath: path).pathExtension {
            case "yaml", "yml":
                let text = try String(contentsOfFile: path, encoding: .utf8)
                try keys.check(try Self.keys(of: try Yams.compose(yaml: text), in: path), in: path)
                return ConfigReader(providers: [
                    environment, try await FileProvider<YAMLSnapshot>(filePath: FilePath(path)),
                ])
            case "json":
                let text = try String(contentsOfFile: path, encoding: .utf8)
                try keys.check(try Self.keys(of: try JSONText(text).value(), in: path), in: path)
                return ConfigReader(providers: [
                    environment, try await FileProvider<JSONSnapshot>(filePath: FilePath(path)),
                ])
            default:
                throw EventStoreError(
                    .configuration, "DISCO_CONFIG_FILE is \(path); it must end in .yaml, .yml or .json.")
            }
        } catch let error as EventStoreError {
            throw error
        } catch {
            throw EventStoreError(.configuration, "DISCO_CONFIG_FILE is \(path), which cannot be read: \(error)")
        }
    }

    private static let keys = ConfigurationKeys(
        eventStores: eventStores, readModelStores: readModelStores, others: ["disco.config.file"])

    private static func keys(of node: Yams.Node?, in path: String, below prefix: String = "") throws -> [String] {
        // A null is a section whose lines are all comments.
        guard let node, node.null == nil else { return [] }
        if let sequence = node.sequence, !sequence.isEmpty { throw list(prefix, path) }
        guard let mapping = node.mapping else { return [prefix] }
        return try mapping.flatMap { key, value in
            try keys(of: value, in: path, below: join(prefix, key.string ?? "?"))
        }
    }

    private static func keys(of value: JSON, in path: String, below prefix: String = "") throws -> [String] {
        if case .array = value { throw list(prefix, path) }
        if value == .null { return [] }
        guard let object = value.object else { return [prefix] }
        return try object.flatMap { try keys(of: $0.value, in: path, below: join(prefix, $0.name)) }
    }

    private static func join(_ prefix: String, _ name: String) -> String { prefix.isEmpty ? name : prefix + "." + name }

    private static func list(_ key: String, _ path: String) -> EventStoreError {
        EventStoreError(
            .configuration,
            "\(key.isEmpty ? "The whole" : "The key \(key)") in \(path) is a list; it must be one value.")
    }

    /// Where the apps say trouble in the background.
    package static func logger(_ label: String) -> Logger {
        var logger = Logger(label: label) { StreamLogHandler.standardError(label: $0) }
        logger.logLevel = .warning
        return logger
    }

    package static let eventStores: [EventStoreAdapter] = [.memory, .sqlite, .postgres]
    package static let readModelStores: [ReadModelStoreAdapter] = [.memory, .sqlite, .postgres]

    /// What the environment may say, for the help of the apps.
    package static let help = """
        DISCO_EVENT_STORE_ADAPTER       sqlite (default), postgres or memory
        DISCO_EVENT_STORE_SQLITE_PATH   the file of events (default: events.sqlite); read models lie beside it
        DISCO_EVENT_STORE_POSTGRES_URL  the database, for example postgresql://app@localhost/app
        DISCO_CONFIG_FILE               a YAML or JSON file with these and further settings, below the environment
        """
}
