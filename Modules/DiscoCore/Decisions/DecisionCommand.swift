public import Foundation

/// A command decided on a ``DecisionModel``: pure, so that it can be decided anew when an event that matters was
/// recorded meanwhile. What it records holds only if none was.
///
/// ```swift
/// struct EnrolStudent: DecisionCommand {
///     let course: String, student: String
///     var query: EventQuery {
///         .types("CourseDefined", "StudentEnrolled").tagged(EventTag("course", course))
///             .or(.types("StudentEnrolled").tagged(EventTag("student", student)))
///     }
///     var model: Enrolment { Enrolment(course: course, student: student) }
///     func run(on model: Enrolment) throws -> [CourseEvent] {
///         guard model.taken < model.seats else { throw CourseRefusal.full }
///         guard model.courses < 10 else { throw CourseRefusal.tooManyCourses }
///         return [.studentEnrolled(course: course, student: student)]
///     }
/// }
/// ```
///
/// The query names every event that the decision depends on, by type and tag: whatever it does not select may happen
/// meanwhile.
public protocol DecisionCommand: ModelCommand {
    associatedtype Model

    /// Decides: the events to record, none where there is nothing to do. A refusal is an error of the application's own.
    func run(on model: Model) throws -> [Model.Event]
}

extension DecisionCommand {
    public func run(on model: Model, at now: Date) throws -> [Model.Event] { try run(on: model) }
}

/// What a ``DecisionCommand`` is made of. One whose decision depends on the time conforms to this itself, and is given
/// the time of day.
///
/// ```swift
/// struct EnrolStudent: ModelCommand {
///     let course: String, student: String
///     func run(on model: Enrolment, at now: Date) throws -> [CourseEvent] {
///         guard now < model.closesAt else { throw CourseRefusal.closed }
///         return [.studentEnrolled(course: course, student: student)]
///     }
///     // and the query and the model
/// }
/// ```
public protocol ModelCommand: Command {
    associatedtype Model: DecisionModel

    /// The events that the decision depends on. Name their types, all of which are cases of the model's events.
    var query: EventQuery { get }
    /// The model before the first event.
    var model: Model { get }
    /// Decides: the events to record, none where there is nothing to do. A refusal is an error of the application's own.
    ///
    /// - Parameters:
    ///   - model: folded from the events that ``query`` selects.
    ///   - now: the current time, read again each time that the command is decided.
    func run(on model: Model, at now: Date) throws -> [Model.Event]
    /// The stream in which an event is recorded; nil, unless stated otherwise, for one of its own. The events of one
    /// stream reach consumers one after the other.
    func stream(of event: Model.Event) -> StreamID?
}

extension ModelCommand {
    public func stream(of event: Model.Event) -> StreamID? { nil }
}
