public import DiscoCore
public import Foundation

/// A given-when-then test of a command that is decided on a model.
///
/// ```swift
/// try DecisionScenario<Enrolment>()
///     .given(.courseDefined(course: "algebra", seats: 1), .studentEnrolled(course: "algebra", student: "ada"))
///     .when(EnrolStudent(course: "algebra", student: "bob"))
///     .thenRefused(CourseRefusal.full)
/// ```
///
/// As in a dispatch, only the events that the command's query selects reach the model. A scenario therefore finds an
/// event that the query misses. Each event is recorded in its own stream unless `given` names one.
public struct DecisionScenario<Model: DecisionModel> {
    private var history: [(event: Model.Event, stream: StreamID?)] = []

    public init() {}

    /// Adds events that happened before the command; may be called several times.
    ///
    /// - Parameters:
    ///   - events: the events, in order.
    ///   - stream: the stream of the events; nil gives each event its own stream.
    public func given(_ events: Model.Event..., in stream: StreamID? = nil) -> DecisionScenario {
        var scenario = self
        scenario.history += events.map { ($0, stream) }
        return scenario
    }

    /// Decides a command as a dispatch does: rules first, then the model from the events that the query selects, then
    /// the decision.
    ///
    /// - Parameters:
    ///   - command: the command to decide.
    ///   - now: the time of the decision.
    public func when<C: ModelCommand>(_ command: C, at now: Date = Date()) -> Decision<Model, Model.Event>
    where C.Model == Model {
        Decision {
            try command.validated()
            var builder = EventBuilder()
            var model = command.model
            for (number, past) in history.enumerated() {
                let recorded = try builder.record(past.event, in: past.stream ?? StreamID("given-\(number + 1)"))
                if command.query.matches(recorded) { model.apply(try Model.Event(recorded)) }
            }
            let events = try asRecorded(try command.run(on: model, at: now), in: "decided-1")
            for event in events { model.apply(event) }
            return (model, events)
        }
    }
}
