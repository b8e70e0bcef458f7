/// A transaction of a read model store. It stays inside the closure that received it.
public struct SQLTransaction {
    private let connection: any SQLConnection

    public init(_ connection: any SQLConnection) { self.connection = connection }

    public func execute(_ sql: SQL) throws { _ = try connection.run(sql) }

    public func query(_ sql: SQL) throws -> [Row] {
        let result = try connection.run(sql)
        return result.rows.map { Row(columns: result.columns, values: $0) }
    }
}

@available(*, unavailable)
extension SQLTransaction: Sendable {}

/// What an adapter gives to a ``SQLTransaction``.
public protocol SQLConnection {
    /// Runs one statement with its values bound.
    func run(_ sql: SQL) throws -> (columns: [String], rows: [[SQLValue]])
}

/// One row of a result.
public struct Row: Hashable, Sendable {
    public let columns: [String]
    public let values: [SQLValue]

    /// The value of a column, in the type that is asked for.
    ///
    /// - Throws: ``EventStoreError`` where there is no such column, or its value is of another kind.
    public func value<Value: SQLConvertible>(_ column: String, as type: Value.Type = Value.self) throws -> Value {
        guard let place = columns.firstIndex(of: column) else {
            throw EventStoreError(
                .database, "There is no column \(column); there are \(columns.joined(separator: ", ")).")
        }
        guard let value = Value(sqlValue: values[place]) else {
            throw EventStoreError(.database, "The column \(column) holds \(values[place]), which is no \(type).")
        }
        return value
    }
}
