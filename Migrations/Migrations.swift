/// The SQL that makes and changes Disco's tables, one file per step, embedded in the code.
public struct Migration: Sendable {
    /// From 1, without a gap, within one kind of database.
    public let number: Int
    public let name: String
    public let sql: String

    private init(_ number: Int, _ name: String, _ bytes: [UInt8]) {
        self.number = number
        self.name = name
        sql = String(decoding: bytes, as: UTF8.self)
    }

    /// A SQLite file that holds an event store.
    public static let sqliteEventStore = [
        Migration(1, "sqlite_0001_event_store.sql", PackageResources.sqlite_0001_event_store_sql)
    ]

    /// A SQLite file that holds read models.
    public static let sqliteReadModels = [
        Migration(1, "sqlite_0001_read_models.sql", PackageResources.sqlite_0001_read_models_sql)
    ]

    /// A schema of PostgreSQL that holds an event store. The schema's name stands as `"disco"`.
    public static let postgresEventStore = [
        Migration(1, "postgres_0001_event_store.sql", PackageResources.postgres_0001_event_store_sql)
    ]

    /// A schema of PostgreSQL that holds read models. The schema's name stands as `"disco"`.
    public static let postgresReadModels = [
        Migration(1, "postgres_0001_read_models.sql", PackageResources.postgres_0001_read_models_sql)
    ]
}
