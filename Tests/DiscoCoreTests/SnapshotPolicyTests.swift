import Testing

@testable import DiscoCore

/// When a snapshot is due, tested as pure values.
@Suite struct SnapshotPolicyTests {
    @Test(arguments: [
        (SnapshotPolicy.never, FoldCost(events: 1_000, bytes: 1_000, time: .seconds(60)), false),
        (.every(events: 10), FoldCost(events: 9, bytes: 1_000, time: .seconds(60)), false),
        (.every(events: 10), FoldCost(events: 10), true),
        (.every(events: 10), FoldCost(events: 11), true),
        (.every(bytes: 500), FoldCost(events: 100, bytes: 499, time: .seconds(60)), false),
        (.every(bytes: 500), FoldCost(events: 1, bytes: 500), true),
        (.whenFoldingTakes(.seconds(1)), FoldCost(events: 100, bytes: 1_000, time: .milliseconds(999)), false),
        (.whenFoldingTakes(.seconds(1)), FoldCost(events: 1, time: .seconds(1)), true),
        // Without new events there is nothing to save.
        (.whenFoldingTakes(.zero), FoldCost(), false),
        (.whenFoldingTakes(.zero), FoldCost(time: .seconds(60)), false),
        (SnapshotPolicy.every(events: 10).or(.every(bytes: 500)), FoldCost(events: 9, bytes: 499), false),
        (SnapshotPolicy.every(events: 10).or(.every(bytes: 500)), FoldCost(events: 9, bytes: 500), true),
        (SnapshotPolicy.every(events: 10).or(.every(bytes: 500)), FoldCost(events: 10, bytes: 1), true),
        (SnapshotPolicy.every(events: 10).or(.every(events: 5)), FoldCost(events: 5), true),
        (SnapshotPolicy.every(events: 5).or(.every(events: 10)), FoldCost(events: 4), false),
        (SnapshotPolicy.never.or(.every(events: 5)), FoldCost(events: 5), true),
        (SnapshotPolicy.every(events: 5).or(.never), FoldCost(events: 5), true),
        (.whenFoldingTakes(.seconds(1)).or(.every(events: 5)), FoldCost(events: 1, time: .seconds(2)), true),
    ])
    func aPolicySaysWhenASnapshotIsDue(policy: SnapshotPolicy, unsaved: FoldCost, isDue: Bool) {
        #expect(policy.isDue(unsaved) == isDue)
    }

    @Test func onlyAPolicyThatSavesNoSnapshotsIsNever() {
        #expect(SnapshotPolicy.never.isNever)
        #expect(SnapshotPolicy.never.or(.never).isNever)
        #expect(!SnapshotPolicy.every(events: 1).isNever)
        #expect(!SnapshotPolicy.never.or(.every(bytes: 1)).isNever)
    }
}
