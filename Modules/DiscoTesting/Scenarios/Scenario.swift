public import DiscoCore
public import Foundation

/// What an aggregate has been through, what it is asked, and what it must decide: given, when, then.
///
/// ```swift
/// try Scenario(Wallet.self, id: id)
///     .given(.walletCreated(userID: user, balance: 100))
///     .when(WithdrawMoney(id: id, amount: 30))
///     .then(.moneyWithdrawn(amount: 30))
/// try Scenario(Wallet.self, id: id)
///     .given(.walletCreated(userID: user, balance: 5))
///     .when(WithdrawMoney(id: id, amount: 30))
///     .thenRefused(WalletRefusal.insufficientFunds(balance: 5, amount: 30))
/// ```
///
/// Events go through their recorded form, so one that does not come back as it went in is found here. No store is
/// needed. What is not as it must be throws a ``ConformanceFailure`` with its place in the source.
public struct Scenario<State: Aggregate>: Sendable {
    private let id: State.ID?
    private var history: [State.Event] = []

    /// - Parameters:
    ///   - type: the aggregate.
    ///   - id: nil for that of the command, or a new one.
    public init(_ type: State.Type, id: State.ID? = nil) { self.id = id }

    /// What happened before; may be called several times.
    public func given(_ events: State.Event...) -> Scenario {
        var scenario = self
        scenario.history += events
        return scenario
    }

    /// Has the aggregate decide a command as a dispatch would: rules first, then whether it may exist, then the
    /// decision.
    ///
    /// A command for another aggregate than this one is a ``ConformanceFailure``.
    ///
    /// - Parameters:
    ///   - command: what is decided.
    ///   - now: the time at which it is decided.
    ///   - file: of the call, for the failure.
    ///   - line: of the call, for the failure.
    public func when<C: AggregateCommand<State>>(
        _ command: C, at now: Date = Date(), file: String = #fileID, line: Int = #line
    ) -> Decision<State, State.Event> {
        Decision {
            let id = id ?? command.target.id ?? .new(from: .timeOrdered())
            if let other = command.target.id, State.streamID(other) != State.streamID(id) {
                throw ConformanceFailure(
                    message:
                        "the command is for \(State.streamID(other)), and the scenario tells of \(State.streamID(id))",
                    file: file, line: line)
            }
            var state = State(id: id)
            let stream = State.streamID(id)
            for event in try asRecorded(history, in: stream) { state.apply(event) }
            try command.validated()
            try command.target.check(exists: !history.isEmpty, stream: stream)
            let events = try asRecorded(try command.run(on: state, at: now), in: stream)
            for event in events { state.apply(event) }
            return (state, events)
        }
    }
}

/// The events as they come back after having been recorded.
func asRecorded<Event: DomainEvent>(_ events: [Event], in stream: StreamID) throws -> [Event] {
    var builder = EventBuilder()
    return try events.map { try Event(try builder.record($0, in: stream)) }
}
