import DiscoCore
import Foundation

/// Partitions and change notifications.
extension ReadModelStoreConformance {
    private static let low = ConsumerPartition("c", slices: 0...511)
    private static let high = ConsumerPartition("c", slices: 512...1023)

    private static func step(
        _ partition: ConsumerPartition, to position: Position, hold: [HeldStream] = []
    ) -> ConsumerStep {
        ConsumerStep(partition: partition, from: .start, to: Checkpoint(position: position), hold: hold)
    }

    /// A stream whose slice lies in a range.
    private static func stream(in slices: ClosedRange<Int>) throws -> StreamID {
        let all = (0..<10_000).lazy.map { StreamID("a-\($0)") }
        return try requireValue(all.first { slices.contains($0.slice) }, "a stream in \(slices)")
    }

    static let partitionCases: [Case] = [
        Case("71", "each partition has its own checkpoint and held streams") { suite in
            let store = try await suite.open()
            let held = [
                HeldStream(try stream(in: low.slices), first: 3, attempts: 1),
                HeldStream(try stream(in: high.slices), first: 4, attempts: 1),
            ]
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
            let moved = try await requireThrows(EventStoreError.self) {
                let nine = Checkpoint(position: 9)
                try await store.save(ConsumerStep(partition: low, from: nine, to: nine))
            }
            try requireEqual(moved.code, .checkpointMoved, "code")
        },
        Case("71", "a consumer's partitions are created once, and cover all slices") { suite in
            let store = try await suite.open()
            let stores = [store, try await suite.again(store)]
            let start = Checkpoint(position: 7, eventID: UUID(), store: StoreIdentity(store: UUID(), epoch: 1))
            try await withThrowingTaskGroup(of: Void.self) { group in
                for number in 0..<8 {
                    let definition = ConsumerDefinition("c", partitions: 3 + number, isProjection: true)
                    group.addTask { try await stores[number % 2].define(definition, at: start) }
                }
                try await group.waitForAll()
            }
            let stored = try await store.partitions(of: "c")
            try require((3...10).contains(stored.count), "\(stored.count) partitions")
            try requireEqual(stored.flatMap { Array($0.partition.slices) }, Array(0..<StreamID.slices), "slices")
            try requireEqual(stored.map(\.checkpoint), stored.map { _ in start }, "checkpoints")
            try requireEqual(stored.map { $0.owner ?? "nobody" }, stored.map { _ in "nobody" }, "owners")
            let counts = [("none", 0, 1), ("less", Int.min, 1), ("most", Int.max, 1024), ("8", 8, 8)]
            for (consumer, count, expected) in counts {
                let definition = ConsumerDefinition(consumer, partitions: count, isProjection: true)
                try await store.define(definition, at: .start)
                let states = try await store.partitions(of: consumer)
                try requireEqual(states.count, expected, "partitions for \(count)")
                try requireEqual(
                    states.flatMap { Array($0.partition.slices) }, Array(0..<StreamID.slices), "slices for \(count)")
            }
        },
        Case("84", "changes to leases notify every store on the same data; steps do not") { suite in
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
                try await acting.define(ConsumerDefinition("c", isProjection: true), at: .start)
                let states = try await acting.partitions(of: "c")
                try await becomes(1, count)
                let claimed = try await acting.claim(states, for: "one")
                try await becomes(2, count)
                try await acting.release(ConsumerPartition("c"), try requireValue(claimed.first?.lease, "the lease"))
                try await becomes(3, count)
                try await acting.join(ConsumerMember(id: UUID().uuidString, consumers: ["c": ""]), for: .seconds(1))
                try await becomes(4, count)
                try await acting.reset("c")
                try await becomes(5, count)
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
            for owner in ["é e\u{301}", "\"'; --", String(repeating: "x", count: 1000)] {
                try await store.define(ConsumerDefinition("c", isProjection: true), at: .start)
                let states = try await store.partitions(of: "c")
                let state = try requireValue(try await store.claim(states, for: owner).first, "the claim")
                try requireEqual(state.owner.map { Array($0.utf8) }, Array(owner.utf8), "owner")
            }
            for slices in [-1...5, 0...1024, 5000...6000, Int.min...Int.max] {
                let partition = ConsumerPartition("c", slices: slices)
                let state = PartitionState(partition: partition)
                _ = try await requireThrows(EventStoreError.self) { try await store.save(step(partition, to: 1)) }
                _ = try await requireThrows(EventStoreError.self) { _ = try await store.held(by: partition) }
                _ = try await requireThrows(EventStoreError.self) { _ = try await store.claim([state], for: "o") }
            }
            for generation in [0, -1, Int.min, Int.max] {
                let partition = ConsumerPartition("c", generation: generation)
                _ = try await requireThrows(EventStoreError.self) { try await store.save(step(partition, to: 1)) }
            }
            for name in ["", "a\0b", String(repeating: "x", count: 256)] {
                _ = try await requireThrows(EventStoreError.self) { _ = try await store.partitions(of: name) }
                _ = try await requireThrows(EventStoreError.self) { try await store.reset(name) }
                _ = try await requireThrows(EventStoreError.self) {
                    try await store.define(ConsumerDefinition(name, isProjection: true), at: .start)
                }
            }
            let states = try await store.partitions(of: "c")
            _ = try await requireThrows(EventStoreError.self) { _ = try await store.claim(states, for: "a\0b") }
            _ = try await requireThrows(EventStoreError.self) {
                try await store.join(ConsumerMember(id: "a\0b", consumers: [:]), for: .seconds(1))
            }
        },
    ]

    /// Waits several seconds, long enough for a store that polls instead of notifying.
    private static func becomes(_ expected: Int, _ count: Locked<Int>) async throws {
        for _ in 0..<1000 where count.withLock({ $0 }) < expected { try await Task.sleep(for: .milliseconds(10)) }
        try requireEqual(count.withLock { $0 }, expected, "changes")
    }
}
