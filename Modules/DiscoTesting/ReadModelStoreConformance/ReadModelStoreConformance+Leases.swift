import DiscoCore
import Foundation

/// Members, leases and fences.
extension ReadModelStoreConformance {
    private static func member(_ id: String) -> ConsumerMember {
        ConsumerMember(id: id, host: "host é", build: "1.0", consumers: ["c": "1:f", "\"d'": ""])
    }

    private static func defined(_ store: any ReadModelStore, partitions: Int = 1) async throws -> [PartitionState] {
        try await store.define(
            ConsumerDefinition("c", partitions: partitions, isProjection: true), at: .start)
        return try await store.partitions(of: "c")
    }

    private static func step(_ state: PartitionState, to position: Position, lease: PartitionLease?) -> ConsumerStep {
        ConsumerStep(
            partition: state.partition, from: state.checkpoint, to: Checkpoint(position: position), lease: lease)
    }

    private static func requireMoved(_ body: () async throws -> Void) async throws {
        let error = try await requireThrows(EventStoreError.self) { try await body() }
        try requireEqual(error.code, .checkpointMoved, "code")
    }

    static let leaseCases: [Case] = [
        Case("71", "a member is known until its lease ends or it leaves") { suite in
            let store = try await suite.open()
            let other = try await suite.again(store)
            try await store.join(member("b"), for: .seconds(60))
            try await other.join(member("a"), for: .seconds(60))
            let members = try await store.members()
            try requireEqual(members.map(\.member), ["a", "b"].map(member), "members")
            try require(members.allSatisfy { $0.remaining > .zero && $0.remaining <= .seconds(60) }, "remaining times")
            try requireEqual(try await store.renew("a", for: .seconds(60)), true, "renewal")
            try await other.join(member("short"), for: .milliseconds(1))
            try await Task.sleep(for: .milliseconds(20))
            try requireEqual(try await store.renew("short", for: .seconds(60)), false, "renewal of an expired lease")
            try requireEqual(try await other.members().map(\.member.id), ["a", "b"], "members")
            try requireEqual(try await store.renew("short", for: .seconds(60)), false, "renewal of a deleted member")
            try await store.leave("b")
            try await store.leave("nobody")
            try requireEqual(try await other.members().map(\.member.id), ["a"], "members")
            try requireEqual(try await store.renew("b", for: .seconds(60)), false, "renewal after leaving")
            for lease in [Duration.zero, .seconds(Int64.min), .seconds(Int64.max)] {
                try await store.join(member("x"), for: lease)
                _ = try await store.renew("x", for: lease)
            }
        },
        Case("71", "a long transaction delays no renewal") { suite in
            let store = try await suite.open()
            try await store.join(member("a"), for: .seconds(60))
            let (begun, ends) = (Waiter<Void>(), Locked(false))
            let long = Task {
                try await store.write { _ in
                    begun.settle(.success(()))
                    for _ in 0..<3000 where !ends.withLock({ $0 }) { Thread.sleep(forTimeInterval: 0.01) }
                }
            }
            try await begun.value()
            for _ in 0..<3 { try requireEqual(try await store.renew("a", for: .seconds(60)), true, "renewal") }
            try requireEqual(ends.withLock { $0 }, false, "whether the transaction has ended")
            ends.withLock { $0 = true }
            try await long.value
        },
        Case("72", "a claim increments the fence, and steps with another lease are refused") { suite in
            let store = try await suite.open()
            let states = try await defined(store)
            let first = try requireValue(try await store.claim(states, for: "one").first, "the claim")
            let fence = states[0].fence + 1
            try requireEqual(first.lease, PartitionLease(owner: "one", fence: fence), "lease")
            try await store.save(step(first, to: 5, lease: first.lease))
            let five = try await store.partitions(of: "c")
            let second = try requireValue(try await store.claim(five, for: "two").first, "the claim")
            try requireEqual(second.lease, PartitionLease(owner: "two", fence: fence + 1), "lease")
            try requireEqual(second.checkpoint.position, 5, "checkpoint")
            let late = [
                first.lease, PartitionLease(owner: "two", fence: fence), PartitionLease(owner: "one", fence: fence + 1),
            ]
            for lease in late {
                try await requireMoved { try await store.save(step(second, to: 6, lease: lease)) }
                try await requireMoved {
                    try await store.commit(step(second, to: 6, lease: lease)) { transaction in
                        try transaction.execute("CREATE TABLE never (v INTEGER)")
                    }
                }
            }
            try requireEqual(try await store.partitions(of: "c"), [second], "partitions")
            try await store.save(step(second, to: 6, lease: second.lease))
            // A partition that does not exist has no lease.
            let unknown = PartitionState(partition: ConsumerPartition("unknown"))
            try await requireMoved { try await store.save(step(unknown, to: 6, lease: second.lease)) }
            try requireEqual(try await store.consumers().map(\.name), ["c"], "consumers")
        },
        Case("72", "of many concurrent claims of one partition, exactly one is granted") { suite in
            let store = try await suite.open()
            let stores = [store, try await suite.again(store)]
            let states = try await defined(store, partitions: 3)
            let granted = try await withThrowingTaskGroup(of: [PartitionState].self) { group in
                for number in 0..<20 {
                    group.addTask { try await stores[number % 2].claim(states, for: "owner \(number)") }
                }
                return try await group.reduce(into: []) { $0 += $1 }
            }
            let stored = try await store.partitions(of: "c")
            try requireEqual(
                granted.sorted { $0.partition.slices.lowerBound < $1.partition.slices.lowerBound }, stored, "granted")
            try requireEqual(stored.map(\.fence), states.map { $0.fence + 1 }, "fences")
            try requireEqual(try await store.claim(states, for: "late"), [], "claims of what has changed")
        },
        Case("72", "a release ends the ownership, but only that of its own lease") { suite in
            let store = try await suite.open()
            let first = try requireValue(try await store.claim(try await defined(store), for: "one").first, "the claim")
            let lease = try requireValue(first.lease, "the lease")
            try await store.release(first.partition, PartitionLease(owner: "two", fence: lease.fence))
            try await store.release(first.partition, PartitionLease(owner: "one", fence: lease.fence + 1))
            try requireEqual(try await store.partitions(of: "c"), [first], "partitions")
            // In a cancelled task, too.
            let cancelled = Task {
                while !Task.isCancelled { await Task.yield() }
                try await store.release(first.partition, lease)
                try await store.leave("one")
            }
            cancelled.cancel()
            try await cancelled.value
            try requireEqual(try await store.partitions(of: "c").map(\.owner), [nil], "owners")
            try await requireMoved { try await store.save(step(first, to: 1, lease: lease)) }
        },
        Case("75", "owners that end without progress are counted, with the event they had in hand") { suite in
            let store = try await suite.open()
            var states = try await defined(store)
            for crashes in 0...2 {
                states = try await store.claim(states, for: "owner \(crashes)")
                try requireEqual(states.map(\.crashes), [crashes], "crashes")
                var inHand = step(states[0], to: .start, lease: states[0].lease)
                inHand.inHand = 1
                try await store.save(inHand)
                states = try await store.partitions(of: "c")
                try requireEqual(states.map(\.inHand), [1], "event in hand")
                try requireEqual(states.map(\.crashes), [crashes], "crashes")
            }
            try await store.save(step(states[0], to: 1, lease: states[0].lease))
            states = try await store.partitions(of: "c")
            try requireEqual(states.map(\.crashes), [0], "crashes after progress")
            try requireEqual(states.map(\.inHand), [nil], "event in hand after progress")
            states = try await store.claim(states, for: "next")
            try requireEqual(states.map(\.crashes), [1], "crashes")
            try await store.release(states[0].partition, try requireValue(states[0].lease, "the lease"))
            states = try await store.claim(try await store.partitions(of: "c"), for: "last")
            try requireEqual(states.map(\.crashes), [0], "crashes after a release")
        },
    ]
}
