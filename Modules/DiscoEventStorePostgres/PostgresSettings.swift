#if Postgres
    import CLibPQ
    import DiscoCore
    import Foundation

    /// How to reach a PostgreSQL database: what the settings of ``PostgresEventStore`` and ``PostgresReadModelStore`` have in
    /// common.
    public struct PostgresConnectionSettings: Sendable {
        /// A connection URI or string of libpq, for example
        /// `postgresql://app@db1,db2/app?target_session_attrs=read-write&sslmode=verify-full`. Several hosts are tried
        /// in turn. A password may stand in it, or in the file that `PGPASSFILE` names; it is never shown.
        public var url: String
        /// At most 20 days, as ``requestTimeout``.
        public var connectTimeout = Duration.seconds(5)
        /// How long the server may leave a request unanswered, at least a millisecond. An append that takes longer ends as
        /// ``/DiscoCore/OutcomeUnknown``.
        public var requestTimeout = Duration.seconds(10)
        /// Off for poolers that hand each transaction to another server connection, such as PgBouncer in transaction
        /// mode.
        public var preparesStatements = true
        /// How other processes are told of changes.
        public var notifications = Notifications.sameURL

        public init(url: String) { self.url = url }

        /// LISTEN and NOTIFY shorten the wait for what is new; without them it is asked for at intervals.
        public enum Notifications: Hashable, Sendable {
            case off
            /// LISTEN needs a server connection of its own.
            case sameURL
            /// LISTEN goes past a pooler.
            case url(String)
        }
    }

    extension PostgresConnectionSettings: CustomStringConvertible, CustomDebugStringConvertible, CustomReflectable {
        /// Without the URLs, which may hold passwords.
        public var description: String {
            "PostgresConnectionSettings(requestTimeout: \(requestTimeout), preparesStatements: \(preparesStatements))"
        }
        public var debugDescription: String { description }
        public var customMirror: Mirror { Mirror(self, children: []) }
    }

    extension PostgresConnectionSettings.Notifications: CustomStringConvertible, CustomDebugStringConvertible,
        CustomReflectable
    {
        /// Without the URL, which may hold a password.
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
                // In milliseconds they must be 32-bit integers.
                url: url, connectTimeout: connectTimeout.bounded(to: .seconds(20 * 86_400)),
                requestTimeout: requestTimeout.bounded(to: .seconds(20 * 86_400)),
                preparesStatements: preparesStatements)
        }

        /// Of the connection that listens; nil where none does.
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
            guard requestTimeout >= .milliseconds(1), connectTimeout > .zero else {
                throw EventStoreError(
                    .configuration,
                    "requestTimeout is \(requestTimeout) and connectTimeout \(connectTimeout); both must be at least a millisecond."
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
                // What libpq says may repeat parts of the URL, and with them a password.
                guard parsed != nil, !url.utf8.contains(0) else {
                    throw EventStoreError(
                        .configuration,
                        "The URL of PostgreSQL is malformed; write postgresql://role@host:port/database, special characters as %XX."
                    )
                }
            }
        }
    }

    extension PostgresEventStore {
        public struct Settings: Sendable {
            public var connection: PostgresConnectionSettings
            /// The schema that holds the store; several stores may share a database. Lower-case letters, digits and `_`.
            public var schema: String
            /// Whether missing tables are made, and older ones migrated, when the store is opened.
            public var migrates = true
            /// Connections for reading, from 1 to 1000.
            public var readers = 4
            /// Whether streams may be blanked for good.
            public var allowsErasing = false
            /// Whether a server is accepted that may lose acknowledged appends: `fsync` or `synchronous_commit` off.
            public var allowsWeakDurability = false

            public init(url: String, schema: String = "disco") {
                connection = PostgresConnectionSettings(url: url)
                self.schema = schema
            }
        }
    }

    extension PostgresEventStore.Settings {
        var tables: PostgresSchema { PostgresSchema(name: schema) }

        /// SQL with the schema's name in its place.
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
            /// The schema that holds the read models, another than that of an event store. Lower-case letters, digits and
            /// `_`.
            public var schema: String
            /// Whether missing tables are made, and older ones migrated, when the store is opened.
            public var migrates = true
            /// Connections for queries and consumers, from 1 to 1000.
            public var readers = 4

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
        }
    }

    /// The schema of a store, by whose name its tables are found.
    struct PostgresSchema: Sendable {
        let name: String

        /// SQL with the schema's name in its place.
        func sql(_ text: String) -> String {
            name == "disco" ? text : text.replacing("\"disco\"", with: "\"\(name)\"")
        }

        /// Where notifications go.
        var channel: String { "disco_\(name)" }

        func check() throws {
            let allowed = name.utf8.allSatisfy { byte in
                (UInt8(ascii: "a")...UInt8(ascii: "z")).contains(byte)
                    || (UInt8(ascii: "0")...UInt8(ascii: "9")).contains(byte) || byte == UInt8(ascii: "_")
            }
            guard allowed, (1...40).contains(name.utf8.count), !name.hasPrefix("pg_") else {
                throw EventStoreError(
                    .configuration,
                    "The schema \"\(name.prefix(80))\" is not of 1 to 40 lower-case letters, digits and _, or begins with pg_."
                )
            }
        }

        static func check(readers: Int) throws {
            guard (1...1000).contains(readers) else {
                throw EventStoreError(.configuration, "There must be 1 to 1000 readers, not \(readers).")
            }
        }
    }
#else
    @available(*, unavailable, message: "Enable the `Postgres` trait in the dependency on disco to use this type.")
    public struct PostgresConnectionSettings {}
#endif
