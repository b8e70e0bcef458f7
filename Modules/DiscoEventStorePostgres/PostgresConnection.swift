#if Postgres
import CLibPQ
import DiscoCore
import Foundation

/// A connection to a server. It belongs to one thread at a time, and its calls block: never call it on Swift's
/// pool.
final class PostgresConnection {
    struct Options: Sendable {
        var url: String
        var connectTimeout: Duration
        /// How long to wait for a response from the server before the connection is given up.
        var requestTimeout: Duration
        /// False for poolers that may run each transaction on another server connection.
        var preparesStatements: Bool
    }

    private let handle: OpaquePointer
    private let options: Options
    private var preparations = PostgresPreparations()
    /// Whether prepared statements no longer match the tables.
    private var preparationsAreStale = false
    private var lastCommand = ""
    let canceller: PostgresCanceller

    /// - Throws: ``PostgresFailure``.
    init(_ options: Options) throws {
        // Later entries win, so the URL overrides the entries before it.
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
        // The handle is null only if there is no memory for it, the canceller if there is no connection.
        guard let handle else { throw PostgresFailure(sqlState: nil, message: "out of memory", isLost: true) }
        guard PQstatus(handle) == CONNECTION_OK, let cancel = PQgetCancel(handle) else {
            defer { PQfinish(handle) }
            throw PostgresFailure(sqlState: nil, message: Self.message(handle), isLost: true)
        }
        self.handle = handle
        self.options = options
        canceller = PostgresCanceller(cancel)
        // Nonblocking, so that a server that does not read cannot block a thread forever: sending has the deadline
        // of the response.
        PQsetnonblocking(handle, 1)
        // Warnings go only to the server's log, not to standard error.
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

    /// Runs statements in one round trip; if one fails, those after it are not run. Outside an explicit
    /// transaction, all of them form one transaction.
    ///
    /// - Throws: ``PostgresFailure``; if it `isLost`, it is unknown what was done.
    @discardableResult
    func run(_ statements: [PostgresStatement], timeout: Duration? = nil) throws -> [PostgresResult] {
        try forgetStalePreparations()
        guard PQenterPipelineMode(handle) == 1 else { throw lost }
        var answers: [Answer] = []
        for statement in statements { answers += try send(statement) }
        guard PQpipelineSync(handle) == 1 else { throw lost }
        // "The client should […] call PQgetResult […] until the command queue is empty" (libpq, pipeline mode):
        // each response ends with a null, the pipeline with PGRES_PIPELINE_SYNC.
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
                    // The statement still exists, but is no longer tracked.
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

    /// Runs several statements without parameters, one after the other, in one transaction unless they begin their
    /// own.
    ///
    /// - Parameter timeout: how long the server may take; `nil` for the default.
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

    /// Commits the transaction.
    ///
    /// - Throws: ``PostgresFailure``, also if a statement failed and its error was swallowed: "If the transaction
    ///   is in an aborted state, COMMIT is equivalent to ROLLBACK" and no error (postgresql.org).
    func commit() throws {
        try run(script: "COMMIT")
        if lastCommand != "COMMIT" {
            throw PostgresFailure(
                sqlState: "25P02",
                message: "a statement in the transaction failed, so the whole transaction was rolled back",
                isLost: false)
        }
    }

    /// libpq waits forever for the data of a COPY, so the connection is given up.
    private static let copying = PostgresFailure(
        sqlState: "0A000", message: "COPY is not supported: it requires its own connection", isLost: true)

    private func forgetStalePreparations() throws {
        guard preparationsAreStale, PQtransactionStatus(handle) == PQTRANS_IDLE else { return }
        preparationsAreStale = false
        preparations.forgetAll()
        try run(script: "DEALLOCATE ALL")
    }

    /// Whether a transaction is in progress; after a failure, it stays in progress until it is rolled back.
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

    /// Sends a statement, and returns which responses to expect.
    private func send(_ statement: PostgresStatement) throws -> [Answer] {
        let parameters = PostgresParameters(statement.values)
        guard options.preparesStatements, statement.isPrepared,
            statement.sql.utf8.count <= PostgresPreparations.longest,
            // In a failed transaction, ROLLBACK TO still works, and must not depend on a DEALLOCATE, which does
            // not.
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

    /// The next result; `nil` at the end of a statement's results.
    private func next(_ deadline: ContinuousClock.Instant) throws -> PostgresResult? {
        while true {
            let isSending = PQflush(handle) == 1
            guard isSending || PQisBusy(handle) == 1 else { break }
            guard try waitForInput(until: deadline, orRoom: isSending) else {
                throw PostgresFailure(
                    sqlState: nil, message: "the server did not respond in time",
                    isLost: true)
            }
        }
        return PQgetResult(handle).map(PostgresResult.init)
    }

    // MARK: Notifications

    /// Waits for input from the server and reads it; returns false at the deadline.
    ///
    /// - Parameter orRoom: whether to also wait until the server accepts more of what is being sent.
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

    /// Whether any notification has arrived since the last call.
    func takeNotifications() -> Bool {
        var any = false
        while let notification = PQnotifies(handle) {
            PQfreemem(notification)
            any = true
        }
        return any
    }
}

/// Cancels the statement that runs on a connection, from another thread.
///
/// `@unchecked Sendable`: "PQcancel […] can be called from any thread" holds for an object that PQgetCancel
/// created, which is never changed after that, and freed when nothing refers to it any more.
final class PostgresCanceller: @unchecked Sendable {
    private let handle: OpaquePointer

    fileprivate init(_ handle: OpaquePointer) { self.handle = handle }

    deinit { PQfreeCancel(handle) }

    /// Blocks until the server has received the request.
    func cancel() {
        withUnsafeTemporaryAllocation(of: CChar.self, capacity: 256) { buffer in
            _ = PQcancel(handle, buffer.baseAddress, Int32(buffer.count))
        }
    }
}
#endif
