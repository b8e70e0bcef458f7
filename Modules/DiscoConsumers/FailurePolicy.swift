import DiscoCore
import Foundation

/// How failures are handled: pure functions of the failure, the time, and a random number.
enum FailurePolicy {
    /// The delay before a retry: 0.1 s, doubled each time up to a minute, less up to a fifth of jitter so that
    /// consumers do not retry at the same moment.
    ///
    /// - Parameters:
    ///   - attempts: how many attempts were made before.
    ///   - random: from 0 to 1.
    static func pause(attempts: Int, random: Double) -> Duration {
        .seconds(min(60, 0.1 * Double(1 << min(max(0, attempts), 10))) * (1 - 0.2 * random))
    }

    static func retryAt(attempts: Int, _ context: StoreContext) -> Date {
        context.now().addingTimeInterval(pause(attempts: attempts, random: context.random()) / .seconds(1))
    }

    /// Whether the store failed in a way that may pass by itself; the request is not at fault.
    static func isOutage(_ error: EventStoreError) -> Bool {
        [.busy, .unavailable, .outcomeUnknown, .full].contains(error.code)
    }
}
