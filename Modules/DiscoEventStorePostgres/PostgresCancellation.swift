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
        private struct State: Sendable {
            var queue: [PostgresCancellation] = []
            var isClosing = false
        }

        private let state: Locked<State>
        private let thread: OwnThread

        init(name: String) {
            let state = Locked(State())
            self.state = state
            thread = OwnThread(name: name) {
                while let next = Self.next(state) { next.carryOut() }
            }
        }

        deinit { stop() }

        private static func next(_ state: Locked<State>) -> PostgresCancellation? {
            let next: PostgresCancellation?? = state.waiting { state in
                if !state.queue.isEmpty { return .some(state.queue.removeFirst()) }
                return state.isClosing ? .some(nil) : nil
            }
            return next ?? nil
        }

        func request(_ cancellation: PostgresCancellation) {
            cancellation.request()
            state.withLock { $0.queue.append(cancellation) }
            state.signal()
        }

        func close() async {
            stop()
            await thread.end()
        }

        private func stop() {
            state.withLock { $0.isClosing = true }
            state.signal()
        }
    }
#endif
