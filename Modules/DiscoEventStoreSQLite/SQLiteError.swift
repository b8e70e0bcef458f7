#if SQLite
import DiscoCore
import GRDB

extension SQLiteError {
    /// Whether the error comes from the disk, the file or other processes.
    static func isTrouble(_ error: DatabaseError) -> Bool {
        [
            .SQLITE_FULL, .SQLITE_IOERR, .SQLITE_NOMEM, .SQLITE_BUSY, .SQLITE_LOCKED, .SQLITE_CORRUPT,
            .SQLITE_CANTOPEN,
        ].contains(error.resultCode)
    }

    /// Translates an error caused by a statement of the application.
    ///
    /// - Parameter isReading: whether the statement ran in `read`.
    static func ofStatement(_ error: DatabaseError, isReading: Bool) -> any Error {
        let message = error.message ?? "no message"
        switch error.resultCode {
        case .SQLITE_READONLY where isReading:
            return EventStoreError(
                .database,
                "A statement inside `read` tried to write (\(message)). Write in a projection or in `write`.",
                underlying: error)
        case .SQLITE_MISUSE where message.utf8.starts(with: "Multiple".utf8):
            return EventStoreError(
                .database, "Run one statement at a time: this text contains several.", underlying: error)
        case .SQLITE_ERROR:
            return EventStoreError(
                .database,
                "SQLite rejected the statement: \(message). Create tables in a projection's `setUp`.",
                underlying: error)
        default: return translate(error)
        }
    }
}

/// Translates SQLite's errors into Disco's, at the adapter's boundary.
enum SQLiteError {
    static func translating<Result>(_ body: () throws -> Result) throws -> Result {
        do {
            return try body()
        } catch {
            throw translate(error)
        }
    }

    /// - Parameter path: the file's path, which the message names if the file itself is the problem.
    static func translate(_ error: any Error, path: String? = nil) -> any Error {
        guard let error = error as? DatabaseError else { return error }
        if [.SQLITE_INTERRUPT, .SQLITE_ABORT].contains(error.resultCode), Task.isCancelled {
            return CancellationError()
        }
        let (code, advice): (EventStoreError.Code, String) =
            switch error.resultCode {
            case .SQLITE_BUSY, .SQLITE_LOCKED:
                (.busy, "Another process locked the database for too long. Try again.")
            case .SQLITE_FULL: (.full, "The disk is full. Free up space and try again.")
            case .SQLITE_READONLY, .SQLITE_PERM:
                (
                    .readOnly,
                    "The database is not writable. Check the permissions of its file and folder, and whether the disk is read-only."
                )
            case .SQLITE_CANTOPEN:
                (
                    .unavailable,
                    "The database file cannot be opened. Check that its folder exists and is writable."
                )
            case .SQLITE_NOTADB, .SQLITE_CORRUPT: (.corrupt, "The file is damaged, or not a SQLite database.")
            case .SQLITE_TOOBIG: (.tooLarge, "A value is larger than SQLite allows.")
            default: (.database, "SQLite reported an error.")
            }
        return EventStoreError(
            code,
            (path.map { $0 + ": " } ?? "")
                + "\(advice) (\(error.message ?? "no message"), SQLite code \(error.extendedResultCode.rawValue))",
            underlying: error)
    }
}
#endif
