import DiscoCore
import Testing

@testable import DiscoEventStore

/// Which thread of a lane takes how many appends, and which one is woken: two threads simulated by hand.
@Suite struct LaneStateTests {
    private func waiting(_ events: Int) -> LaneState.Waiting {
        let events = (0..<events).map { NewEvent(stream: StreamID("a-\($0)"), type: "T", payload: "{}") }
        return .init(append: Append(events), waiter: Waiter())
    }

    /// Both threads wait.
    private func idle() -> LaneState {
        var state = LaneState()
        state.ready(0)
        state.ready(1)
        return state
    }

    @Test func fewAppendsAreTakenAtOnceAndTogether() {
        var state = idle()
        state.enqueue(waiting(3))
        #expect(state.isWanted(of: 2))
        #expect(state.share(of: 2) == .max)
        #expect(state.take(1, by: 0).events == 3)
        #expect(state.firstIsBusy)
        #expect(!state.isWanted(of: 2))
    }

    @Test func behindABatchFewAppendsGatherAndManyAreShared() {
        var state = idle()
        state.enqueue(waiting(40))
        _ = state.take(1, by: 0)
        for _ in 0..<39 { state.enqueue(waiting(1)) }
        // Half of the seventy-nine is thirty-nine.
        #expect(state.share(of: 2) == 39)
        #expect(state.isWanted(of: 2))
        #expect(state.take(39, by: 1).events == 39)
        state.enqueue(waiting(15))
        #expect(state.share(of: 2) == nil)
        state.settled(40)
        state.ready(0)
        #expect(state.share(of: 2) == nil)
        state.settled(39)
        #expect(state.isWanted(of: 2))
    }

    /// The first thread went to sleep because of a batch whose appends were all withdrawn: the thread that finds that
    /// out must wake it.
    @Test func aWithdrawnBatchWakesTheThreadThatWaitedForIt() {
        var state = idle()
        state.enqueue(waiting(1))
        _ = state.take(1, by: 0)
        state.enqueue(waiting(20))
        #expect(state.isWanted(of: 2))
        _ = state.take(1, by: 1)
        state.enqueue(waiting(2))
        state.settled(1)
        state.ready(0)
        #expect(!state.isWanted(of: 2))
        state.settled(20)
        #expect(state.isWanted(of: 2))
    }

    @Test func aSingleThreadTakesAll() {
        var state = LaneState()
        state.ready(0)
        for _ in 0..<100 { state.enqueue(waiting(1)) }
        #expect(state.share(of: 1) == .max)
    }

    @Test func closingTakesTheRemainingAppendsAtOnce() {
        var state = idle()
        state.enqueue(waiting(1))
        _ = state.take(1, by: 0)
        state.enqueue(waiting(1))
        #expect(!state.isWanted(of: 2))
        state.closing = true
        #expect(state.isWanted(of: 2))
    }
}
