public import DiscoCore
public import Foundation

/// A given-when-then test of an aggregate.
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
/// Events are encoded and decoded as in a store, so a scenario finds an event that does not survive the round trip. No
/// store is needed. A failed check throws a ``ConformanceFailure`` with its file and line.
public struct Scenario<State: Aggregate>: Sendable {
    private let id: State.ID?
    private var history: [State.Event] = []

    /// - Parameters:
    ///   - type: the aggregate type.
    ///   - id: the aggregate's id; nil for the command's id, or a new one if the command has none.
    public init(_ type: State.Type, id: State.ID? = nil) { self.id = id }

    /// Adds events that happened before the command; may be called several times.
    public func given(_ events: State.Event...) -> Scenario {
        var scenario = self
        scenario.history += events
        return scenario
    }

    /// Decides a command as a dispatch does: rules first, then whether the aggregate may exist, then the decision.
    ///
    /// A command for another aggregate fails with a ``ConformanceFailure``.
    ///
    /// - Parameters:
    ///   - command: the command to decide.
    ///   - now: the time of the decision.
    ///   - file: the file of the call, for the failure.
    ///   - line: the line of the call, for the failure.
    public func when<C: AggregateCommand<State>>(
        _ command: C, at now: Date = Date(), file: String = #fileID, line: Int = #line
    ) -> Decision<State, State.Event> {
        Decision {
            let id = id ?? command.target.id ?? .new(from: .timeOrdered())
            if let other = command.target.id, State.streamID(other) != State.streamID(id) {
                throw ConformanceFailure(
                    message:
                        "the command is for \(State.streamID(other)), but the scenario is about \(State.streamID(id))",
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

/// The events after a round trip through their recorded form.
func asRecorded<Event: DomainEvent>(_ events: [Event], in stream: StreamID) throws -> [Event] {
    var builder = EventBuilder()
    return try events.map { try Event(try builder.record($0, in: stream)) }
}
