#if Configuration
import DiscoCore

/// Finds unknown settings: a misspelled name would silently leave its setting at the default.
///
/// ```swift
/// let keys = ConfigurationKeys(eventStores: [.sqlite, .postgres], readModelStores: [.sqlite, .postgres])
/// try keys.check(environment: ProcessInfo.processInfo.environment)
/// ```
public struct ConfigurationKeys: Sendable {
    /// All known keys, sorted.
    public let known: [String]

    /// - Parameters:
    ///   - eventStores: the adapters that the app lists for its events.
    ///   - readModelStores: the adapters that the app lists for its read models.
    ///   - others: the app's own keys.
    public init(
        eventStores: [EventStoreAdapter], readModelStores: [ReadModelStoreAdapter] = [], others: [String] = []
    ) {
        let keys =
            ["disco.eventStore.adapter"] + (readModelStores.isEmpty ? [] : ["disco.readModels.adapter"])
            + eventStores.flatMap(\.keys) + readModelStores.flatMap(\.keys) + others
        known = Set(keys).sorted()
    }

    /// Rejects an environment variable that is not a setting, if its name starts like those of the settings or is
    /// close to one of them. Other variables that start with `DISCO_` belong to other programs and are ignored.
    ///
    /// - Throws: ``/DiscoCore/EventStoreError`` with code ``/DiscoCore/EventStoreError/Code/configuration``; the
    ///   message names the variable and the setting with the closest name.
    public func check(environment: [String: String]) throws {
        let names = known.map(SettingsReader.environmentName)
        let beginnings = ["DISCO_EVENT_STORE_", "DISCO_READ_MODELS_"]
        for name in environment.keys.sorted() where name.utf8.starts(with: "DISCO_".utf8) && !names.contains(name) {
            let nearest = Self.nearest(to: name, among: names)
            guard nearest != nil || beginnings.contains(where: { name.utf8.starts(with: $0.utf8) }) else {
                continue
            }
            throw Self.unknown("The environment variable \(name)", nearest)
        }
    }

    /// Rejects a key that is not a setting, for example `disco.eventStore.sqlite.paht`. Keys that are not below
    /// `disco`, or a name close to it, belong to other programs and are ignored.
    ///
    /// - Parameters:
    ///   - keys: the keys to check.
    ///   - file: the file that contains the keys.
    /// - Throws: ``/DiscoCore/EventStoreError`` with code ``/DiscoCore/EventStoreError/Code/configuration``.
    public func check(_ keys: [String], in file: String) throws {
        for key in keys.sorted() where !known.contains(key) {
            let root = String(decoding: key.utf8.prefix { $0 != UInt8(ascii: ".") }, as: UTF8.self)
            guard Self.distance(root, "disco") <= 2 else { continue }
            throw Self.unknown("The key \(key) in \(file)", Self.nearest(to: key, among: known))
        }
    }

    private static func nearest(to name: String, among known: [String]) -> String? {
        let nearest = known.map { ($0, distance($0, name)) }.min { $0.1 < $1.1 }
        return nearest.flatMap { $0.1 <= max(3, name.utf8.count / 4) ? $0.0 : nil }
    }

    private static func unknown(_ what: String, _ nearest: String?) -> EventStoreError {
        EventStoreError(
            .configuration, "\(what) is not a setting." + (nearest.map { " Did you mean \($0)?" } ?? ""))
    }

    /// The number of bytes to change, insert or delete to turn one into the other (Levenshtein distance).
    private static func distance(_ one: String, _ other: String) -> Int {
        let (one, other) = (Array(one.utf8), Array(other.utf8))
        var row = Array(0...other.count)
        for (i, byte) in one.enumerated() {
            var diagonal = row[0]
            row[0] = i + 1
            for (j, another) in other.enumerated() {
                let substituted = diagonal + (byte == another ? 0 : 1)
                diagonal = row[j + 1]
                row[j + 1] = min(substituted, row[j] + 1, row[j + 1] + 1)
            }
        }
        return row[other.count]
    }
}
#else
@available(*, unavailable, message: "Enable the `Configuration` trait in the dependency on disco to use this type.")
public struct ConfigurationKeys {}
#endif
