import DiscoCore
public import Foundation

/// Where a store's recorded times come from; tests set it as they like.
public struct StoreClock: Sendable {
    public let now: @Sendable () -> Date

    public init(now: @escaping @Sendable () -> Date) { self.now = now }

    public static let system = StoreClock { Date() }

    /// In microseconds since 1970, not before `previous`: a clock that was set back must not reverse the order of the
    /// events.
    package func microseconds(notBefore previous: Int64) -> Int64 {
        max(previous, Timestamp.microseconds(of: now()))
    }
}
