#if Postgres
    import DiscoCore
    import DiscoEventStore

    /// Whether one piece of work is to be cancelled, and by which connection it runs.
    final class PostgresCancellation: Sendable {
        private struct State: Sendable {
            var running: PostgresCanceller?
            var isRequested = false
        }

        private let state = Locked(State())

        var isRequested: Bool { state.withLock { $0.isRequested } }

        /// What runs in `body` can be cancelled; what runs on the connection afterwards is not hit by it.
        func `while`<Value>(_ canceller: PostgresCanceller, _ body: () throws -> Value) throws -> Value {
            try state.withLock { state in
                if state.isRequested { throw CancellationError() }
                state.running = canceller
            }
            defer { state.withLock { $0.running = nil } }
            return try body()
        }

        func request() { state.withLock { $0.isRequested = true } }

        /// Blocks, and with it the end of the work, until the server has taken the request: the next work on the
        /// connection must not be what it hits.
        func carryOut() { state.withLock { $0.running?.cancel() } }
    }

    /// The thread that sends requests to cancel, each over a connection of its own.
    final class PostgresCancellations: Sendable {
        private let worker: Worker<[PostgresCancellation]>

        init(name: String) {
            worker = Worker(name: name, state: []) { loop in
                while let next = loop.wait({ $0.isEmpty ? nil : $0.removeFirst() }) { next.carryOut() }
            }
        }

        func request(_ cancellation: PostgresCancellation) {
            cancellation.request()
            worker.update { $0.append(cancellation) }
        }

        func close() async { await worker.end() }
    }
#endif
