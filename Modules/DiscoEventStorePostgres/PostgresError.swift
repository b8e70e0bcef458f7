#if Postgres
    import DiscoCore

    /// What the server, or the way to it, reported.
    struct PostgresFailure: Error {
        var sqlState: String?
        var message: String
        /// The connection is gone: what was under way may have been done or not.
        var isLost: Bool
        /// The function of the server that reports it: messages are in whatever language the server was given.
        var source: String?

        func lost() -> PostgresFailure {
            var failure = self
            failure.isLost = true
            return failure
        }

        var isUniqueViolation: Bool { sqlState == "23505" }

        /// What was prepared does not fit the tables any more, after an ALTER TABLE by another connection ("cached plan
        /// must not change result type"), or is gone.
        var isOfStalePlan: Bool { (sqlState == "0A000" && source == "RevalidateCachedQuery") || sqlState == "26000" }

        /// Whether the same once more may succeed: deadlock, serialization, a server that became a standby.
        var mayPass: Bool { ["40001", "40P01", "25006", "57P03"].contains(sqlState) }
    }

    /// Turns what PostgreSQL reports into Disco's errors, at the adapter's border.
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
                case ("57014", _): (.busy, "The server cancelled the statement, for example for its time limit.")
                case ("53100", _): (.full, "The server's disk is full. Make room and try again.")
                case ("25006", _):
                    (.readOnly, "The server takes no changes: is it a standby? Add target_session_attrs=read-write.")
                case ("42501", _): (.readOnly, "The role may not do this. Grant it the rights on the schema.")
                case ("3F000", _), ("42P01", _), ("42883", _):
                    (.schema, "The database lacks tables or functions of the event store. Migrate it.")
                case ("54000", _): (.tooLarge, "A value is larger than PostgreSQL takes.")
                case ("XX001", _), ("XX002", _): (.corrupt, "The database is damaged.")
                case (_, "53"), (_, "57"), (_, "08"): (.unavailable, "The server cannot be used now.")
                case (_, "28"), (_, "3D"):
                    (.unavailable, "The server refuses the connection. Check role, password and database.")
                case (_, "40"), ("55P03", _): (.busy, "Conflicted with another transaction. Try again.")
                // A server that refuses a connection says so, and why, without a SQLSTATE that libpq would hand on.
                case ("", _) where failure.isLost && failure.message.contains("FATAL:"):
                    (.unavailable, "The server refuses the connection. Check role, password and database.")
                default:
                    failure.isLost
                        ? (.unavailable, "The server cannot be reached.") : (.database, "PostgreSQL reports an error.")
                }
            return EventStoreError(code, "\(advice) (\(shown(failure)))", underlying: failure)
        }

        /// What a statement of the application has brought about.
        ///
        /// - Parameter isReading: whether it ran in `read`.
        static func ofStatement(_ failure: PostgresFailure, isReading: Bool) -> any Error {
            let advice: String? =
                switch failure.sqlState {
                case "25006" where isReading: "A statement inside `read` writes. Write in a projection, or in `write`."
                case "3F000", "42P01", "42883", "42703":
                    "The statement names a table, column or function that does not exist. Tables are made in a projection's `setUp`."
                case "42601" where failure.source == "exec_parse_message":
                    "Run one statement at a time: this text holds several."
                default: nil
                }
            guard let advice else { return translate(failure) }
            return EventStoreError(.database, "\(advice) (\(shown(failure)))", underlying: failure)
        }

        private static func shown(_ failure: PostgresFailure) -> String {
            // By scalars: to Swift a carriage return and a line feed are one character.
            let line = String(
                String.UnicodeScalarView(failure.message.unicodeScalars.map { $0 == "\n" || $0 == "\r" ? " " : $0 }))
            return line + (failure.sqlState.map { ", SQLSTATE \($0)" } ?? "")
        }
    }

    extension PostgresConnection {
        /// Commits.
        ///
        /// - Throws: ``PostgresFailure`` where the transaction was undone, ``EventStoreError`` with code
        ///   ``EventStoreError/Code/outcomeUnknown`` where the connection was lost on the way.
        func commitOrDoubt() throws {
            do {
                try commit()
            } catch let failure as PostgresFailure where failure.isLost || !isAlive {
                throw EventStoreError(
                    .outcomeUnknown,
                    "The connection was lost while a change was committed: whether it was done is not known.",
                    underlying: failure)
            }
        }
    }
#endif
