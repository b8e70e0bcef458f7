#if Configuration
    package import Configuration
    package import DiscoCore
    import Foundation

    /// Reads settings below `disco` and refuses a value that is not one: a setting that is silently its default is a
    /// trap.
    package struct SettingsReader {
        private let config: ConfigReader

        /// - Parameter config: the root of the configuration.
        package init(_ config: ConfigReader) { self.config = config.scoped(to: "disco") }

        package func text(_ key: String, default value: String) throws -> String { try text(key) ?? value }

        /// Nil where there is none.
        package func text(_ key: String) throws -> String? {
            if let text = config.string(forKey: ConfigKey(key)) { return text }
            try refuseList(key)
            if let other = config.int(forKey: ConfigKey(key)) { throw Self.wrong(key, "\(other)", "texts, in quotes") }
            if let other = config.double(forKey: ConfigKey(key)) {
                throw Self.wrong(key, "\(other)", "texts, in quotes")
            }
            if let other = config.bool(forKey: ConfigKey(key)) { throw Self.wrong(key, "\(other)", "texts, in quotes") }
            return nil
        }

        /// A list is none of the types that are asked for, and would count as missing.
        private func refuseList(_ name: String) throws {
            let key = ConfigKey(name)
            let isList =
                config.stringArray(forKey: key) != nil || config.intArray(forKey: key) != nil
                || config.doubleArray(forKey: key) != nil || config.boolArray(forKey: key) != nil
            if isList {
                throw EventStoreError(
                    .configuration, "\(Self.shown(name)) is a list; it must be one value.")
            }
        }

        /// A value that is never shown.
        package func secret(_ key: String) throws -> String? {
            if let text = config.string(forKey: ConfigKey(key), isSecret: true) { return text }
            try refuseList(key)
            return nil
        }

        package func number(_ key: String, default value: Int, in range: ClosedRange<Int>) throws -> Int {
            let typed = config.int(forKey: ConfigKey(key))
            guard let text = try typed.map({ String($0) }) ?? text(key) else { return value }
            guard let number = typed ?? Int(text), range.contains(number) else {
                throw Self.wrong(key, text, "whole numbers from \(range.lowerBound) to \(range.upperBound)")
            }
            return number
        }

        package func choice(_ key: String, default value: String, among allowed: [String]) throws -> String {
            let text = try text(key, default: value)
            guard allowed.contains(text) else { throw Self.wrong(key, text, allowed.formatted(.list(type: .and))) }
            return text
        }

        package func flag(_ key: String, default value: Bool) throws -> Bool {
            // Files have types of their own, the environment has text alone.
            if let flag = config.bool(forKey: ConfigKey(key)) { return flag }
            guard let text = try text(key) else { return value }
            guard let flag = Bool(text) else { throw Self.wrong(key, text, "true and false") }
            return flag
        }

        package func seconds(_ key: String, default value: Duration) throws -> Duration {
            let typed = config.double(forKey: ConfigKey(key))
            guard let text = try typed.map({ String($0) }) ?? text(key) else { return value }
            guard let seconds = typed ?? Double(text), seconds >= 0, seconds < 1e9 else {
                throw Self.wrong(key, text, "seconds, for example 2.5")
            }
            return .seconds(seconds)
        }

        package static func missing(_ key: String, _ form: String) -> EventStoreError {
            EventStoreError(
                .configuration,
                "\(shown(key)) is missing; it has the form \(form).")
        }

        private static func wrong(_ key: String, _ value: String, _ allowed: String) -> EventStoreError {
            EventStoreError(
                .configuration,
                "\(shown(key)) is \"\(value.prefix(80))\"; allowed are \(allowed).")
        }

        private static func shown(_ key: String) -> String {
            "disco.\(key) (in the environment \(environmentName(of: "disco." + key)))"
        }

        static func environmentName(of key: String) -> String {
            key.split(separator: ".").map { DerivedName.snakeCase($0).uppercased() }.joined(separator: "_")
        }
    }
#endif
