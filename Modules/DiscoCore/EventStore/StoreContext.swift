public import Foundation
public import Logging

/// What differs from run to run: time, ids, randomness, and where trouble in the background is logged. It is given once,
/// when the store is opened; the client, the orchestrator and the consumers take it from there.
///
/// ```swift
/// let store = try await SQLiteEventStore.open(path: "wallets.sqlite", context: StoreContext(logger: logger))
/// ```
///
/// Tests that want to set the time use `ManualTime` of DiscoTesting.
public struct StoreContext: Sendable {
    /// The time of day, for what is recorded and decided. May be set back at any moment.
    public var now: @Sendable () -> Date
    /// Time that only goes forward, since an arbitrary moment: for waits and limits.
    public var uptime: @Sendable () -> Duration
    /// Calls something back once, after a time. What it returns cancels the call; it may come too late.
    public var schedule: @Sendable (Duration, @escaping @Sendable () -> Void) -> Cancel
    /// A new id that nobody else has.
    public var newID: @Sendable () -> UUID
    /// A number from 0 to 1, for the jitter of retries.
    public var random: @Sendable () -> Double
    /// Where trouble in the background is logged: once when it begins (as a warning) and once when it ends (as a notice).
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

    /// The machine's time since its start, suspension included.
    public static func systemUptime() -> Duration { start.duration(to: .now) }
    private static let start = ContinuousClock.now

    /// One thread for all calls, which sleeps until the next.
    public static func systemSchedule(_ delay: Duration, _ body: @escaping @Sendable () -> Void) -> Cancel {
        let id = DeadlineWatch.shared.add(.now + delay.bounded, body)
        return { DeadlineWatch.shared.cancel(id) }
    }
}

extension StoreContext {
    /// Suspends for a time.
    ///
    /// - Throws: `CancellationError` where the task is cancelled meanwhile.
    public func sleep(for time: Duration) async throws {
        guard time > .zero else { return try Task.checkCancellation() }
        let waiter = Waiter<Void>()
        let cancel = schedule(time) { waiter.settle(.success(())) }
        defer { cancel() }
        try await waiter.value()
    }

    /// In microseconds since 1970, not before `previous`: a clock that was set back must not reverse the order of the
    /// events.
    public func microseconds(notBefore previous: Int64) -> Int64 {
        max(previous, Timestamp.microseconds(of: now()))
    }
}
