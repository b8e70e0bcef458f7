import Testing

@testable import DiscoEventStorePostgres

/// How long the store waits before it reconnects or polls again: pure values, tested without a server.
@Suite struct PostgresPacingTests {
    @Test func reconnectingStartsAtOnceAndThenWaitsUpToTwoSeconds() {
        var backoff = PostgresBackoff()
        #expect(backoff.pause(jitter: 0) == nil)
        var pauses: [Double] = []
        for _ in 1...8 {
            backoff.failed()
            pauses.append(backoff.pause(jitter: 0) ?? 0)
        }
        #expect(pauses == [0.05, 0.1, 0.2, 0.4, 0.8, 1.6, 2, 2])
        #expect(backoff.pause(jitter: 1) == 1.6)
    }

    @Test func withoutNotificationsTheHeadIsPolledOftenAfterAnEventAndLessOftenWhenIdle() {
        var interval = PollInterval()
        var waits: [Duration] = []
        for moved in [true, false, false, false, false, false, false, true] {
            interval.turn(moved: moved)
            waits.append(interval.next)
        }
        #expect(waits == [5, 10, 20, 40, 80, 100, 100, 5].map { .milliseconds($0) })
    }
}
