#if Configuration
package import Configuration
package import DiscoCore
import Foundation

/// Reads settings below `disco` and rejects invalid values: silently using the default instead is a trap.
package struct SettingsReader {
    private let config: ConfigReader

    /// - Parameter config: the root of the configuration.
    package init(_ config: ConfigReader) { self.config = config.scoped(to: "disco") }

    package func text(_ key: String, default value: String) throws -> String { try text(key) ?? value }

    /// Returns `nil` if the setting is missing.
    package func text(_ key: String) throws -> String? {
        if let text = config.string(forKey: ConfigKey(key)) { return text }
        try refuseList(key)
        if let other = config.int(forKey: ConfigKey(key)) { throw Self.wrong(key, "\(other)", "quoted strings") }
        if let other = config.double(forKey: ConfigKey(key)) {
            throw Self.wrong(key, "\(other)", "quoted strings")
        }
        if let other = config.bool(forKey: ConfigKey(key)) { throw Self.wrong(key, "\(other)", "quoted strings") }
        return nil
    }

    /// Reads several values separated by commas.
    package func list(_ key: String) throws -> [String]? {
        try text(key).map { text in
            text.split(separator: ",").map { $0.trimmingCharacters(in: .whitespaces) }.filter { !$0.isEmpty }
        }
    }

    /// Rejects a list, which has none of the requested types and would count as missing.
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

    /// Reads a value that is never shown.
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
        // Values in files are typed; environment variables are text only.
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
            "\(shown(key)) is \"\(value.prefix(80))\"; allowed values: \(allowed).")
    }

    private static func shown(_ key: String) -> String {
        "disco.\(key) (in the environment \(environmentName(of: "disco." + key)))"
    }

    static func environmentName(of key: String) -> String {
        key.split(separator: ".").map { DerivedName.snakeCase($0).uppercased() }.joined(separator: "_")
    }
}
#endif
