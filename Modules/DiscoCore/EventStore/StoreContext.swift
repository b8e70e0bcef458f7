public import Foundation
public import Logging

/// What varies between runs: time, ids, randomness, and the logger for background problems. It is set once, when the
/// store is opened; the client, the orchestrator and the consumers take it from there.
///
/// ```swift
/// let store = try await SQLiteEventStore.open(path: "wallets.sqlite", context: StoreContext(logger: logger))
/// ```
///
/// Tests set the time with `ManualTime` of DiscoTesting.
public struct StoreContext: Sendable {
    /// The current date, for recording and deciding. It may be set back at any moment.
    public var now: @Sendable () -> Date
    /// Monotonic time since an arbitrary moment, for waits and limits.
    public var uptime: @Sendable () -> Duration
    /// Calls a closure once after a delay. Returns a closure that cancels the call, which may come too late.
    public var schedule: @Sendable (Duration, @escaping @Sendable () -> Void) -> Cancel
    /// Makes a new unique id.
    public var newID: @Sendable () -> UUID
    /// Returns a random number from 0 to 1, for the jitter of retries.
    public var random: @Sendable () -> Double
    /// The logger for background problems: each is logged once when it begins (as a warning) and once when it ends (as
    /// a notice).
    public var logger: Logger?

    public typealias Cancel = @Sendable () -> Void

    public init(
        now: @escaping @Sendable () -> Date = { Date() },
        uptime: @escaping @Sendable () -> Duration = { systemUptime() },
        schedule: @escaping @Sendable (Duration, @escaping @Sendable () -> Void) -> Cancel = systemSchedule,
        newID: @escaping @Sendable () -> UUID = { .timeOrdered() },
        random: @escaping @Sendable () -> Double = { .random(in: 0...1) }, logger: Logger? = nil
    ) {
        self.now = now
        self.uptime = uptime
        self.schedule = schedule
        self.newID = newID
        self.random = random
        self.logger = logger
    }

    /// The machine's clocks and randomness; logs nothing.
    public static let system = StoreContext()

    /// The machine's monotonic time since its first use in this process, including suspension.
    public static func systemUptime() -> Duration { start.duration(to: .now) }
    private static let start = ContinuousClock.now

    /// Uses one thread for all calls, which sleeps until the next one is due.
    public static func systemSchedule(_ delay: Duration, _ body: @escaping @Sendable () -> Void) -> Cancel {
        let id = DeadlineWatch.shared.add(.now + delay.bounded, body)
        return { DeadlineWatch.shared.cancel(id) }
    }
}

extension StoreContext {
    /// Suspends the task for a time.
    ///
    /// - Throws: `CancellationError` if the task is cancelled meanwhile.
    public func sleep(for time: Duration) async throws {
        guard time > .zero else { return try Task.checkCancellation() }
        let waiter = Waiter<Void>()
        let cancel = schedule(time) { waiter.settle(.success(())) }
        defer { cancel() }
        try await waiter.value()
    }

    /// The current time in microseconds since 1970, but not before `previous`: a clock that was set back must not
    /// reverse the order of events.
    public func microseconds(notBefore previous: Int64) -> Int64 {
        max(previous, Timestamp.microseconds(of: now()))
    }
}
