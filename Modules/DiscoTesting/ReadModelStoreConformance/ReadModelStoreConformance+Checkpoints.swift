import DiscoCore
import Foundation

extension ReadModelStoreConformance {
    private static func checkpoint(_ position: Position) -> Checkpoint {
        Checkpoint(position: position, eventID: UUID(), store: StoreIdentity(store: UUID(), epoch: 3))
    }

    static let checkpointCases: [Case] = [
        Case("G40", "an unknown consumer is at the start; a checkpoint reads back unchanged") { suite in
            let store = try await suite.open()
            try requireEqual(try await store.checkpoint(of: "c"), .start, "checkpoint of an unknown consumer")
            try requireEqual(try await store.held(by: "c"), [], "held streams")
            let first = checkpoint(5)
            try await store.save(ConsumerStep(consumer: "c", from: .start, to: first))
            try await store.save(ConsumerStep(consumer: "c é", from: .start, to: checkpoint(9)))
            try requireEqual(try await store.checkpoint(of: "c"), first, "checkpoint")
            let second = Checkpoint(position: 7)
            try await store.save(ConsumerStep(consumer: "c", from: first, to: second))
            try requireEqual(try await store.checkpoint(of: "c"), second, "checkpoint")
            try requireEqual(try await store.checkpoint(of: "c é").position, 9, "checkpoint of the other consumer")
            let names = try await store.partitions(of: nil).map(\.partition.consumer)
            try requireEqual(names, ["c", "c é"], "consumers")
        },
        Case("G40", "a checkpoint moves backwards only by a reset, which also drops held streams") { suite in
            let store = try await suite.open()
            let five = checkpoint(5)
            let held = HeldStream("a-1", first: 5, attempts: 1)
            try await store.save(ConsumerStep(consumer: "c", from: .start, to: five, hold: [held]))
            let error = try await requireThrows(EventStoreError.self) {
                try await store.save(ConsumerStep(consumer: "c", from: five, to: checkpoint(4)))
            }
            try requireEqual(error.code, .checkpointMoved, "code")
            try requireEqual(try await store.checkpoint(of: "c"), five, "checkpoint")
            try await store.reset("c")
            try requireEqual(try await store.checkpoint(of: "c"), .start, "checkpoint after the reset")
            try requireEqual(try await store.held(by: "c"), [], "held streams after the reset")
        },
        Case("G41", "a step is refused if its start differs from the stored checkpoint in any part") { suite in
            let store = try await suite.open()
            let stored = checkpoint(5)
            try await store.save(ConsumerStep(consumer: "c", from: .start, to: stored))
            var otherEvent = stored
            otherEvent.eventID = UUID()
            var otherStore = stored
            otherStore.store?.epoch = 4
            for from in [.start, checkpoint(4), otherEvent, otherStore] {
                let error = try await requireThrows(EventStoreError.self) {
                    try await store.save(ConsumerStep(consumer: "c", from: from, to: checkpoint(6)))
                }
                try requireEqual(error.code, .checkpointMoved, "code")
            }
            try requireEqual(try await store.checkpoint(of: "c"), stored, "checkpoint")
        },
        Case("G41", "of many concurrent steps from one checkpoint, exactly one is saved") { suite in
            let store = try await suite.open()
            let taken = try await Self.taken(of: 40, [store])
            try requireEqual(taken, 1, "saved steps")
        },
        Case("G41", "of many concurrent steps through two stores on the same data, exactly one is saved") { suite in
            let store = try await suite.open()
            let taken = try await Self.taken(of: 40, [store, try await suite.again(store)])
            try requireEqual(taken, 1, "saved steps")
        },
        Case("G41", "held streams are read in order, replaced and released") { suite in
            let store = try await suite.open()
            let at = Date(timeIntervalSince1970: 1_700_000_000.123456)
            var first = HeldStream(
                "a-é", first: 3, through: 12, attempts: 1, retryAt: at,
                failure: HeldFailure(
                    type: "É", code: "trouble", reason: "no \"luck\"", firstAt: at, lastAt: at.addingTimeInterval(1),
                    build: "1"))
            let second = HeldStream("a-2", first: 4, through: 9)
            let step = Checkpoint(position: 12)
            try await store.save(ConsumerStep(consumer: "c", from: .start, to: step, hold: [second, first]))
            try requireEqual(try await store.held(by: "c"), [first, second], "held streams")
            try requireEqual(try await store.held(by: "d"), [], "held streams of the other consumer")
            first.attempts = 2
            first.first = 5
            first.failure = nil
            let change = ConsumerStep(consumer: "c", from: step, to: step, hold: [first], release: ["a-2"])
            try await store.save(change)
            try requireEqual(try await store.held(by: "c"), [first], "held streams")
            // What is not held cannot be released.
            try await requireMoved { try await store.save(change) }
            try requireEqual(try await store.held(by: "c"), [first], "held streams")
        },
    ]

    private static func requireMoved(_ body: () async throws -> Void) async throws {
        let error = try await requireThrows(EventStoreError.self) { try await body() }
        try requireEqual(error.code, .checkpointMoved, "code")
    }

    private static func taken(of count: Int, _ stores: [any ReadModelStore]) async throws -> Int {
        try await withThrowingTaskGroup(of: Int.self) { group in
            for number in 0..<count {
                let store = stores[number % stores.count]
                group.addTask {
                    do {
                        try await store.save(ConsumerStep(consumer: "c", from: .start, to: checkpoint(5)))
                        return 1
                    } catch let error as EventStoreError where error.code == .checkpointMoved {
                        return 0
                    }
                }
            }
            return try await group.reduce(0, +)
        }
    }
}
