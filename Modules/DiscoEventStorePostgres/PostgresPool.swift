#if Postgres
    import DiscoCore
    import DiscoEventStore

    /// Threads with a connection each, which take turns at what is asked of them, first come, first served.
    final class PostgresPool: Sendable {
        private struct State: Sendable {
            var queue: [@Sendable (PostgresSession) -> Void] = []
            var isClosing = false
        }

        private let state: Locked<State>
        private let threads: [OwnThread]
        private let cancellations: PostgresCancellations

        init(
            name: String, size: Int, _ options: PostgresConnection.Options, setUp: [PostgresStatement] = []
        ) {
            let state = Locked(State())
            self.state = state
            cancellations = PostgresCancellations(name: name + "-cancel")
            threads = (1...size).map { number in
                OwnThread(name: "\(name)-\(number)") {
                    let session = PostgresSession(options, setUp: setUp)
                    while let job = Self.next(state) { job(session) }
                }
            }
        }

        deinit { stop() }

        /// Runs `body`; where the task is cancelled, so is the statement that runs on the server.
        ///
        /// - Parameters:
        ///   - isRepeatable: whether `body` may be run once more where the connection turns out to be lost.
        ///   - isCancellable: whether it ends with the task; otherwise it is done whatever becomes of that.
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
                // One that was cancelled meanwhile has left.
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

        /// False where the pool is closing.
        private func enqueue(_ job: @escaping @Sendable (PostgresSession) -> Void) -> Bool {
            let isTaken = state.withLock { state in
                if !state.isClosing { state.queue.append(job) }
                return !state.isClosing
            }
            if isTaken { state.signal() }
            return isTaken
        }

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
                    // Nothing was committed: it failed before anything was, and is prepared anew.
                    if failure.isOfStalePlan, !wasStale {
                        wasStale = true
                        attempts += 1
                        continue
                    }
                    // 57014: another's cancellation that came too late.
                    let again = failure.isLost || failure.mayPass || failure.sqlState == "57014"
                    if attempts == 0 || !again { return .failure(PostgresError.translate(failure)) }
                } catch {
                    return .failure(error)
                }
            }
        }

        private static func next(_ state: Locked<State>) -> (@Sendable (PostgresSession) -> Void)? {
            let job: (@Sendable (PostgresSession) -> Void)?? = state.waiting { state in
                if !state.queue.isEmpty { return .some(state.queue.removeFirst()) }
                return state.isClosing ? .some(nil) : nil
            }
            return job ?? nil
        }

        /// Finishes what was asked for, and refuses more.
        func close() async {
            stop()
            for thread in threads { await thread.end() }
            await cancellations.close()
        }

        private func stop() {
            state.withLock { $0.isClosing = true }
            state.signal()
        }
    }
#endif
