import DiscoCore
import Foundation

/// Partitions, their owners and fences, and change notifications.
extension ReadModelStoreConformance {
    private static let low = ConsumerPartition("c", slices: 0...511)
    private static let high = ConsumerPartition("c", slices: 512...1023)

    private static func step(
        _ partition: ConsumerPartition, to position: Position, from: Checkpoint = .start, fence: Int? = nil,
        hold: [HeldEvent] = []
    ) -> ConsumerStep {
        ConsumerStep(partition: partition, from: from, to: Checkpoint(position: position), hold: hold, fence: fence)
    }

    /// A stream whose slice lies in a range.
    private static func stream(in slices: ClosedRange<Int>) throws -> StreamID {
        let all = (0..<10_000).lazy.map { StreamID("a-\($0)") }
        return try requireValue(all.first { slices.contains($0.slice) }, "a stream in \(slices)")
    }

    private static func requireMoved(_ body: () async throws -> Void) async throws {
        let error = try await requireThrows(EventStoreError.self) { try await body() }
        try requireEqual(error.code, .checkpointMoved, "code")
    }

    static let partitionCases: [Case] = [
        Case("71", "each partition has its own checkpoint and held events") { suite in
            let store = try await suite.open()
            let (one, other) = (try stream(in: low.slices), try stream(in: high.slices))
            let held = [one, other].map {
                HeldEvent(position: $0 == one ? 3 : 4, stream: $0, attempts: 1, retryAt: nil, reason: "r")
            }
            try await store.save(step(low, to: 5, hold: [held[0]]))
            try await store.save(step(high, to: 9, hold: [held[1]]))
            try await store.save(step(ConsumerPartition("b"), to: 1))
            let states = try await store.partitions(of: "c")
            try requireEqual(states.map(\.partition), [low, high], "partitions")
            try requireEqual(states.map(\.checkpoint.position), [5, 9], "checkpoints")
            try requireEqual(states.map(\.owner), [nil, nil], "owners")
            try requireEqual(try await store.partitions(of: nil).map(\.partition.consumer), ["b", "c", "c"], "all")
            try requireEqual(try await store.partitions(of: "nobody"), [], "partitions of nobody")
            try requireEqual(try await store.checkpoint(of: "c").position, 5, "the checkpoint furthest behind")
            try requireEqual(try await store.held(by: low), [held[0]], "held by the one")
            try requireEqual(try await store.held(by: high), [held[1]], "held by the other")
            try requireEqual(try await store.held(by: "c"), held, "held by both")
            try await requireMoved { try await store.save(step(low, to: 9, from: Checkpoint(position: 9))) }
        },
        Case("72", "a claim increments the fence, and steps with an older fence are refused") { suite in
            let store = try await suite.open()
            let partition = ConsumerPartition("c")
            let first = try await store.claim(partition, by: "one")
            try requireEqual(first, PartitionState(partition: partition, owner: "one", fence: 1), "the first claim")
            try await store.save(step(partition, to: 5, fence: 1))
            let second = try await store.claim(partition, by: "two")
            try requireEqual(second.owner, "two", "owner")
            try requireEqual(second.fence, 2, "fence")
            try requireEqual(second.checkpoint.position, 5, "checkpoint")
            let five = Checkpoint(position: 5)
            try await requireMoved { try await store.save(step(partition, to: 6, from: five, fence: 1)) }
            try await requireMoved {
                try await store.commit(step(partition, to: 6, from: five, fence: 1)) { transaction in
                    try transaction.execute("CREATE TABLE never (v INTEGER)")
                }
            }
            try await store.save(step(partition, to: 6, from: five, fence: 2))
            try requireEqual(try await store.partitions(of: "c").map(\.fence), [2], "fence")
            // A step without a fence is not checked against it.
            try await store.save(step(partition, to: 7, from: Checkpoint(position: 6)))
        },
        Case("72", "concurrent claims each get a different fence") { suite in
            let store = try await suite.open()
            let stores = [store, try await suite.again(store)]
            let fences = try await withThrowingTaskGroup(of: Int.self) { group in
                for number in 0..<20 {
                    group.addTask {
                        try await stores[number % 2].claim(ConsumerPartition("c"), by: "owner \(number)").fence
                    }
                }
                return try await group.reduce(into: []) { $0.append($1) }
            }
            try requireEqual(fences.sorted(), Array(1...20), "fences")
        },
        Case("74", "a parked event reads back unchanged") { suite in
            let store = try await suite.open()
            let at = Date(timeIntervalSince1970: 1_700_000_000.123456)
            let parked = HeldEvent(
                position: 3, stream: "a-1", attempts: 5, retryAt: nil, parkedAt: at, reason: "\u{301} no luck")
            let partition = ConsumerPartition("c")
            var held = parked
            held.attempts = 4
            held.parkedAt = nil
            held.retryAt = at
            try await store.save(step(partition, to: 5, hold: [held]))
            let five = Checkpoint(position: 5)
            try await store.save(step(partition, to: 5, from: five, hold: [parked]))
            try requireEqual(try await store.held(by: partition), [parked], "held events")
        },
        Case("84", "claims and resets notify every store on the same data; steps do not") { suite in
            let store = try await suite.open()
            let other = try await suite.again(store)
            for (waiting, acting) in [(store, store), (store, other), (other, store)] {
                var changes = waiting.changes().makeAsyncIterator()
                try await changes.next()
                let count = Locked(0)
                let listening = Task { [changes] in
                    var changes = changes
                    while true {
                        try await changes.next()
                        count.withLock { $0 += 1 }
                    }
                }
                defer { listening.cancel() }
                try await acting.save(step(ConsumerPartition("steps \(UUID())"), to: 1))
                try await Task.sleep(for: .milliseconds(150))
                try requireEqual(count.withLock { $0 }, 0, "changes after a step")
                _ = try await acting.claim(ConsumerPartition("c"), by: "one")
                try await becomes(1, count)
                try await acting.reset("c")
                try await becomes(2, count)
            }
        },
        Case("84", "waiting for changes ends when the task is cancelled or the store closes") { suite in
            let store = try await suite.open()
            let waiting = Task {
                var changes = store.changes().makeAsyncIterator()
                while true { try await changes.next() }
            }
            let cancelled = Task {
                var changes = store.changes().makeAsyncIterator()
                while true { try await changes.next() }
            }
            cancelled.cancel()
            _ = try await requireThrows(CancellationError.self) { try await cancelled.value }
            try await Task.sleep(for: .milliseconds(50))
            await store.close()
            let error = try await requireThrows(EventStoreError.self) { try await waiting.value }
            try requireEqual(error.code, .closed, "code")
        },
        Case("66", "edge-case names, owners and slices are stored unchanged or refused") { suite in
            let store = try await suite.open()
            for owner in ["", "é e\u{301}", "\"'; --", String(repeating: "x", count: 1000)] {
                let state = try await store.claim(ConsumerPartition("c"), by: owner)
                try requireEqual(state.owner.map { Array($0.utf8) }, Array(owner.utf8), "owner")
            }
            for slices in [-1...5, 0...1024, 5000...6000, Int.min...Int.max] {
                let partition = ConsumerPartition("c", slices: slices)
                _ = try await requireThrows(EventStoreError.self) { try await store.save(step(partition, to: 1)) }
                _ = try await requireThrows(EventStoreError.self) { _ = try await store.held(by: partition) }
                _ = try await requireThrows(EventStoreError.self) { _ = try await store.claim(partition, by: "o") }
            }
            for name in ["", "a\0b", String(repeating: "x", count: 256)] {
                _ = try await requireThrows(EventStoreError.self) { _ = try await store.partitions(of: name) }
                _ = try await requireThrows(EventStoreError.self) { try await store.reset(name) }
            }
            _ = try await requireThrows(EventStoreError.self) {
                _ = try await store.claim(ConsumerPartition("c"), by: "a\0b")
            }
        },
    ]

    /// Waits several seconds, long enough for a store that polls instead of notifying.
    private static func becomes(_ expected: Int, _ count: Locked<Int>) async throws {
        for _ in 0..<1000 where count.withLock({ $0 }) < expected { try await Task.sleep(for: .milliseconds(10)) }
        try requireEqual(count.withLock { $0 }, expected, "changes")
    }
}
