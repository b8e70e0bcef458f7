#if SQLite
    import DiscoCore
    import GRDB

    extension SQLiteError {
        /// Whether it comes from the disk, the file or other processes.
        static func isTrouble(_ error: DatabaseError) -> Bool {
            [
                .SQLITE_FULL, .SQLITE_IOERR, .SQLITE_NOMEM, .SQLITE_BUSY, .SQLITE_LOCKED, .SQLITE_CORRUPT,
                .SQLITE_CANTOPEN,
            ].contains(error.resultCode)
        }

        /// What a statement of the application has brought about.
        ///
        /// - Parameter isReading: whether it ran in `read`.
        static func ofStatement(_ error: DatabaseError, isReading: Bool) -> any Error {
            let message = error.message ?? "no message"
            switch error.resultCode {
            case .SQLITE_READONLY where isReading:
                return EventStoreError(
                    .database, "A statement inside `read` writes (\(message)). Write in a projection, or in `write`.",
                    underlying: error)
            case .SQLITE_MISUSE where message.utf8.starts(with: "Multiple".utf8):
                return EventStoreError(
                    .database, "Run one statement at a time: this text holds several.", underlying: error)
            case .SQLITE_ERROR:
                return EventStoreError(
                    .database,
                    "SQLite refuses the statement: \(message). Tables are made in a projection's `setUp`.",
                    underlying: error)
            default: return translate(error)
            }
        }
    }

    /// Turns what SQLite reports into Disco's errors, at the adapter's border.
    enum SQLiteError {
        static func translating<Result>(_ body: () throws -> Result) throws -> Result {
            do {
                return try body()
            } catch {
                throw translate(error)
            }
        }

        /// - Parameter path: named in the message, where the file itself is the trouble.
        static func translate(_ error: any Error, path: String? = nil) -> any Error {
            guard let error = error as? DatabaseError else { return error }
            if [.SQLITE_INTERRUPT, .SQLITE_ABORT].contains(error.resultCode), Task.isCancelled {
                return CancellationError()
            }
            let (code, advice): (EventStoreError.Code, String) =
                switch error.resultCode {
                case .SQLITE_BUSY, .SQLITE_LOCKED: (.busy, "Another process held the database for too long. Try again.")
                case .SQLITE_FULL: (.full, "The disk is full. Make room and try again.")
                case .SQLITE_READONLY, .SQLITE_PERM:
                    (
                        .readOnly,
                        "The database cannot be written. Check the permissions of its file and folder, and whether the disk is read-only."
                    )
                case .SQLITE_CANTOPEN:
                    (
                        .unavailable,
                        "The database file cannot be opened. Check that its folder exists and can be written."
                    )
                case .SQLITE_NOTADB, .SQLITE_CORRUPT: (.corrupt, "The file is damaged, or is no SQLite database.")
                case .SQLITE_TOOBIG: (.tooLarge, "A value is larger than SQLite takes.")
                default: (.database, "SQLite reports an error.")
                }
            return EventStoreError(
                code,
                (path.map { $0 + ": " } ?? "")
                    + "\(advice) (\(error.message ?? "no message"), SQLite code \(error.extendedResultCode.rawValue))",
                underlying: error)
        }
    }
#endif
