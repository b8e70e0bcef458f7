#if Configuration
    package import Configuration
    import DiscoCore
    import Foundation

    /// Reads settings below `disco` and refuses a value that is not one: a setting that is silently its default is a trap.
    package struct SettingsReader {
        private let config: ConfigReader

        /// - Parameter config: the root of the configuration.
        package init(_ config: ConfigReader) { self.config = config.scoped(to: "disco") }

        package func text(_ key: String, default value: String) -> String {
            config.string(forKey: ConfigKey(key), default: value)
        }

        package func text(_ key: String) -> String? { config.string(forKey: ConfigKey(key)) }

        package func choice(_ key: String, default value: String, among allowed: [String]) throws -> String {
            let text = text(key, default: value)
            guard allowed.contains(text) else { throw Self.wrong(key, text, allowed.formatted(.list(type: .and))) }
            return text
        }

        package func flag(_ key: String, default value: Bool) throws -> Bool {
            if let flag = config.bool(forKey: ConfigKey(key)) { return flag }
            if let text = text(key) { throw Self.wrong(key, text, "true and false") }
            return value
        }

        package func seconds(_ key: String, default value: Duration) throws -> Duration {
            if let seconds = config.double(forKey: ConfigKey(key)), seconds >= 0, seconds < 1e9 {
                return .seconds(seconds)
            }
            if let text = text(key) { throw Self.wrong(key, text, "seconds, for example 2.5") }
            return value
        }

        private static func wrong(_ key: String, _ value: String, _ allowed: String) -> EventStoreError {
            EventStoreError(
                .configuration,
                "disco.\(key) (in the environment \(environmentName(of: key))) is \"\(value.prefix(80))\"; allowed are \(allowed)."
            )
        }

        private static func environmentName(of key: String) -> String {
            key.split(separator: ".").reduce("DISCO") { $0 + "_" + DerivedName.snakeCase($1).uppercased() }
        }
    }
#endif
