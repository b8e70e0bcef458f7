public import DiscoCore
import Foundation

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
/// Events go through their recorded form, so one that does not come back as it went in is found here. No store is needed.
/// What is not as it must be throws a ``ConformanceFailure`` with its place in the source.
public struct Scenario<State: Aggregate>: Sendable {
    private let id: State.ID
    private var history: [State.Event] = []

    public init(_ type: State.Type, id: State.ID = .new(from: .timeOrdered())) { self.id = id }

    /// What happened before; may be called several times.
    public func given(_ events: State.Event...) -> Scenario {
        var scenario = self
        scenario.history += events
        return scenario
    }

    /// Has the aggregate decide a command as a dispatch would: rules first, then whether it may exist, then the decision.
    public func when<C: AggregateCommand<State>>(_ command: C) -> Decision<State> {
        Decision {
            var state = State(id: id)
            for event in try recorded(history, in: State.stream(id)) { state.apply(event) }
            try command.validated()
            try command.target.check(exists: !history.isEmpty, stream: State.stream(id))
            let events = try recorded(try command.run(on: state), in: State.stream(id))
            for event in events { state.apply(event) }
            return (state, events)
        }
    }

    private func recorded(_ events: [State.Event], in stream: StreamID) throws -> [State.Event] {
        var builder = EventBuilder()
        return try events.map { try State.Event(try builder.record($0, in: stream)) }
    }
}

/// What was decided; ``Scenario/when(_:)`` makes it.
public struct Decision<State: Aggregate> {
    private let outcome: Result<(state: State, events: [State.Event]), any Error>

    init(_ body: () throws -> (state: State, events: [State.Event])) { outcome = Result(catching: body) }

    /// Exactly these events were decided; none means that there was nothing to do.
    @discardableResult
    public func then(_ expected: State.Event..., file: String = #fileID, line: Int = #line) throws -> Decision {
        let events = try decided(file, line).events
        let (shown, wanted) = try (Self.shown(events), Self.shown(expected))
        try require(shown == wanted, "decided was \(shown), expected was \(wanted)", file: file, line: line)
        return self
    }

    /// The state after the events is as `check` wants it.
    @discardableResult
    public func thenState(
        file: String = #fileID, line: Int = #line, _ check: (State) throws -> Bool
    ) throws -> Decision {
        let state = try decided(file, line).state
        try require(try check(state), "the state is \(state)", file: file, line: line)
        return self
    }

    /// The command was refused with this very error.
    public func thenRefused<Refusal: Error & Equatable>(
        _ expected: Refusal, file: String = #fileID, line: Int = #line
    ) throws {
        try thenRefused(file: file, line: line) { (error: Refusal) in error == expected }
    }

    /// The command was refused with an error of this kind, of which `check` holds.
    public func thenRefused<Refusal: Error>(
        file: String = #fileID, line: Int = #line, _ check: (Refusal) -> Bool
    ) throws {
        switch outcome {
        case .success(let decided):
            let shown = try Self.shown(decided.events)
            throw ConformanceFailure(message: "decided was \(shown), expected was a refusal", file: file, line: line)
        case .failure(let error):
            let holds = (error as? Refusal).map(check) ?? false
            try require(holds, "the refusal is \(error)", file: file, line: line)
        }
    }

    private func decided(_ file: String, _ line: Int) throws -> (state: State, events: [State.Event]) {
        do {
            return try outcome.get()
        } catch {
            throw ConformanceFailure(message: "the refusal is \(error)", file: file, line: line)
        }
    }

    /// As they are recorded, since events need not be `Equatable`.
    private static func shown(_ events: [State.Event]) throws -> String {
        if events.isEmpty { return "nothing" }
        return try events.map { event in
            let new = try event.recorded(in: "shown-1")
            return "\(new.type) \(new.payload)" + (new.tags.isEmpty ? "" : " \(new.tags)")
        }.joined(separator: ", ")
    }
}
