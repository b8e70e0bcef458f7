public import DiscoCore
public import Foundation

/// What has happened, what is asked, and what must be decided, for commands that are decided on a model: given, when,
/// then.
///
/// ```swift
/// try DecisionScenario<Enrolment>()
///     .given(.courseDefined(course: "algebra", seats: 1), .studentEnrolled(course: "algebra", student: "ada"))
///     .when(EnrolStudent(course: "algebra", student: "bob"))
///     .thenRefused(CourseRefusal.full)
/// ```
///
/// Only what the command's query selects reaches the model, as in a dispatch: an event that it should select and does
/// not is found here. Events are recorded in streams of their own unless they are given with one.
public struct DecisionScenario<Model: DecisionModel> {
    private var history: [(event: Model.Event, stream: StreamID?)] = []

    public init() {}

    /// What happened before; may be called several times.
    ///
    /// - Parameters:
    ///   - events: in their order.
    ///   - stream: where they were recorded; nil gives each a stream of its own.
    public func given(_ events: Model.Event..., in stream: StreamID? = nil) -> DecisionScenario {
        var scenario = self
        scenario.history += events.map { ($0, stream) }
        return scenario
    }

    /// Decides a command as a dispatch would: rules first, then the model from what the query selects, then the
    /// decision.
    ///
    /// - Parameters:
    ///   - command: what is decided.
    ///   - now: the time at which it is decided.
    public func when<C: ModelCommand>(_ command: C, at now: Date = Date()) -> Decision<Model, Model.Event>
    where C.Model == Model {
        Decision {
            var builder = EventBuilder()
            var model = command.model
            for (number, past) in history.enumerated() {
                let recorded = try builder.record(past.event, in: past.stream ?? StreamID("given-\(number + 1)"))
                if command.query.matches(recorded) { model.apply(try Model.Event(recorded)) }
            }
            try command.validated()
            let events = try asRecorded(try command.run(on: model, at: now), in: "decided-1")
            for event in events { model.apply(event) }
            return (model, events)
        }
    }
}
