/// How far the consumers of this process have come: whoever waits for one in the same process is told, instead of
/// asking the database again and again.
package final class ConsumerProgress: Sendable {
    private struct Running {
        var position: Position
        /// Whether it holds any stream: then the position does not tell whether an event has taken effect.
        var holds: Bool
    }

    private struct Waiting {
        let consumer: String
        let position: Position
        let waiter: Waiter<Bool>
    }

    private struct State {
        var running: [ConsumerPartition: Running] = [:]
        var waiting: [Int: Waiting] = [:]
        var next = 0

        /// The position that all slices of the consumer have passed; `nil` unless all are worked on here, by one
        /// generation, and nothing is held.
        func passed(_ consumer: String) -> Position? {
            let all = running.filter { $0.key.consumer == consumer }
            guard let generation = all.keys.first?.generation, all.keys.allSatisfy({ $0.generation == generation }),
                all.keys.reduce(0, { $0 + $1.slices.count }) == StreamID.slices, !all.values.contains(where: \.holds)
            else { return nil }
            return all.values.map(\.position).min()
        }

        func isRun(_ consumer: String) -> Bool { running.keys.contains { $0.consumer == consumer } }
    }

    private let state = Locked(State())

    package init() {}

    /// A partition has stored this position.
    package func stored(_ partition: ConsumerPartition, _ position: Position, holds: Bool) {
        settle(partition.consumer) { $0.running[partition] = Running(position: position, holds: holds) }
    }

    /// This process no longer works on a partition.
    package func ended(_ partition: ConsumerPartition) {
        settle(partition.consumer) { $0.running[partition] = nil }
    }

    private func settle(_ consumer: String, _ change: (inout State) -> Void) {
        let settled = state.withLock { state -> [(Waiter<Bool>, Bool)] in
            change(&state)
            if state.waiting.isEmpty { return [] }
            let passed = state.passed(consumer)
            var settled: [(Waiter<Bool>, Bool)] = []
            for (number, waiting) in state.waiting where waiting.consumer == consumer {
                guard let passed else {
                    settled.append((waiting.waiter, false))
                    state.waiting[number] = nil
                    continue
                }
                if passed < waiting.position { continue }
                settled.append((waiting.waiter, true))
                state.waiting[number] = nil
            }
            return settled
        }
        for (waiter, isPassed) in settled { waiter.settle(.success(isPassed)) }
    }

    /// Waits until a consumer has passed a position and everything before it has taken effect.
    ///
    /// - Returns: false if that cannot be told here: the database must be asked.
    func wait(for consumer: String, beyond position: Position) async throws -> Bool {
        let waiter = Waiter<Bool>()
        let (number, answer) = state.withLock { state -> (Int, Bool?) in
            guard let passed = state.passed(consumer) else { return (0, false) }
            if passed >= position { return (0, true) }
            state.next += 1
            state.waiting[state.next] = Waiting(consumer: consumer, position: position, waiter: waiter)
            return (state.next, nil)
        }
        if let answer { return answer }
        defer { state.withLock { $0.waiting[number] = nil } }
        return try await waiter.value()
    }
}
