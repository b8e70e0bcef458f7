/// Lets one task at a time through for each key, in the order they came.
final class KeyedQueue<Key: Hashable & Sendable>: Sendable {
    /// Those that wait for a key that somebody has; no entry where nobody has it.
    private let waiting = Locked<[Key: [Waiter<Void>]]>([:])

    func run<Result>(_ key: Key, _ body: () async throws -> Result) async throws -> Result {
        try await enter(key)
        defer { leave(key) }
        return try await body()
    }

    /// Through all of these keys, one after the other: whoever runs with some of them names them in the same order.
    func run<Result>(_ keys: ArraySlice<Key>, _ body: () async throws -> Result) async throws -> Result {
        guard let key = keys.first else { return try await body() }
        return try await run(key) { try await run(keys.dropFirst(), body) }
    }

    private func enter(_ key: Key) async throws {
        let waiter: Waiter<Void>? = waiting.withLock { waiting in
            guard waiting[key] != nil else {
                waiting[key] = []
                return nil
            }
            let waiter = Waiter<Void>()
            waiting[key]?.append(waiter)
            return waiter
        }
        try await waiter?.value()
    }

    private func leave(_ key: Key) {
        let next: Waiter<Void>? = waiting.withLock { waiting in
            while let waiter = waiting[key]?.first {
                waiting[key]?.removeFirst()
                // One that was cancelled meanwhile has left.
                if waiter.take() { return waiter }
            }
            waiting[key] = nil
            return nil
        }
        next?.settle(.success(()))
    }
}
