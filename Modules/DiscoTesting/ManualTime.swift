public import DiscoCore
public import Foundation
public import Logging

/// A clock that a test advances by hand, with ids and random numbers that are the same in every run.
///
/// ```swift
/// let time = ManualTime()
/// let store = InMemoryEventStore(context: time.context())
/// time.advance(by: .seconds(3600))  // an hour passes at once
/// ```
///
/// Waiting code resumes when its time comes; ``waiting`` counts the pending waits.
public final class ManualTime: Sendable {
    private struct Call: Sendable {
        var due: Duration
        var number: Int
        var body: @Sendable () -> Void
    }

    private struct State: Sendable {
        var now: Date
        var uptime = Duration.zero
        var calls: [Call] = []
        var next = 0
        var values: GeneratedValues
    }

    private let state: Locked<State>

    /// - Parameters:
    ///   - now: the initial time of day.
    ///   - seed: the seed for ids and random numbers.
    public init(_ now: Date = Date(timeIntervalSince1970: 1_769_860_800), seed: UInt64 = 1) {
        state = Locked(State(now: now, values: GeneratedValues(seed: seed)))
    }

    /// The time of day.
    public var now: Date { state.withLock { $0.now } }

    /// The number of pending waits.
    public var waiting: Int { state.withLock { $0.calls.count } }

    /// Sets the time of day without letting time pass, like somebody who changes the system clock.
    public func set(_ now: Date) { state.withLock { $0.now = now } }

    /// Advances the time and runs everything that becomes due, in order.
    public func advance(by time: Duration) {
        let end = state.withLock { $0.uptime + time.bounded }
        while true {
            let call = state.withLock { state -> Call? in
                let first = state.calls.filter { $0.due <= end }
                    .min { ($0.due, $0.number) < ($1.due, $1.number) }
                let until = max(state.uptime, first?.due ?? end)
                state.now += (until - state.uptime) / .seconds(1)
                state.uptime = until
                state.calls.removeAll { $0.number == first?.number }
                return first
            }
            guard let call else { return }
            call.body()
        }
    }

    /// The context to open a store with.
    public func context(logger: Logger? = nil) -> StoreContext {
        StoreContext(
            now: { [self] in now }, uptime: { [state] in state.withLock { $0.uptime } },
            schedule: { [self] delay, body in schedule(delay, body) },
            newID: { [state] in
                state.withLock { $0.values.uuid() }
            },
            random: { [state] in state.withLock { Double($0.values.pick(Array(0...1000))) / 1000 } }, logger: logger)
    }

    private func schedule(_ delay: Duration, _ body: @escaping @Sendable () -> Void) -> StoreContext.Cancel {
        let number = state.withLock { state in
            state.next += 1
            state.calls.append(Call(due: state.uptime + max(.zero, delay.bounded), number: state.next, body: body))
            return state.next
        }
        return { [state] in state.withLock { $0.calls.removeAll { $0.number == number } } }
    }
}
