public import Foundation

/// A command decided on a ``DecisionModel``. It is pure, so that it can be decided again if a matching event was
/// recorded meanwhile. Its events are recorded only if none was.
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
/// The query selects every event that the decision depends on, by type and tag. Events that it does not select may be
/// recorded meanwhile.
public protocol DecisionCommand: ModelCommand {
    associatedtype Model

    /// Decides which events to record; returns none if there is nothing to do. Throws an application error to refuse.
    func run(on model: Model) throws -> [Model.Event]
}

extension DecisionCommand {
    public func run(on model: Model, at now: Date) throws -> [Model.Event] { try run(on: model) }
}

/// The base of ``DecisionCommand``. A command whose decision depends on the time conforms to this protocol directly and
/// receives the current time.
///
/// ```swift
/// struct EnrolStudent: ModelCommand {
///     let course: String, student: String
///     func run(on model: Enrolment, at now: Date) throws -> [CourseEvent] {
///         guard now < model.closesAt else { throw CourseRefusal.closed }
///         return [.studentEnrolled(course: course, student: student)]
///     }
///     // plus the query and the model
/// }
/// ```
public protocol ModelCommand: Command {
    associatedtype Model: DecisionModel

    /// The events that the decision depends on. Name their types; each must be recorded by a case of the model's
    /// events.
    var query: EventQuery { get }
    /// The model before the first event.
    var model: Model { get }
    /// Decides which events to record; returns none if there is nothing to do. Throws an application error to refuse.
    ///
    /// - Parameters:
    ///   - model: the model, folded from the events that ``query`` selects.
    ///   - now: the current time, read again each time the command is decided.
    func run(on model: Model, at now: Date) throws -> [Model.Event]
    /// The stream in which an event is recorded; `nil`, the default, gives the event its own stream. The events of one
    /// stream reach consumers one after the other.
    func stream(of event: Model.Event) -> StreamID?
}

extension ModelCommand {
    public func stream(of event: Model.Event) -> StreamID? { nil }
}
