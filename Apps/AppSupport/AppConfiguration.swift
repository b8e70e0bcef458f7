package import Configuration
import DiscoCore
package import DiscoEventStore
import DiscoEventStorePostgres
import DiscoEventStoreSQLite
import Foundation
package import Logging
import Yams

#if HTTP
import DiscoEventStoreRemote
#endif

/// The settings of an app: the environment, then the file that `DISCO_CONFIG_FILE` names, then the defaults.
package enum AppConfiguration {
    /// - Throws: ``EventStoreError`` with code ``EventStoreError/Code/configuration`` if the file cannot be read or a
    ///   variable or key is not a setting.
    ///
    /// - Parameter others: keys of the app itself.
    package static func load(others: [String] = []) async throws -> ConfigReader {
        let keys = ConfigurationKeys(
            eventStores: eventStores, readModelStores: readModelStores, others: ["disco.config.file"] + others)
        try keys.check(environment: ProcessInfo.processInfo.environment)
        let environment = EnvironmentVariablesProvider()
        guard let path = ConfigReader(provider: environment).string(forKey: "disco.config.file") else {
            return ConfigReader(provider: environment)
        }
        let settings: [String: String]
        do {
            let text = try String(contentsOfFile: path, encoding: .utf8)
            switch URL(filePath: path).pathExtension {
            case "yaml", "yml": settings = try Self.settings(of: try Yams.compose(yaml: text), in: path)
            case "json": settings = try Self.settings(of: try JSONText(text).value(), in: path)
            default:
                throw EventStoreError(
                    .configuration, "DISCO_CONFIG_FILE is \(path); it must end in .yaml, .yml or .json.")
            }
        } catch let error as EventStoreError {
            throw error
        } catch {
            throw EventStoreError(.configuration, "Cannot read \(path), which DISCO_CONFIG_FILE names: \(error)")
        }
        try keys.check(Array(settings.keys), in: path)
        let values = settings.map { key, value in
            (AbsoluteConfigKey(key.split(separator: ".").map(String.init)), ConfigValue(.string(value), isSecret: true))
        }
        return ConfigReader(providers: [
            environment,
            InMemoryProvider(name: path, values: Dictionary(values, uniquingKeysWith: { first, _ in first })),
        ])
    }

    /// The values by their keys, as text: the form in which the environment has them too.
    private static func settings(
        of node: Yams.Node?, in path: String, below prefix: String = ""
    ) throws -> [String: String] {
        // A section with only comments in it reads as null.
        guard let node, node.null == nil else { return [:] }
        if let sequence = node.sequence, !sequence.isEmpty { throw list(prefix, path) }
        guard let mapping = node.mapping else { return [prefix: node.string ?? ""] }
        return try mapping.reduce(into: [:]) { settings, pair in
            let key = join(prefix, pair.key.string ?? "?")
            settings.merge(try Self.settings(of: pair.value, in: path, below: key)) { $1 }
        }
    }

    private static func settings(
        of value: JSON, in path: String, below prefix: String = ""
    ) throws -> [String: String] {
        switch value {
        case .array: throw list(prefix, path)
        case .null: return [:]
        case .string(let text): return [prefix: text]
        case .object(let object):
            return try object.reduce(into: [:]) { settings, member in
                let key = join(prefix, member.name)
                settings.merge(try Self.settings(of: member.value, in: path, below: key)) { $1 }
            }
        default: return [prefix: value.description]
        }
    }

    private static func join(_ prefix: String, _ name: String) -> String { prefix.isEmpty ? name : prefix + "." + name }

    private static func list(_ key: String, _ path: String) -> EventStoreError {
        EventStoreError(
            .configuration,
            key.isEmpty
                ? "The top level of \(path) is a list; it must be a mapping."
                : "The key \(key) in \(path) is a list; it must be one value.")
    }

    /// Makes the logger for background work, which writes to standard error: warnings and errors, unless `level` says
    /// otherwise.
    package static func logger(_ label: String, _ level: Logger.Level = .warning) -> Logger {
        var logger = Logger(label: label) { StreamLogHandler.standardError(label: $0) }
        logger.logLevel = level
        return logger
    }

    /// The stores that this process can hold.
    package static let localEventStores: [EventStoreAdapter] = [.memory, .sqlite, .postgres]
    #if HTTP
    package static let eventStores = localEventStores + [.remote]
    #else
    package static let eventStores = localEventStores
    #endif
    package static let readModelStores: [ReadModelStoreAdapter] = [.memory, .sqlite, .postgres]

    /// The environment variables, for the help of the apps.
    package static let help = """
        DISCO_EVENT_STORE_ADAPTER       sqlite (default), postgres, \(hasRemote ? "memory or remote" : "or memory")
        DISCO_EVENT_STORE_SQLITE_PATH   the event file (default: events.sqlite); read models are stored next to it
        DISCO_EVENT_STORE_POSTGRES_URL  the database URL, for example postgresql://app@localhost/app
        \(hasRemote ? "DISCO_EVENT_STORE_REMOTE_URL    the event store server, for example https://events.example:8080\n" : "")\
        DISCO_CONFIG_FILE               a YAML or JSON file with these and other settings; the environment overrides it
        """
    private static let hasRemote = eventStores.contains { $0.name == "remote" }
}
