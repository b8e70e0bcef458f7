public import DiscoCore
import Foundation

/// The outcome of a decision, made by a ``Scenario`` or a ``DecisionScenario``.
public struct Decision<State, Event: DomainEvent> {
    private let outcome: Result<(state: State, events: [Event]), any Error>

    init(_ body: () throws -> (state: State, events: [Event])) { outcome = Result(catching: body) }

    /// Checks that exactly these events were decided; no arguments means that there was nothing to do.
    @discardableResult
    public func then(_ expected: Event..., file: String = #fileID, line: Int = #line) throws -> Decision {
        let events = try decided(file, line).events
        let (shown, wanted) = try (Self.shown(events), Self.shown(expected))
        try require(shown == wanted, "decided \(shown), expected \(wanted)", file: file, line: line)
        return self
    }

    /// Checks that `check` returns true for the state after the events.
    @discardableResult
    public func thenState(
        file: String = #fileID, line: Int = #line, _ check: (State) throws -> Bool
    ) throws -> Decision {
        let state = try decided(file, line).state
        try require(try check(state), "unexpected state: \(state)", file: file, line: line)
        return self
    }

    /// Checks that the command was refused with this error.
    public func thenRefused<Refusal: Error & Equatable>(
        _ expected: Refusal, file: String = #fileID, line: Int = #line
    ) throws {
        try thenRefused(file: file, line: line) { (error: Refusal) in error == expected }
    }

    /// Checks that the command was refused with an error of this type for which `check` returns true.
    public func thenRefused<Refusal: Error>(
        file: String = #fileID, line: Int = #line, _ check: (Refusal) -> Bool
    ) throws {
        switch outcome {
        case .success(let decided):
            let shown = try Self.shown(decided.events)
            throw ConformanceFailure(message: "decided \(shown), expected a refusal", file: file, line: line)
        case .failure(let error as ConformanceFailure): throw error
        case .failure(let error):
            let holds = (error as? Refusal).map(check) ?? false
            try require(holds, "unexpected refusal: \(error)", file: file, line: line)
        }
    }

    private func decided(_ file: String, _ line: Int) throws -> (state: State, events: [Event]) {
        do {
            return try outcome.get()
        } catch let failure as ConformanceFailure {
            throw failure
        } catch {
            throw ConformanceFailure(message: "unexpected refusal: \(error)", file: file, line: line)
        }
    }

    /// The events in their recorded form, since events need not be `Equatable`.
    private static func shown(_ events: [Event]) throws -> String {
        if events.isEmpty { return "nothing" }
        return try events.map { event in
            let new = try event.recorded(in: "shown-1")
            return "\(new.type) \(new.payload)" + (new.tags.isEmpty ? "" : " \(new.tags)")
        }.joined(separator: ", ")
    }
}
