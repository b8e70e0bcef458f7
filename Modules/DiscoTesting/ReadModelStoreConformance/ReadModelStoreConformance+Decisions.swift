import DiscoCore
import Foundation

/// Decisions about held streams.
extension ReadModelStoreConformance {
    private static let at = Date(timeIntervalSince1970: 1_700_000_000)

    private static func held(
        _ stream: StreamID, _ positions: ClosedRange<Position>, code: String = "trouble", parked: Bool = true
    ) -> HeldStream {
        HeldStream(
            stream, first: positions.lowerBound, through: positions.upperBound, attempts: 5,
            retryAt: parked ? nil : at, parkedAt: parked ? at : nil,
            failure: HeldFailure(type: "T", code: code, reason: "no luck", firstAt: at, build: "1"))
    }

    private static func holding(_ held: [HeldStream], in store: any ReadModelStore) async throws -> PartitionState {
        try await store.define(ConsumerDefinition("c", isProjection: true), at: .start)
        let states = try await store.partitions(of: "c")
        let state = try requireValue(try await store.claim(states, for: "owner").first, "the claim")
        try await store.save(
            ConsumerStep(
                partition: state.partition, from: .start, to: Checkpoint(position: 99), hold: held, lease: state.lease))
        return try requireValue(try await store.partitions(of: "c").first, "the partition")
    }

    static let decisionCases: [Case] = [
        Case("74", "a parked stream reads back unchanged") { suite in
            let store = try await suite.open()
            let parked = held("a-1", 3...9)
            _ = try await holding([parked], in: store)
            try requireEqual(try await store.held(by: "c"), [parked], "held streams")
        },
        Case("76", "a retry makes a stream due with all attempts before it, and its owner reads it again") { suite in
            let store = try await suite.open()
            let all = [held("a-1", 3...9), held("b-1", 4...4), held("d-1", 5...5, code: "other", parked: false)]
            let before = try await holding(all, in: store)
            let decision = HeldDecision(.retry, consumer: "c", HeldFilter(stream: "a-1"), by: "ann")
            try requireEqual(try await store.decide(decision), [all[0]], "decided")
            let now = try await store.held(by: "c")
            try requireEqual(now.map(\.stream), ["a-1", "b-1", "d-1"], "streams")
            try requireEqual(now.map(\.isParked), [false, true, false], "parked")
            try requireEqual(now[0].attempts, 0, "attempts")
            try requireEqual(now[0].failure, all[0].failure, "failure")
            try require(now[0].retryAt != nil, "a time of the retry")
            let after = try requireValue(try await store.partitions(of: "c").first, "the partition")
            try requireEqual(after.owner, before.owner, "owner")
            try requireEqual(after.fence, before.fence + 1, "fence")
            let error = try await requireThrows(EventStoreError.self) {
                try await store.save(
                    ConsumerStep(
                        partition: before.partition, from: before.checkpoint, to: before.checkpoint,
                        lease: before.lease))
            }
            try requireEqual(error.code, .checkpointMoved, "code")
        },
        Case("76", "discarding needs a reason, and gives up one event or all that wait") { suite in
            let store = try await suite.open()
            let all = [held("a-1", 3...9), held("b-1", 4...8), held("d-1", 5...5)]
            _ = try await holding(all, in: store)
            for action in [HeldDecision.Action.discardFirst, .discardAll] {
                for reason in ["", " \n"] {
                    _ = try await requireThrows(EventStoreError.self) {
                        _ = try await store.decide(HeldDecision(action, consumer: "c", HeldFilter(), reason: reason))
                    }
                }
            }
            try requireEqual(try await store.held(by: "c"), all, "held streams")
            func discard(_ action: HeldDecision.Action, _ stream: StreamID) async throws {
                let filter = HeldFilter(stream: stream)
                let decision = HeldDecision(action, consumer: "c", filter, reason: "é wrong", by: "ann")
                try requireEqual(try await store.decide(decision).map(\.stream), [stream], "decided")
                try requireEqual(try await store.decide(HeldDecision(.retry, consumer: "nobody", filter)), [], "none")
            }
            try await discard(.discardFirst, "a-1")
            try await discard(.discardAll, "b-1")
            try await discard(.discardFirst, "d-1")
            let left = try await store.held(by: "c")
            try requireEqual(left.map(\.stream), ["a-1"], "streams")
            try requireEqual(left.map(\.first), [4], "first event")
            try requireEqual(left.map(\.through), [9], "last event")
            try requireEqual(left.map(\.failure), [nil], "failure")
            let audit = try await store.audit(of: "c", limit: 10).sorted { $0.stream.name < $1.stream.name }
            try requireEqual(audit.map(\.action), [.discardFirst, .discardAll, .discardFirst], "actions")
            try requireEqual(audit.map(\.positions), [3...3, 4...8, 5...5], "positions")
            try requireEqual(audit.map(\.reason), Array(repeating: "é wrong", count: 3), "reasons")
            try requireEqual(audit.map(\.by), Array(repeating: "ann", count: 3), "people")
            try requireEqual(audit.map(\.failure), Array(repeating: "no luck", count: 3), "failures")
            try requireEqual(try await store.audit(of: "c", limit: 1).count, 1, "entries")
            try requireEqual(try await store.audit(of: "c", limit: Int.min).count, 0, "entries")
            try requireEqual(try await store.audit(of: "nobody", limit: 9), [], "entries of nobody")
        },
        Case("76", "a filter selects by stream, type, code, age and parking") { suite in
            let store = try await suite.open()
            var old = held("d-1", 5...5, code: "other", parked: false)
            old.failure?.firstAt = at.addingTimeInterval(-60)
            _ = try await holding([held("a-1", 3...9), held("b-1", 4...4, code: "e\u{301}"), old], in: store)
            let filters: [(HeldFilter, [StreamID])] = [
                (HeldFilter(), ["a-1", "b-1", "d-1"]), (HeldFilter(stream: "b-1"), ["b-1"]),
                (HeldFilter(type: "T", isParked: true), ["a-1", "b-1"]), (HeldFilter(type: "U"), []),
                (HeldFilter(code: "é"), []), (HeldFilter(code: "e\u{301}"), ["b-1"]),
                (HeldFilter(failedBefore: at), ["d-1"]), (HeldFilter(isParked: false), ["d-1"]),
            ]
            for (filter, expected) in filters {
                let decided = try await store.decide(HeldDecision(.retry, consumer: "c", filter))
                try requireEqual(decided.map(\.stream), expected, "\(filter)")
                // Back to what it was.
                let state = try requireValue(try await store.partitions(of: "c").first, "the partition")
                try await store.save(
                    ConsumerStep(
                        partition: state.partition, from: state.checkpoint, to: state.checkpoint, hold: decided,
                        lease: state.lease))
            }
        },
    ]
}
