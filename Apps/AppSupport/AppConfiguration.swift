package import Configuration
import DiscoCore
package import DiscoEventStore
import DiscoEventStorePostgres
import DiscoEventStoreSQLite
import Foundation
import SystemPackage

/// The settings of an app: the environment, then the file that `DISCO_CONFIG_FILE` names, then the defaults.
package enum AppConfiguration {
    /// - Throws: ``EventStoreError`` with code ``EventStoreError/Code/configuration`` where the file cannot be read.
    package static func load() async throws -> ConfigReader {
        let environment = EnvironmentVariablesProvider()
        guard let path = ConfigReader(provider: environment).string(forKey: "disco.config.file") else {
            return ConfigReader(provider: environment)
        }
        do {
            switch URL(filePath: path).pathExtension {
            case "yaml", "yml":
                return ConfigReader(providers: [
                    environment, try await FileProvider<YAMLSnapshot>(filePath: FilePath(path)),
                ])
            case "json":
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
