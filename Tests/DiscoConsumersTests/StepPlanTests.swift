import DiscoCore
import DiscoTesting
import Foundation
import Testing

@testable import DiscoConsumers

/// The state machines of a consumer, driven by hand: without stores, tasks or time.
@Suite struct StepPlanTests {
    private let start = Date(timeIntervalSince1970: 1_000)

    private func held(
        _ positions: ClosedRange<Position>, _ stream: StreamID, attempts: Int = 1, retryIn: Double? = nil,
        parked: Bool = false
    ) -> HeldStream {
        HeldStream(
            stream, first: positions.lowerBound, through: positions.upperBound, attempts: attempts,
            retryAt: retryIn.map { start.addingTimeInterval($0) }, parkedAt: parked ? start : nil)
    }

    private func recorded(_ position: Position, _ stream: StreamID) -> Recorded {
        Recorded.grouped([
            RecordedEvent(
                position: position, stream: stream, version: 1, id: UUID(), type: "T", payload: "{}",
                recordedAt: start)
        ])[0]
    }

    private func fail(_ held: inout HeldStream) {
        held.attempts += 1
        held.retryAt = start
    }

    @Test func aFailedEventHoldsOnlyItsStream() {
        var plan = StepPlan()
        plan.hold(recorded(1, "a-1"), fail)
        #expect(plan.holds("a-1") && !plan.holds("b-1"))
        plan.wait(recorded(3, "a-1"))
        #expect(plan.hold.map(\.range) == [1...3])
        #expect(plan.hold.map(\.attempts) == [1])
        #expect(plan.attempts(at: 1, of: "a-1") == 1)
        #expect(plan.attempts(at: 3, of: "a-1") == 0)
        #expect(plan.release.isEmpty)
    }

    @Test func aStreamIsReleasedWhenNothingWaitsAnyMore() {
        var plan = StepPlan(held: [held(1...2, "a-1", retryIn: 10), held(3...3, "b-1", retryIn: 5)])
        #expect(plan.nextRetry == start.addingTimeInterval(5))
        #expect(plan.due(at: start.addingTimeInterval(4)).isEmpty)
        #expect(plan.due(at: start.addingTimeInterval(10)).map(\.range) == [1...2, 3...3])
        plan.done(held(1...2, "a-1", retryIn: 10), rest: 2, at: start)
        #expect(plan.holds("a-1"))
        #expect(plan.nextRetry == start)
        #expect(plan.hold.map(\.range) == [2...2])
        #expect(plan.hold.map(\.attempts) == [0])
        plan.done(held(2...2, "a-1", attempts: 0), rest: nil, at: start)
        #expect(!plan.holds("a-1"))
        #expect(plan.release == ["a-1"])
        #expect(plan.hold.isEmpty)
    }

    @Test func whatIsHeldAndReleasedInOneStepIsNotWritten() {
        var plan = StepPlan()
        plan.hold(recorded(1, "a-1"), fail)
        plan.done(held(1...1, "a-1"), rest: nil, at: start)
        #expect(plan.isUnchanged == false)
        #expect(plan.hold.isEmpty && plan.release.isEmpty)
        plan.hold(recorded(2, "a-1"), fail)
        #expect(plan.hold.map(\.range) == [2...2])
    }

    @Test func theNextEventOfAStreamIsCountedAnew() {
        var plan = StepPlan(held: [held(1...5, "a-1", attempts: 4, retryIn: 0)])
        plan.hold(recorded(3, "a-1"), fail)
        #expect(plan.hold.map(\.range) == [3...5])
        #expect(plan.hold.map(\.attempts) == [1])
        plan.hold(recorded(3, "a-1"), fail)
        #expect(plan.hold.map(\.attempts) == [2])
    }

    @Test func aParkedStreamIsNeverDue() {
        let parked = held(1...2, "a-1", parked: true)
        var plan = StepPlan(held: [parked, held(3...3, "b-1", retryIn: 0)])
        #expect(plan.holds("a-1"))
        #expect(plan.due(at: .distantFuture).map(\.range) == [3...3])
        #expect(plan.nextRetry == start)
        #expect(StepPlan(held: [parked]).nextRetry == nil)
        #expect(StepPlan(held: [parked]).probe == nil)
        plan.unpark(parked, at: start)
        #expect(plan.due(at: start).map(\.range) == [1...2, 3...3])
    }

    @Test func storedHoldsAreNotWrittenAgainAndStayHeld() {
        var plan = StepPlan()
        plan.hold(recorded(1, "a-1"), fail)
        plan.stored()
        #expect(plan.hold.isEmpty && plan.release.isEmpty && plan.isUnchanged)
        #expect(plan.holds("a-1"))
        #expect(plan.due(at: start).map(\.attempts) == [1])
        plan.done(held(1...1, "a-1"), rest: nil, at: start)
        #expect(plan.release == ["a-1"])
    }

    @Test func postponingWritesNothing() {
        var plan = StepPlan(held: [held(1...1, "a-1", retryIn: 0), held(2...2, "b-1", retryIn: 1)])
        plan.postpone("a-1", until: start.addingTimeInterval(5))
        #expect(plan.due(at: start.addingTimeInterval(1)).map(\.range) == [2...2])
        #expect(plan.probe?.range == 2...2)
        #expect(plan.hold.isEmpty)
        #expect(plan.count(without: ["a-1", "c-1"]) == 1)
        #expect(plan.count(without: [StreamID]()) == 2)
    }
}

@Suite struct AlikeFailuresTests {
    @Test func fiveStreamsThatFailAlikePauseTheConsumer() {
        var alike = AlikeFailures()
        for number in 1...4 { alike.failed(StreamID("a-\(number)"), "down") }
        // The same stream again is no further evidence.
        for _ in 1...9 { alike.failed("a-1", "down") }
        #expect(!alike.isPaused)
        alike.failed("a-5", "down")
        #expect(alike.isPaused && !alike.probesNewEvent)
        alike.failed("a-5", "down")
        #expect(alike.isPaused && alike.probesNewEvent && alike.probes == 1)
        alike.succeeded()
        #expect(!alike.isPaused)
    }

    @Test func differentErrorsAndSuccessesInBetweenDoNotPauseIt() {
        var alike = AlikeFailures()
        for number in 1...20 { alike.failed(StreamID("a-\(number)"), number.isMultiple(of: 4) ? "other" : "down") }
        #expect(!alike.isPaused)
        for number in 1...20 {
            alike.failed(StreamID("a-\(number)"), "down")
            if number.isMultiple(of: 4) { alike.succeeded() }
        }
        #expect(!alike.isPaused)
    }
}

@Suite struct ConsumerTailTests {
    private func at(_ position: Position) -> Checkpoint { Checkpoint(position: position, eventID: UUID()) }

    @Test func irrelevantEventsMoveThePositionInMemoryAndAreSavedLater() {
        let first = at(5)
        var tail = ConsumerTail(first)
        #expect(!tail.isUnsaved && tail.savesIn(at: .zero) == nil)
        let second = at(7)
        tail.passed(to: second, at: .seconds(10))
        #expect(tail.reached == second && tail.saved == first && tail.isUnsaved)
        tail.passed(to: at(9), at: .seconds(10) + .milliseconds(60))
        // Counted from the first move, so that endless appends do not postpone the save forever.
        #expect(tail.savesIn(at: .seconds(10) + .milliseconds(60)) == .milliseconds(4940))
        #expect(tail.savesIn(at: .seconds(16)) == .zero)
    }

    @Test func theNextStepStartsAtTheStoredCheckpoint() {
        var tail = ConsumerTail(.start)
        tail.passed(to: at(3), at: .zero)
        let stored = at(4)
        tail.stored(stored)
        #expect(tail.saved == stored && tail.reached == stored && !tail.isUnsaved)
        #expect(tail.savesIn(at: .seconds(9)) == nil)
    }

    @Test func theTailNeverMovesBack() {
        let five = at(5)
        var tail = ConsumerTail(five)
        tail.passed(to: at(5), at: .zero)
        tail.passed(to: at(2), at: .zero)
        #expect(tail.reached == five && !tail.isUnsaved)
    }
}

@Suite struct ConsumerRunnerTests {
    @Test func theRunnerWaitsForWhatTheStepLeftToDo() {
        var runner = ConsumerRunner()
        #expect(runner.stepped(to: 5, .more, retryIn: .seconds(1), saveIn: nil) == .step)
        #expect(runner.stepped(to: 5, .newEvents, retryIn: nil, saveIn: nil) == .wait(beyond: 5, atMost: nil))
        #expect(
            runner.stepped(to: 5, .newEvents, retryIn: .seconds(3), saveIn: .milliseconds(100))
                == .wait(beyond: 5, atMost: .milliseconds(100)))
        #expect(runner.stepped(to: 5, .retries, retryIn: nil, saveIn: nil) == .wait(beyond: nil, atMost: .seconds(1)))
    }

    @Test(arguments: [Duration.seconds(Int64.max), .seconds(4000)])
    func aDistantRetryIsCheckedWithinTheHour(far: Duration) {
        var runner = ConsumerRunner()
        #expect(
            runner.stepped(to: 1, .newEvents, retryIn: far, saveIn: nil) == .wait(beyond: 1, atMost: .seconds(3600)))
        #expect(
            runner.stepped(to: 1, .newEvents, retryIn: .seconds(-5), saveIn: nil) == .wait(beyond: 1, atMost: .zero))
    }

    @Test func pausesGrowWithEachFailureAndSuccessResetsThem() {
        var runner = ConsumerRunner()
        #expect(runner.stepFailed(random: 0) == .pause(.milliseconds(100)))
        #expect(runner.stepFailed(random: 0) == .pause(.milliseconds(200)))
        // Failed waits are counted separately.
        #expect(runner.waitFailed(random: 0) == .pause(.milliseconds(100)))
        _ = runner.stepped(to: 1, .more, retryIn: nil, saveIn: nil)
        #expect(runner.stepFailed(random: 0) == .pause(.milliseconds(100)))
        #expect(runner.waitFailed(random: 0) == .pause(.milliseconds(200)))
        #expect(runner.waited() == .step)
        #expect(runner.waitFailed(random: 0) == .pause(.milliseconds(100)))
    }

    @Test func pausesGrowToAMinuteWithAFifthOfJitter() {
        #expect(FailurePolicy.pause(attempts: 3, random: 0) == .milliseconds(800))
        #expect(abs(FailurePolicy.pause(attempts: 3, random: 1) / .milliseconds(1) - 640) < 0.001)
        for attempts in [10, 100, Int.max] {
            #expect(FailurePolicy.pause(attempts: attempts, random: 0) == .seconds(60))
        }
        for attempts in [0, -1, Int.min] {
            #expect(FailurePolicy.pause(attempts: attempts, random: 0) == .milliseconds(100))
        }
    }

    @Test func onlyTemporaryStoreErrorsAreOutages() {
        for code in [EventStoreError.Code.busy, .unavailable, .outcomeUnknown, .full] {
            #expect(FailurePolicy.isOutage(EventStoreError(code, "m")))
        }
        for code in [EventStoreError.Code.closed, .corrupt, .invalidArgument, .checkpointMoved, .schema] {
            #expect(!FailurePolicy.isOutage(EventStoreError(code, "m")))
        }
    }
}
