#if Postgres
import CLibPQ
import DiscoCore
import Foundation

/// How to reach a PostgreSQL database; part of the settings of ``PostgresEventStore`` and
/// ``PostgresReadModelStore``.
public struct PostgresConnectionSettings: Sendable {
    /// A libpq connection URI or connection string, for example
    /// `postgresql://app@db1,db2/app?target_session_attrs=read-write&sslmode=verify-full`. Several hosts are tried
    /// in turn. It may contain a password, which can also be in the file that `PGPASSFILE` names; the password is
    /// never shown.
    public var url: String
    /// How long to wait for a connection, at least one millisecond and at most 20 days. libpq waits for whole
    /// seconds, and at least two for each host.
    public var connectTimeout = Duration.seconds(5)
    /// How long to wait for the server's response to a request, at least one millisecond and at most 20 days. An append that takes
    /// longer ends with ``/DiscoCore/OutcomeUnknown``.
    public var requestTimeout = Duration.seconds(10)
    /// Whether statements are prepared; set it to false for poolers that may run each transaction on another server
    /// connection, such as PgBouncer in transaction mode.
    public var preparesStatements = true
    /// How other processes are notified of changes.
    public var notifications = Notifications.sameURL

    public init(url: String) { self.url = url }

    /// Whether and where to LISTEN: LISTEN and NOTIFY make changes visible sooner; without them, the store polls at
    /// intervals.
    public enum Notifications: Hashable, Sendable {
        case off
        /// LISTEN uses the same URL; it needs its own server connection.
        case sameURL
        /// LISTEN uses this URL, which bypasses a pooler.
        case url(String)
    }
}

extension PostgresConnectionSettings: CustomStringConvertible, CustomDebugStringConvertible, CustomReflectable {
    /// A description without the URLs, which may contain passwords.
    public var description: String {
        "PostgresConnectionSettings(requestTimeout: \(requestTimeout), preparesStatements: \(preparesStatements))"
    }
    public var debugDescription: String { description }
    public var customMirror: Mirror { Mirror(self, children: []) }
}

extension PostgresConnectionSettings.Notifications: CustomStringConvertible, CustomDebugStringConvertible,
    CustomReflectable
{
    /// A description without the URL, which may contain a password.
    public var description: String {
        switch self {
        case .off: "off"
        case .sameURL: "sameURL"
        case .url: "url"
        }
    }
    public var debugDescription: String { description }
    public var customMirror: Mirror { Mirror(self, children: []) }
}

extension PostgresConnectionSettings {
    var options: PostgresConnection.Options {
        PostgresConnection.Options(
            // In milliseconds, they must be 32-bit integers.
            url: url, connectTimeout: connectTimeout.bounded(to: .seconds(20 * 86_400)),
            requestTimeout: requestTimeout.bounded(to: .seconds(20 * 86_400)),
            preparesStatements: preparesStatements)
    }

    /// The options of the connection that listens; `nil` if notifications are off.
    var listening: PostgresConnection.Options? {
        var options = options
        options.preparesStatements = false
        switch notifications {
        case .off: return nil
        case .sameURL: break
        case .url(let url): options.url = url
        }
        return options
    }

    /// - Throws: ``EventStoreError`` with code ``EventStoreError/Code/configuration``.
    func check() throws {
        guard requestTimeout >= .milliseconds(1), connectTimeout >= .milliseconds(1) else {
            throw EventStoreError(
                .configuration,
                "requestTimeout is \(requestTimeout) and connectTimeout is \(connectTimeout); both must be at least one millisecond."
            )
        }
        var urls = [url]
        if case .url(let other) = notifications { urls.append(other) }
        for url in urls {
            var message: UnsafeMutablePointer<CChar>?
            let parsed = PQconninfoParse(url, &message)
            defer {
                PQconninfoFree(parsed)
                PQfreemem(message)
            }
            // libpq's message may repeat parts of the URL, and with them a password.
            guard parsed != nil, !url.utf8.contains(0) else {
                throw EventStoreError(
                    .configuration,
                    "The PostgreSQL URL is malformed. Use postgresql://role@host:port/database, with special characters as %XX."
                )
            }
        }
    }
}

extension PostgresEventStore {
    public struct Settings: Sendable {
        public var connection: PostgresConnectionSettings
        /// The schema that holds the store; several stores can share a database. Lower-case letters, digits and
        /// `_`.
        public var schema: String
        /// Whether missing tables are created, and older ones migrated, when the store is opened.
        public var migrates = true
        /// The number of connections for reading, from 1 to 1000.
        public var readers = 4
        /// Whether streams may be erased permanently.
        public var allowsErasing = false
        /// Whether to accept a server that may lose acknowledged appends: `fsync`,
        /// `full_page_writes` or `synchronous_commit` off.
        public var allowsWeakDurability = false

        public init(url: String, schema: String = "disco") {
            connection = PostgresConnectionSettings(url: url)
            self.schema = schema
        }
    }
}

extension PostgresEventStore.Settings {
    var tables: PostgresSchema { PostgresSchema(name: schema) }

    /// Returns the SQL with the schema's name inserted.
    func sql(_ text: String) -> String { tables.sql(text) }

    /// - Throws: ``EventStoreError`` with code ``EventStoreError/Code/configuration``.
    func check() throws {
        try tables.check()
        try PostgresSchema.check(readers: readers)
        try connection.check()
    }
}

extension PostgresReadModelStore {
    public struct Settings: Sendable {
        public var connection: PostgresConnectionSettings
        /// The schema that holds the read models; not the schema of an event store. Lower-case letters, digits and
        /// `_`.
        public var schema: String
        /// Whether missing tables are created, and older ones migrated, when the store is opened.
        public var migrates = true
        /// The number of connections for queries and consumers, from 1 to 1000.
        public var readers = 4
        /// How long a transaction that writes may pause between two statements before the server ends it: a process
        /// that was suspended in the middle must not keep its partitions from others. Somewhat more than the lease of
        /// the consumers is a good value; at most 24 days.
        public var idleTimeout = Duration.seconds(15)

        public init(url: String, schema: String = "disco_read_models") {
            connection = PostgresConnectionSettings(url: url)
            self.schema = schema
        }
    }
}

extension PostgresReadModelStore.Settings {
    var tables: PostgresSchema { PostgresSchema(name: schema) }

    /// - Throws: ``EventStoreError`` with code ``EventStoreError/Code/configuration``.
    func check() throws {
        try tables.check()
        try PostgresSchema.check(readers: readers)
        try connection.check()
        guard idleTimeout >= .milliseconds(1), idleTimeout <= .milliseconds(Int32.max) else {
            throw EventStoreError(
                .configuration,
                "The idle timeout is \(idleTimeout). It must be at least a millisecond, and at most 24 days.")
        }
    }
}

/// The schema that contains a store's tables.
struct PostgresSchema: Sendable {
    let name: String

    /// Returns the SQL with the schema's name inserted.
    func sql(_ text: String) -> String {
        name == "disco" ? text : text.replacing("\"disco\"", with: "\"\(name)\"")
    }

    /// The channel for notifications.
    var channel: String { "disco_\(name)" }

    func check() throws {
        let allowed = name.utf8.allSatisfy { byte in
            (UInt8(ascii: "a")...UInt8(ascii: "z")).contains(byte)
                || (UInt8(ascii: "0")...UInt8(ascii: "9")).contains(byte) || byte == UInt8(ascii: "_")
        }
        guard allowed, (1...40).contains(name.utf8.count), !name.hasPrefix("pg_") else {
            throw EventStoreError(
                .configuration,
                "Invalid schema name \"\(name.prefix(80))\". Use 1 to 40 lower-case letters, digits and _, not starting with pg_."
            )
        }
    }

    static func check(readers: Int) throws {
        guard (1...1000).contains(readers) else {
            throw EventStoreError(.configuration, "Invalid number of readers: \(readers). Use 1 to 1000.")
        }
    }
}
#else
@available(*, unavailable, message: "Enable the `Postgres` trait in the dependency on disco to use this type.")
public struct PostgresConnectionSettings {}
#endif
