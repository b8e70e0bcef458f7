#if Postgres
import DiscoCore
import DiscoEventStore

/// Tracks whether a piece of work must be cancelled, and on which connection it runs.
final class PostgresCancellation: Sendable {
    private struct State: Sendable {
        var running: PostgresCanceller?
        var isRequested = false
    }

    private let state = Locked(State())

    var isRequested: Bool { state.withLock { $0.isRequested } }

    /// Runs `body`, which can be cancelled; later work on the connection is not affected.
    func `while`<Value>(_ canceller: PostgresCanceller, _ body: () throws -> Value) throws -> Value {
        try state.withLock { state in
            if state.isRequested { throw CancellationError() }
            state.running = canceller
        }
        defer { state.withLock { $0.running = nil } }
        return try body()
    }

    func request() { state.withLock { $0.isRequested = true } }

    /// Blocks, and delays the end of the work, until the server has received the request, so that the request
    /// cannot hit the next work on the connection.
    func carryOut() { state.withLock { $0.running?.cancel() } }
}

/// The thread that sends cancel requests, each over its own connection.
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
