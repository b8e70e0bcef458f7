#if Postgres
    import DiscoCore

    /// What the server, or the way to it, reported.
    struct PostgresFailure: Error {
        var sqlState: String?
        var message: String
        /// The connection is gone: what was under way may have been done or not.
        var isLost: Bool

        func lost() -> PostgresFailure {
            var failure = self
            failure.isLost = true
            return failure
        }

        var isUniqueViolation: Bool { sqlState == "23505" }

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
                    (.schema, "The database lacks the event store's tables. Migrate it.")
                case ("54000", _): (.tooLarge, "A value is larger than PostgreSQL takes.")
                case ("XX001", _), ("XX002", _): (.corrupt, "The database is damaged.")
                case (_, "53"), (_, "57"), (_, "08"): (.unavailable, "The server cannot be used now.")
                case (_, "28"), (_, "3D"):
                    (.unavailable, "The server refuses the connection. Check role, password and database.")
                case (_, "40"), ("55P03", _): (.busy, "Others stood in the way. Try again.")
                default:
                    failure.isLost
                        ? (.unavailable, "The server cannot be reached.") : (.database, "PostgreSQL reports an error.")
                }
            let shown = failure.message.replacing("\n", with: " ")
            return EventStoreError(
                code, "\(advice) (\(shown)\(state.isEmpty ? "" : ", SQLSTATE \(state)"))", underlying: failure)
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
