#if Postgres
import DiscoCore
import Foundation

/// Runs the statements of a read model's transaction; values and results are in text format.
struct PostgresSQLConnection: SQLConnection {
    let connection: PostgresConnection
    let isReading: Bool
    /// An error of the server or the connection, not of a statement: the body may have swallowed it, or mistaken it
    /// for an error of its own.
    let trouble = Trouble()

    final class Trouble {
        var failure: PostgresFailure?
        /// Statements that are sent together, to save round trips.
        var unsent: [PostgresStatement] = []
        var unsentBytes = 0
    }

    /// So many statements are sent in one round trip, so that the answers fit into the buffers of the connection.
    private static let mostUnsent = 128
    private static let mostUnsentBytes = 64 << 10

    func execute(_ sql: SQLStatement) throws {
        if let failure = trouble.failure { throw failure }
        // A reader has nothing to send later, and BEGIN and the like are run by themselves.
        if isReading || sql.isOfTransaction {
            _ = try run(sql)
            return
        }
        let statement = statement(sql)
        trouble.unsent.append(statement)
        trouble.unsentBytes += statement.sql.utf8.count + statement.values.reduce(0) { $0 + $1.size }
        if trouble.unsent.count >= Self.mostUnsent || trouble.unsentBytes >= Self.mostUnsentBytes { try finish() }
    }

    func finish() throws {
        if trouble.unsent.isEmpty { return }
        let statements = trouble.unsent
        trouble.unsent = []
        trouble.unsentBytes = 0
        try checkTransaction()
        _ = try send(statements)
    }

    private func checkTransaction() throws {
        guard connection.isInTransaction else {
            throw EventStoreError(
                .database, "An earlier statement ended the transaction; everything in it was rolled back.")
        }
    }

    private func statement(_ sql: SQLStatement) -> PostgresStatement {
        // A literal has no type: the server infers it from the context.
        var statement = PostgresStatement(
            sql.text { "$\($0)" }, sql.values.map { $0.text.map(PostgresValue.literal) ?? .null })
        statement.format = 0
        // BEGIN and COMMIT need no plan, so preparing them saves nothing.
        statement.isPrepared = !sql.isOfTransaction
        return statement
    }

    var isImmediate: Bool { false }
    var skippingLocked: String { "FOR UPDATE SKIP LOCKED" }

    func now() throws -> Int64? {
        try SQLTransaction(self).query("SELECT disco_now() AS now").first?.value("now")
    }

    func run(_ sql: SQLStatement) throws -> SQLResult {
        if let failure = trouble.failure { throw failure }
        try finish()
        try checkTransaction()
        guard let result = try send([statement(sql)]).last else { return SQLResult() }
        let types = (0..<Int32(result.columns.count)).map(result.type)
        let rows = (0..<result.count).map { row in
            types.enumerated().map { column, type -> SQLValue in
                let column = Int32(column)
                if result.isNull(row, column) { return .null }
                return SQLValue(result.text(row, column), type: type)
            }
        }
        return SQLResult(columns: result.columns, rows: rows, changed: result.changed)
    }

    private func send(_ statements: [PostgresStatement]) throws -> [PostgresResult] {
        do {
            return try connection.run(statements)
        } catch let failure as PostgresFailure where failure.isLost || failure.mayPass || failure.isOfStalePlan {
            // A read-only cluster is a problem of the server; a read-only transaction is not.
            if isReading, failure.sqlState == "25006" {
                throw PostgresError.ofStatement(failure, isReading: true)
            }
            trouble.failure = failure
            throw failure
        } catch let failure as PostgresFailure {
            throw PostgresError.ofStatement(failure, isReading: isReading)
        }
    }
}

extension PostgresValue {
    /// About how many bytes it has.
    fileprivate var size: Int {
        if case .literal(let text) = self { text.utf8.count } else { 8 }
    }
}

extension SQLValue {
    /// The value in PostgreSQL's text format; `nil` for a null.
    fileprivate var text: String? {
        switch self {
        case .null: nil
        case .integer(let value): String(value)
        case .real(let value): String(value)
        case .text(let value): value
        case .blob(let bytes):
            "\\x" + bytes.map { ($0 < 16 ? "0" : "") + String($0, radix: 16) }.joined()
        }
    }

    /// Creates a value from PostgreSQL's text format, by the OID of its type (pg_type.dat).
    fileprivate init(_ text: String, type: UInt32) {
        switch type {
        // A sum of bigints is numeric; other numerics keep their digits as text.
        case 20, 21, 23, 26, 1700: self = Int64(text).map(SQLValue.integer) ?? .text(text)
        case 16: self = .integer(text == "t" ? 1 : 0)
        case 700, 701: self = Double(text).map(SQLValue.real) ?? .text(text)
        case 17: self = .blob(Self.bytes(text))
        case 1184: self = .text(Self.iso8601(text))
        default: self = .text(text)
        }
    }

    private static func bytes(_ text: String) -> [UInt8] {
        let digits = text.utf8.dropFirst(2).map { UInt8(Character(Unicode.Scalar($0)).hexDigitValue ?? 0) }
        return stride(from: 0, to: digits.count - 1, by: 2).map { digits[$0] << 4 | digits[$0 + 1] }
    }

    /// A time such as `2026-01-31 12:00:00.5+00`, in the form in which Disco writes times.
    private static func iso8601(_ text: String) -> String {
        let withT = String(
            decoding: text.utf8.map { $0 == UInt8(ascii: " ") ? UInt8(ascii: "T") : $0 }, as: UTF8.self)
        return Timestamp.date(from: withT).flatMap(Timestamp.text(of:)) ?? text
    }
}
#endif
