/// Runs one task at a time for each key, in the order they arrive.
final class KeyedQueue<Key: Hashable & Sendable>: Sendable {
    /// The tasks that wait for each key in use; a key that is not in use has no entry.
    private let waiting = Locked<[Key: [Waiter<Void>]]>([:])

    func run<Result>(_ key: Key, _ body: () async throws -> Result) async throws -> Result {
        try await enter(key)
        defer { leave(key) }
        return try await body()
    }

    /// Enters all of these keys, one after the other; all callers must list the keys in the same order.
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
                // Skip a task that was cancelled meanwhile.
                if waiter.take() { return waiter }
            }
            waiting[key] = nil
            return nil
        }
        next?.settle(.success(()))
    }
}
