import Foundation
import TestSupport
import Testing

@testable import DiscoCore

@Suite(.timeLimit(.minutes(1))) struct DeadlineWatchTests {
    private let watch = DeadlineWatch()

    @Test func deadlinesPassInOrderAndCancelledOnesDoNot() async {
        let passed = Locked<[Int]>([])
        let start = ContinuousClock.now
        var ids: [Int: Int] = [:]
        for number in [3, 1, 4, 2, 5] {
            ids[number] = watch.add(start + .milliseconds(20 * number)) { passed.withLock { $0.append(number) } }
        }
        let isInTime = watch.cancel(ids[4] ?? 0)
        #expect(isInTime)
        await eventually { passed.withLock { $0.count } == 4 }
        #expect(passed.withLock { $0 } == [1, 2, 3, 5])
        #expect(ContinuousClock.now - start >= .milliseconds(100))
        let isLate = !watch.cancel(ids[1] ?? 0)
        #expect(isLate)
    }

    /// The thread sleeps until a far deadline and must be woken for a nearer one.
    @Test func aNearerDeadlineThatIsAddedLaterIsNotMissed() async {
        let passed = Locked(false)
        _ = watch.add(.now + .seconds(3600)) {}
        for _ in 0..<100 { await Task.yield() }
        let start = ContinuousClock.now
        _ = watch.add(.now + .milliseconds(10)) { passed.withLock { $0 = true } }
        await eventually { passed.withLock { $0 } }
        #expect(ContinuousClock.now - start < .seconds(10))
    }

    @Test func finishedDeadlinesAreDroppedWhileAnEarlierOneIsPending() {
        let first = watch.add(.now + .seconds(3600)) {}
        for _ in 0..<20_000 { watch.cancel(watch.add(.now + .seconds(7200)) {}) }
        #expect(watch.count < 2000)
        watch.cancel(first)
        #expect(watch.count == 0)
    }
}
