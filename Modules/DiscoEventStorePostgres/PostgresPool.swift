#if Postgres
import DiscoCore
import DiscoEventStore

/// A pool of threads with a connection each, which run jobs first come, first served.
final class PostgresPool: Sendable {
    private typealias Job = @Sendable (PostgresSession) -> Void

    private struct State: Sendable {
        var queue: [Job] = []
        /// How many threads run a job.
        var busy = 0

        mutating func take() -> Job? {
            if queue.isEmpty { return nil }
            busy += 1
            return queue.removeFirst()
        }
    }

    private let worker: Worker<State>
    private let cancellations: PostgresCancellations

    /// - Parameter trouble: logs connection problems; shared by all connections of the store.
    init(
        name: String, size: Int, _ options: PostgresConnection.Options, setUp: [PostgresStatement] = [],
        trouble: PostgresTrouble? = nil
    ) {
        cancellations = PostgresCancellations(name: name + "-cancel")
        worker = Worker(names: (1...size).map { "\(name)-\($0)" }, state: State()) { loop in
            let session = PostgresSession(options, setUp: setUp, trouble: trouble)
            while let job = loop.wait({ $0.take() }) {
                job(session)
                loop.withState { $0.busy -= 1 }
            }
        }
    }

    /// Runs `body`; if the task is cancelled, so is the statement that runs on the server.
    ///
    /// - Parameters:
    ///   - isRepeatable: whether `body` may be run once more if the connection turns out to be lost.
    ///   - isCancellable: whether `body` ends with the task; otherwise it runs to completion even if the task is
    ///     cancelled.
    /// - Throws: ``EventStoreError``, `CancellationError`, or what `body` throws.
    func run<Value: Sendable>(
        isRepeatable: Bool = true, isCancellable: Bool = true,
        _ body: @escaping @Sendable (PostgresConnection) throws -> Value
    ) async throws -> Value {
        let cancellation = PostgresCancellation()
        guard isCancellable else {
            return try await withCheckedThrowingContinuation { continuation in
                let isTaken = enqueue { session in
                    continuation.resume(with: Self.result(session, isRepeatable, cancellation, body))
                }
                if !isTaken { continuation.resume(throwing: EventStoreError.closed) }
            }
        }
        try Task.checkCancellation()
        let waiter = Waiter<Value>()
        let isTaken = enqueue { session in
            // A job that was cancelled in the meantime is skipped.
            guard waiter.take() else { return }
            waiter.settle(Self.result(session, isRepeatable, cancellation, body))
        }
        if !isTaken { throw EventStoreError.closed }
        return try await withTaskCancellationHandler {
            try await waiter.value()
        } onCancel: {
            cancellations.request(cancellation)
        }
    }

    /// How many connections are in use, and how many jobs wait for one.
    var load: (busy: Int, waiting: Int) { worker.withState { ($0.busy, $0.queue.count) } }

    /// Returns false if the pool is closing.
    private func enqueue(_ job: @escaping Job) -> Bool { worker.update { $0.queue.append(job) } != nil }

    private static func result<Value>(
        _ session: PostgresSession, _ isRepeatable: Bool, _ cancellation: PostgresCancellation,
        _ body: (PostgresConnection) throws -> Value
    ) -> Result<Value, any Error> {
        var attempts = isRepeatable ? 2 : 1
        var wasStale = false
        while true {
            attempts -= 1
            do {
                return .success(
                    try session.run { connection in
                        try cancellation.while(connection.canceller) { try body(connection) }
                    })
            } catch let failure as PostgresFailure {
                if cancellation.isRequested { return .failure(CancellationError()) }
                // Nothing was committed: the statement failed before that, and is prepared again.
                if failure.isOfStalePlan, !wasStale {
                    wasStale = true
                    attempts += 1
                    continue
                }
                // 57014: a cancellation of another job that came too late.
                let again = failure.isLost || failure.mayPass || failure.sqlState == "57014"
                if attempts == 0 || !again { return .failure(PostgresError.translate(failure)) }
            } catch {
                return .failure(error)
            }
        }
    }

    /// Finishes the queued jobs, and rejects new ones.
    func close() async {
        await worker.end()
        await cancellations.close()
    }
}
#endif
