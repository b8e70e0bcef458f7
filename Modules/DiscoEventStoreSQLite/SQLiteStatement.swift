#if SQLite
import DiscoCore
import Foundation
import GRDB
import GRDBSQLite

/// A statement that is run through SQLite's C API, for the loop that every append goes through: with GRDB's
/// arguments and rows, an append took twice as long.
///
/// The handle belongs to GRDB's cache of the connection, and is valid inside the transaction in which it was
/// obtained.
struct SQLiteStatement {
    private let db: Database
    /// Keeps the handle alive if the cache drops it.
    private let statement: Statement
    private let handle: OpaquePointer

    init(_ db: Database, _ sql: String) throws { self.init(db, try db.cachedStatement(sql: sql)) }

    init(_ db: Database, _ statement: Statement) {
        self.db = db
        self.statement = statement
        handle = statement.sqliteStatement
    }

    enum Value {
        case null
        case integer(Int64)
        case real(Double)
        case text(String)
        /// Text in UTF-8.
        case bytes([UInt8])
        case blob([UInt8])
        case uuid(UUID)
    }

    /// Runs the statement and returns its rows as they are stored, with the current names of the columns, which
    /// another connection's ALTER TABLE may have changed since the statement was prepared.
    func all(_ values: [Value]) throws -> (columns: [String], rows: [[SQLValue]]) {
        try bind(values)
        defer { sqlite3_reset(handle) }
        var rows: [[SQLValue]] = []
        while try step() {
            let columns = SQLiteColumns(handle: handle)
            rows.append((0..<sqlite3_column_count(handle)).map(columns.value))
        }
        let names = (0..<sqlite3_column_count(handle)).map { column in
            sqlite3_column_name(handle, column).map { String(cString: $0) } ?? ""
        }
        return (names, rows)
    }

    /// Runs the statement and returns the result of `body` for its first row; `nil` if there is none.
    func first<Result>(_ values: Value..., row body: (SQLiteColumns) throws -> Result) throws -> Result? {
        try bind(values)
        defer { sqlite3_reset(handle) }
        return try step() ? try body(SQLiteColumns(handle: handle)) : nil
    }

    func run(_ values: Value...) throws {
        try bind(values)
        defer { sqlite3_reset(handle) }
        _ = try step()
    }

    private func step() throws -> Bool {
        switch sqlite3_step(handle) {
        case SQLITE_ROW: return true
        case SQLITE_DONE: return false
        case let code: throw DatabaseError(resultCode: ResultCode(rawValue: code), message: db.lastErrorMessage)
        }
    }

    private func bind(_ values: [Value]) throws {
        for (index, value) in values.enumerated() {
            let place = Int32(index + 1)
            let code =
                switch value {
                case .null: sqlite3_bind_null(handle, place)
                case .integer(let integer): sqlite3_bind_int64(handle, place, integer)
                case .real(let number): sqlite3_bind_double(handle, place, number)
                case .blob(let bytes):
                    bytes.withUnsafeBytes { buffer in
                        // As with text, a null pointer would mean NULL.
                        buffer.isEmpty
                            ? sqlite3_bind_zeroblob(handle, place, 0)
                            : sqlite3_bind_blob(handle, place, buffer.baseAddress, Int32(buffer.count), Self.copied)
                    }
                case .text(var text):
                    text.withUTF8 { Self.bindText(handle, place, UnsafeRawBufferPointer($0)) }
                case .bytes(let bytes):
                    bytes.withUnsafeBytes { Self.bindText(handle, place, $0) }
                case .uuid(let uuid):
                    withUnsafeBytes(of: uuid.uuid) {
                        sqlite3_bind_blob(handle, place, $0.baseAddress, Int32($0.count), Self.copied)
                    }
                }
            if code != SQLITE_OK {
                throw DatabaseError(resultCode: ResultCode(rawValue: code), message: db.lastErrorMessage)
            }
        }
    }

    private static func bindText(_ handle: OpaquePointer, _ place: Int32, _ bytes: UnsafeRawBufferPointer) -> Int32 {
        // The length in bytes, without a NUL; "If the third parameter to sqlite3_bind_text() is a NULL pointer then
        // […] the effect is the same as sqlite3_bind_null()" (sqlite.org), which must not happen to an empty text.
        guard let start = bytes.baseAddress else { return sqlite3_bind_text(handle, place, "", 0, copied) }
        return sqlite3_bind_text(
            handle, place, start.assumingMemoryBound(to: CChar.self), Int32(bytes.count), copied)
    }

    /// SQLITE_TRANSIENT, "a constant pointer value -1" that Swift does not import: SQLite copies the bytes.
    private static var copied: sqlite3_destructor_type { unsafeBitCast(-1, to: sqlite3_destructor_type.self) }
}

/// The columns of a statement's current row.
struct SQLiteColumns {
    fileprivate let handle: OpaquePointer

    func integer(_ column: Int32) -> Int64 { sqlite3_column_int64(handle, column) }
    func isTrue(_ column: Int32) -> Bool { integer(column) != 0 }

    func value(_ column: Int32) -> SQLValue {
        switch sqlite3_column_type(handle, column) {
        case SQLITE_INTEGER: .integer(integer(column))
        case SQLITE_FLOAT: .real(sqlite3_column_double(handle, column))
        case SQLITE_TEXT: .text(text(column))
        case SQLITE_BLOB:
            .blob(
                sqlite3_column_blob(handle, column).map { start in
                    [UInt8](UnsafeRawBufferPointer(start: start, count: Int(sqlite3_column_bytes(handle, column))))
                } ?? [])
        default: .null
        }
    }

    func text(_ column: Int32) -> String {
        guard let start = sqlite3_column_text(handle, column) else { return "" }
        let bytes = UnsafeBufferPointer(start: start, count: Int(sqlite3_column_bytes(handle, column)))
        return String(decoding: bytes, as: UTF8.self)
    }
}
#endif
