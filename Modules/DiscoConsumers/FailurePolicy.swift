import DiscoCore
import Foundation

/// What is done about a failure. A pure function of it, the time, and a random number.
enum FailurePolicy {
    /// How long until something that failed is tried again: 0.1 s, then twice as long each time, up to a minute, less up to
    /// a fifth of jitter so that consumers do not come back in step.
    ///
    /// - Parameters:
    ///   - attempts: how often it had been tried before.
    ///   - random: from 0 to 1.
    static func pause(attempts: Int, random: Double) -> Duration {
        .seconds(min(60, 0.1 * Double(1 << min(max(0, attempts), 10))) * (1 - 0.2 * random))
    }

    static func retryAt(attempts: Int, _ context: StoreContext) -> Date {
        context.now().addingTimeInterval(pause(attempts: attempts, random: context.random()) / .seconds(1))
    }

    /// Whether it is the store that fails, which may pass by itself: nothing is wrong with what was asked.
    static func isOutage(_ error: EventStoreError) -> Bool {
        [.busy, .unavailable, .outcomeUnknown, .full].contains(error.code)
    }
}
