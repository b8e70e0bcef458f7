#if Postgres
import DiscoCore

/// An error reported by the server, or by the connection to it.
struct PostgresFailure: Error {
    var sqlState: String?
    var message: String
    /// Whether the connection is lost: running work may or may not have been done.
    var isLost: Bool
    /// The server's function that reports the error; messages are in whatever language the server is set to.
    var source: String?

    func lost() -> PostgresFailure {
        var failure = self
        failure.isLost = true
        return failure
    }

    var isUniqueViolation: Bool { sqlState == "23505" }

    /// Whether a prepared statement no longer matches the tables, after an ALTER TABLE by another connection
    /// ("cached plan must not change result type"), or no longer exists.
    var isOfStalePlan: Bool { (sqlState == "0A000" && source == "RevalidateCachedQuery") || sqlState == "26000" }

    /// Whether a retry may succeed: deadlock, serialization, a server that became a standby.
    var mayPass: Bool { ["40001", "40P01", "25006", "57P03"].contains(sqlState) }
}

/// Translates PostgreSQL's errors into Disco's, at the adapter's boundary.
enum PostgresError {
    static func translating<Result>(_ body: () throws -> Result) throws -> Result {
        do {
            return try body()
        } catch {
            throw translate(error)
        }
    }

    static func translate(_ error: any Error) -> any Error {
        guard let failure = error as? PostgresFailure else { return error }
        let state = failure.sqlState ?? ""
        let (code, advice): (EventStoreError.Code, String) =
            switch (state, state.prefix(2)) {
            case ("57014", _): (.busy, "The server cancelled the statement, for example because of a timeout.")
            case ("53100", _): (.full, "The server's disk is full. Free up space and try again.")
            case ("25006", _):
                (
                    .readOnly,
                    "The server is read-only; it may be a standby. Add target_session_attrs=read-write to the URL."
                )
            case ("42501", _): (.readOnly, "The role lacks privileges. Grant it privileges on the schema.")
            case ("3F000", _), ("42P01", _), ("42883", _):
                (.schema, "The database lacks tables or functions of this store. Migrate the database.")
            case ("54000", _): (.tooLarge, "A value is larger than PostgreSQL allows.")
            case ("XX001", _), ("XX002", _): (.corrupt, "The database is damaged.")
            case (_, "53"), (_, "57"), (_, "08"): (.unavailable, "The server is currently unavailable.")
            case (_, "28"), (_, "3D"):
                (.unavailable, "The server refused the connection. Check the role, password and database.")
            case (_, "40"), ("55P03", _): (.busy, "Conflicted with another transaction. Try again.")
            // A server that refuses a connection gives the reason without a SQLSTATE that libpq would pass on.
            case ("", _) where failure.isLost && failure.message.contains("FATAL:"):
                (.unavailable, "The server refused the connection. Check the role, password and database.")
            default:
                failure.isLost
                    ? (.unavailable, "The server cannot be reached.") : (.database, "PostgreSQL reported an error.")
            }
        return EventStoreError(code, "\(advice) (\(shown(failure)))", underlying: failure)
    }

    /// Translates an error caused by a statement of the application.
    ///
    /// - Parameter isReading: whether the statement ran in `read`.
    static func ofStatement(_ failure: PostgresFailure, isReading: Bool) -> any Error {
        let advice: String? =
            switch failure.sqlState {
            case "25006" where isReading:
                "A statement inside `read` tried to write. Write in a projection or in `write`."
            case "3F000", "42P01", "42883", "42703":
                "The statement names a table, column or function that does not exist. Create tables in a projection's `setUp`."
            case "42601" where failure.source == "exec_parse_message":
                "Run one statement at a time: this text contains several."
            default: nil
            }
        guard let advice else { return translate(failure) }
        return EventStoreError(.database, "\(advice) (\(shown(failure)))", underlying: failure)
    }

    private static func shown(_ failure: PostgresFailure) -> String {
        // By scalars: Swift treats a carriage return and a line feed as one character.
        let line = String(
            String.UnicodeScalarView(failure.message.unicodeScalars.map { $0 == "\n" || $0 == "\r" ? " " : $0 }))
        return line + (failure.sqlState.map { ", SQLSTATE \($0)" } ?? "")
    }
}

extension PostgresConnection {
    /// Commits the transaction.
    ///
    /// - Throws: ``PostgresFailure`` if the transaction was rolled back, ``EventStoreError`` with code
    ///   ``EventStoreError/Code/outcomeUnknown`` if the connection was lost during the commit.
    func commitOrDoubt() throws {
        do {
            try commit()
        } catch let failure as PostgresFailure where failure.isLost || !isAlive {
            throw EventStoreError(
                .outcomeUnknown,
                "The connection was lost during a commit; it is unknown whether the change was committed.",
                underlying: failure)
        }
    }
}
#endif
