/// One step of the SQL that creates and changes Disco's tables: one file, embedded in the code.
public struct Migration: Sendable {
    /// The number of the step, from 1 without gaps within one kind of database.
    public let number: Int
    public let name: String
    public let sql: String

    private init(_ number: Int, _ name: String, _ bytes: [UInt8]) {
        self.number = number
        self.name = name
        sql = String(decoding: bytes, as: UTF8.self)
    }

    /// The migrations of a SQLite file that holds an event store.
    public static let sqliteEventStore = [
        Migration(1, "sqlite_0001_event_store.sql", PackageResources.sqlite_0001_event_store_sql)
    ]

    /// The migrations of a SQLite file that holds read models.
    public static let sqliteReadModels = [
        Migration(1, "sqlite_0001_read_models.sql", PackageResources.sqlite_0001_read_models_sql),
        Migration(2, "sqlite_0002_consumers.sql", PackageResources.sqlite_0002_consumers_sql),
    ]

    /// The migrations of a SQLite file that holds the members that share consumers.
    public static let sqliteMembers = [
        Migration(1, "sqlite_0001_members.sql", PackageResources.sqlite_0001_members_sql)
    ]

    /// The migrations of a PostgreSQL schema that holds an event store; the SQL names the schema `"disco"`.
    public static let postgresEventStore = [
        Migration(1, "postgres_0001_event_store.sql", PackageResources.postgres_0001_event_store_sql)
    ]

    /// The migrations of a PostgreSQL schema that holds read models; the SQL names the schema `"disco"`.
    public static let postgresReadModels = [
        Migration(1, "postgres_0001_read_models.sql", PackageResources.postgres_0001_read_models_sql),
        Migration(2, "postgres_0002_consumers.sql", PackageResources.postgres_0002_consumers_sql),
    ]
}
