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
    }

    var skippingLocked: String { "FOR UPDATE SKIP LOCKED" }

    func now() throws -> Int64? {
        try SQLTransaction(self).query("SELECT disco_now() AS now").first?.value("now")
    }

    func run(_ sql: SQLStatement) throws -> SQLResult {
        if let failure = trouble.failure { throw failure }
        guard connection.isInTransaction else {
            throw EventStoreError(
                .database, "An earlier statement ended the transaction; everything in it was rolled back.")
        }
        // A literal has no type: the server infers it from the context.
        var statement = PostgresStatement(
            sql.text { "$\($0)" }, sql.values.map { $0.text.map(PostgresValue.literal) ?? .null })
        statement.format = 0
        // BEGIN and COMMIT need no plan, so preparing them saves nothing.
        statement.isPrepared = !sql.isOfTransaction
        do {
            guard let result = try connection.run([statement]).last else { return SQLResult() }
            let types = (0..<Int32(result.columns.count)).map(result.type)
            let rows = (0..<result.count).map { row in
                types.enumerated().map { column, type -> SQLValue in
                    let column = Int32(column)
                    if result.isNull(row, column) { return .null }
                    return SQLValue(result.text(row, column), type: type)
                }
            }
            return SQLResult(columns: result.columns, rows: rows, changed: result.changed)
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
