/// A transaction of a read model store. It must not leave the closure that receives it.
public struct SQLTransaction {
    private let connection: any SQLConnection
    private let tables: GenerationTables

    public init(_ connection: any SQLConnection) { self.init(connection, GenerationTables(nil)) }

    init(_ connection: any SQLConnection, _ tables: GenerationTables) {
        self.connection = connection
        self.tables = tables
    }

    /// Runs one statement.
    ///
    /// - Throws: ``EventStoreError``: what the database reports, or ``EventStoreError/Code/invalidArgument`` for a
    ///   value that it could not return, and for a statement that would begin or end a transaction.
    ///
    /// On PostgreSQL it may be sent together with later statements, so that its error is thrown by one of them, or when
    /// the transaction ends.
    public func execute(_ sql: SQLStatement) throws {
        try sql.check()
        try connection.execute(try sql.resolved { try tables.name(of: $0, connection) })
    }

    /// Runs one statement and returns its rows.
    public func query(_ sql: SQLStatement) throws -> [SQLRow] {
        try run(sql).named
    }

    /// Runs one statement and returns its full result: rows, and how many rows it changed.
    public func run(_ sql: SQLStatement) throws -> SQLResult {
        try sql.check()
        return try connection.run(try sql.resolved { try tables.name(of: $0, connection) })
    }

    /// Whether an error is thrown by the statement that causes it, and not by a later one.
    package var isImmediate: Bool { connection.isImmediate }

    /// Runs `body`; if it throws, its changes are rolled back and the transaction continues.
    package func isolated(_ body: () throws -> Void) throws {
        _ = try connection.run("SAVEPOINT disco_part")
        do {
            try body()
            try connection.finish()
        } catch {
            _ = try connection.run("ROLLBACK TO SAVEPOINT disco_part")
            _ = try connection.run("RELEASE SAVEPOINT disco_part")
            throw error
        }
        _ = try connection.run("RELEASE SAVEPOINT disco_part")
    }
}

@available(*, unavailable)
extension SQLTransaction: Sendable {}

/// Which generation of a projection's tables a transaction uses.
final class GenerationTables {
    /// `nil` for the live one.
    private let generation: Int?
    /// The live generations, once they are known: as of this transaction, however many statements it has.
    private var live: [String: Int]?
    /// The names of tables that were used.
    private(set) var used: Set<String> = []

    init(_ generation: Int?) { self.generation = generation }

    fileprivate func name(of table: SQLStatement.TableReference, _ connection: any SQLConnection) throws -> String {
        if table.isTable { used.insert(table.name) }
        if let generation { return TableName.of(table.name, generation) }
        let live = try self.live ?? ConsumerTables(connection).liveTables()
        self.live = live
        return TableName.of(table.name, live[table.name] ?? 1)
    }
}

/// The connection that an adapter gives to an ``SQLTransaction``.
public protocol SQLConnection {
    /// Runs one statement with its values bound.
    func run(_ sql: SQLStatement) throws -> SQLResult

    /// Runs one statement whose rows nobody looks at. It may be sent later, but before any other statement that is run.
    func execute(_ sql: SQLStatement) throws

    /// Sends what was not sent yet, and throws the first error.
    func finish() throws

    /// Whether every statement is run at once, so that its error is not thrown by a later one.
    var isImmediate: Bool { get }

    /// What ends a `SELECT` so that it locks its rows, and leaves out those that another transaction has locked; empty
    /// where only one transaction writes at a time.
    var skippingLocked: String { get }

    /// The database's time in microseconds since 1970; `nil` if it has none of its own, because all that use it are on
    /// the same machine.
    func now() throws -> Int64?
}

extension SQLConnection {
    public func execute(_ sql: SQLStatement) throws { _ = try run(sql) }
    public func finish() throws {}
    public var isImmediate: Bool { true }
    public var skippingLocked: String { "" }
    public func now() throws -> Int64? { nil }
}

/// The result of a statement.
public struct SQLResult: Sendable {
    public var columns: [String]
    public var rows: [[SQLValue]]
    /// How many rows it changed, added or removed.
    public var changed: Int

    public init(columns: [String] = [], rows: [[SQLValue]] = [], changed: Int = 0) {
        self.columns = columns
        self.rows = rows
        self.changed = changed
    }

    /// The rows, with their values by column.
    var named: [SQLRow] { rows.map { SQLRow(columns: columns, values: $0) } }
}

/// One row of a result.
public struct SQLRow: Hashable, Sendable {
    public let columns: [String]
    public let values: [SQLValue]

    /// The value of a column, as the requested type.
    ///
    /// - Throws: ``EventStoreError`` if there is no such column, or its value does not fit the type.
    public func value<Value: SQLConvertible>(_ column: String, as type: Value.Type = Value.self) throws -> Value {
        guard let place = columns.firstIndex(where: { ExactText.areEqual($0, column) }) else {
            throw EventStoreError(
                .database, "There is no column \(column). The columns are: \(columns.joined(separator: ", ")).")
        }
        guard let value = Value(sqlValue: values[place]) else {
            let remedy = values[place] == .null ? " Read it as \(type)?." : ""
            throw EventStoreError(
                .database, "The column \(column) holds \(values[place]), which does not fit \(type).\(remedy)")
        }
        return value
    }
}
