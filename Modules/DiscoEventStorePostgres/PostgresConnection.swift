#if Postgres
    import CLibPQ
    import DiscoCore
    import Foundation

    /// One connection to a server. It belongs to one thread at a time, and its calls block: never call it on Swift's
    /// pool.
    final class PostgresConnection {
        struct Options: Sendable {
            var url: String
            var connectTimeout: Duration
            /// How long the server may leave a request unanswered before the connection is given up.
            var requestTimeout: Duration
            /// Off for poolers that hand each transaction to another server connection.
            var preparesStatements: Bool
        }

        private let handle: OpaquePointer
        private let options: Options
        private var preparations = PostgresPreparations()
        /// Whether what was prepared no longer fits the tables.
        private var preparationsAreStale = false
        private var lastCommand = ""
        let canceller: PostgresCanceller

        /// - Throws: ``PostgresFailure``.
        init(_ options: Options) throws {
            // Later entries win, so that what the URL says goes before these.
            let defaults = [
                ("connect_timeout", String(max(2, Int((options.connectTimeout / .seconds(1)).rounded(.up))))),
                ("application_name", "disco"), ("keepalives_idle", "10"), ("keepalives_interval", "3"),
                ("tcp_user_timeout", String(Int(options.requestTimeout / .milliseconds(1)))), ("dbname", options.url),
                ("client_encoding", "UTF8"),
            ]
            let names = defaults.map { strdup($0.0) } + [nil]
            let values = defaults.map { strdup($0.1) } + [nil]
            defer { for text in names + values { free(text) } }
            let handle = names.map { UnsafePointer($0) }.withUnsafeBufferPointer { names in
                values.map { UnsafePointer($0) }.withUnsafeBufferPointer { values in
                    PQconnectdbParams(names.baseAddress, values.baseAddress, 1)
                }
            }
            // Null only where there is no memory for it; the other null where there is no connection.
            guard let handle else { throw PostgresFailure(sqlState: nil, message: "no memory", isLost: true) }
            guard PQstatus(handle) == CONNECTION_OK, let cancel = PQgetCancel(handle) else {
                defer { PQfinish(handle) }
                throw PostgresFailure(sqlState: nil, message: Self.message(handle), isLost: true)
            }
            self.handle = handle
            self.options = options
            canceller = PostgresCanceller(cancel)
            // So that a server that takes nothing in cannot hold a thread for ever: sending has the deadline of the
            // answer.
            PQsetnonblocking(handle, 1)
            // Warnings go to the server's log alone, not to standard error.
            PQsetNoticeReceiver(handle, { _, _ in }, nil)
        }

        deinit { PQfinish(handle) }

        var isAlive: Bool { PQstatus(handle) == CONNECTION_OK }

        private static func message(_ handle: OpaquePointer) -> String {
            String(cString: PQerrorMessage(handle)).trimmingCharacters(in: .whitespacesAndNewlines)
        }

        private var lost: PostgresFailure {
            PostgresFailure(sqlState: nil, message: Self.message(handle), isLost: true)
        }

        // MARK: Running statements

        /// Runs statements in one round trip: where one fails, those after it are not run. Outside an explicit
        /// transaction all of them are one.
        ///
        /// - Throws: ``PostgresFailure``; where it `isLost`, nobody knows what was done.
        @discardableResult
        func run(_ statements: [PostgresStatement], timeout: Duration? = nil) throws -> [PostgresResult] {
            try forgetStalePreparations()
            guard PQenterPipelineMode(handle) == 1 else { throw lost }
            var answers: [Answer] = []
            for statement in statements { answers += try send(statement) }
            guard PQpipelineSync(handle) == 1 else { throw lost }
            // "The client should […] call PQgetResult […] until the command queue is empty" (libpq, pipeline mode):
            // each answer ends with a null, the whole with PGRES_PIPELINE_SYNC.
            let deadline = ContinuousClock.now + (timeout ?? options.requestTimeout)
            var results: [PostgresResult] = []
            var failure: PostgresFailure?
            for answer in answers {
                while let result = try next(deadline) {
                    switch (result.status, answer) {
                    case (PGRES_COMMAND_OK, .result), (PGRES_TUPLES_OK, .result): results.append(result)
                    case (PGRES_COMMAND_OK, .preparation), (PGRES_COMMAND_OK, .deallocation): break
                    case (PGRES_COPY_IN, _), (PGRES_COPY_OUT, _), (PGRES_COPY_BOTH, _): throw Self.copying
                    case (let status, _):
                        if status != PGRES_PIPELINE_ABORTED { failure = failure ?? result.failure(lost: !isAlive) }
                        if case .preparation(let sql) = answer { preparations.forget(sql) }
                        // It is still there, and nobody knows of it.
                        if case .deallocation = answer { preparationsAreStale = true }
                    }
                }
            }
            while let result = try next(deadline), result.status != PGRES_PIPELINE_SYNC {}
            guard PQexitPipelineMode(handle) == 1 else { throw failure.map { $0.lost() } ?? lost }
            if let failure {
                if failure.isOfStalePlan { preparationsAreStale = true }
                throw failure
            }
            return results
        }

        /// Runs several statements of text alone, one after the other, in a transaction of their own unless they begin
        /// one.
        ///
        /// - Parameter timeout: how long the server may take, nil for the usual time.
        func run(script: String, timeout: Duration? = nil) throws {
            try forgetStalePreparations()
            guard PQsendQuery(handle, script) == 1 else { throw lost }
            let deadline = ContinuousClock.now + (timeout ?? options.requestTimeout)
            var failure: PostgresFailure?
            while let result = try next(deadline) {
                if [PGRES_COPY_IN, PGRES_COPY_OUT, PGRES_COPY_BOTH].contains(result.status) { throw Self.copying }
                if result.status != PGRES_COMMAND_OK, result.status != PGRES_TUPLES_OK {
                    failure = failure ?? result.failure(lost: !isAlive)
                }
                lastCommand = result.command
            }
            if let failure { throw failure }
        }

        /// Ends a transaction.
        ///
        /// - Throws: ``PostgresFailure``, also where a statement had failed and its error was swallowed: "If the
        ///   transaction is in an aborted state, COMMIT is equivalent to ROLLBACK" and no error (postgresql.org).
        func commit() throws {
            try run(script: "COMMIT")
            if lastCommand != "COMMIT" {
                throw PostgresFailure(
                    sqlState: "25P02", message: "a statement in the transaction had failed, and all of it was undone",
                    isLost: false)
            }
        }

        /// libpq waits for ever for the data of a COPY, so the connection is given up.
        private static let copying = PostgresFailure(
            sqlState: "0A000", message: "COPY is not supported: it needs a connection of its own", isLost: true)

        private func forgetStalePreparations() throws {
            guard preparationsAreStale, PQtransactionStatus(handle) == PQTRANS_IDLE else { return }
            preparationsAreStale = false
            preparations.forgetAll()
            try run(script: "DEALLOCATE ALL")
        }

        /// Whether a transaction is under way; what fails in it leaves it so, until it is rolled back.
        var isInTransaction: Bool { [PQTRANS_INTRANS, PQTRANS_INERROR].contains(PQtransactionStatus(handle)) }

        private enum Answer {
            case preparation(String)
            case deallocation
            case result
        }

        func run(_ sql: String, _ values: [PostgresValue] = [], timeout: Duration? = nil) throws -> PostgresResult {
            guard let result = try run([PostgresStatement(sql, values)], timeout: timeout).last else { throw lost }
            return result
        }

        /// Which answers will come.
        private func send(_ statement: PostgresStatement) throws -> [Answer] {
            let parameters = PostgresParameters(statement.values)
            guard options.preparesStatements, statement.isPrepared,
                statement.sql.utf8.count <= PostgresPreparations.longest,
                // What can still be said then, ROLLBACK TO, must not wait for a DEALLOCATE that cannot.
                PQtransactionStatus(handle) != PQTRANS_INERROR
            else {
                let sent = parameters.withPointers { types, values, lengths, formats, count in
                    PQsendQueryParams(handle, statement.sql, count, types, values, lengths, formats, statement.format)
                }
                guard sent == 1 else { throw lost }
                return [.result]
            }
            var answers: [Answer] = []
            let plan = preparations.plan(statement.sql)
            for name in plan.deallocate {
                guard PQsendQueryParams(handle, "DEALLOCATE \(name)", 0, nil, nil, nil, nil, 0) == 1 else { throw lost }
                answers.append(.deallocation)
            }
            if !plan.isPrepared {
                let sent = parameters.withPointers { types, _, _, _, count in
                    PQsendPrepare(handle, plan.name, statement.sql, count, types)
                }
                guard sent == 1 else { throw lost }
                answers.append(.preparation(statement.sql))
            }
            answers.append(.result)
            let sent = parameters.withPointers { _, values, lengths, formats, count in
                PQsendQueryPrepared(handle, plan.name, count, values, lengths, formats, statement.format)
            }
            guard sent == 1 else { throw lost }
            return answers
        }

        /// The next result, nil at the end of a statement's.
        private func next(_ deadline: ContinuousClock.Instant) throws -> PostgresResult? {
            while true {
                let isSending = PQflush(handle) == 1
                guard isSending || PQisBusy(handle) == 1 else { break }
                guard try waitForInput(until: deadline, orRoom: isSending) else {
                    throw PostgresFailure(
                        sqlState: nil, message: "the server did not answer in time",
                        isLost: true)
                }
            }
            return PQgetResult(handle).map(PostgresResult.init)
        }

        // MARK: Notifications

        /// Waits for something to come from the server and takes it in; false at the deadline.
        ///
        /// - Parameter orRoom: or for the server to take in more of what is being sent to it.
        func waitForInput(until deadline: ContinuousClock.Instant, orRoom: Bool = false) throws -> Bool {
            let left = deadline - ContinuousClock.now
            var descriptor = pollfd(
                fd: PQsocket(handle), events: Int16(orRoom ? POLLIN | POLLOUT : POLLIN), revents: 0)
            guard descriptor.fd >= 0 else { throw lost }
            let ready = poll(&descriptor, 1, Int32(max(0, min(left / .milliseconds(1), 1e9)).rounded(.up)))
            if ready == 0 { return false }
            guard ready > 0 || errno == EINTR else { throw lost }
            let isInput = Int32(descriptor.revents) & ~POLLOUT != 0
            guard !isInput || PQconsumeInput(handle) == 1 else { throw lost }
            return true
        }

        /// Whether any notification has come since the last call.
        func takeNotifications() -> Bool {
            var any = false
            while let notification = PQnotifies(handle) {
                PQfreemem(notification)
                any = true
            }
            return any
        }
    }

    /// Cancels what runs on a connection, from another thread.
    ///
    /// `@unchecked Sendable`: "PQcancel […] can be called from any thread" holds for an object that PQgetCancel made,
    /// which is never changed after that, and freed when nobody refers to it any more.
    final class PostgresCanceller: @unchecked Sendable {
        private let handle: OpaquePointer

        fileprivate init(_ handle: OpaquePointer) { self.handle = handle }

        deinit { PQfreeCancel(handle) }

        /// Blocks until the server has taken the request.
        func cancel() {
            withUnsafeTemporaryAllocation(of: CChar.self, capacity: 256) { buffer in
                _ = PQcancel(handle, buffer.baseAddress, Int32(buffer.count))
            }
        }
    }
#endif
