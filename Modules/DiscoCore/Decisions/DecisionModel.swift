/// What a decision is made on where it spans aggregates: folded from the events that a query selects, in their order.
///
/// ```swift
/// struct Enrolment: DecisionModel {
///     let course: String, student: String
///     var seats = 0, taken = 0, courses = 0
///     mutating func apply(_ event: CourseEvent) {
///         switch event {
///         case .courseDefined(_, let seats): self.seats = seats
///         case .studentEnrolled(let course, let student):
///             if course == self.course { taken += 1 }
///             if student == self.student { courses += 1 }
///         }
///     }
/// }
/// ```
public protocol DecisionModel: Encodable, Sendable {
    associatedtype Event: DomainEvent
    /// Pure: the same events give the same model.
    mutating func apply(_ event: Event)
}

/// A command decided on a ``DecisionModel``: pure, so that it can be decided anew when an event that matters was recorded
/// meanwhile. What it records holds only if none was.
///
/// ```swift
/// struct EnrolStudent: DecisionCommand {
///     let course: String, student: String
///     var query: EventQuery {
///         .types("CourseDefined", "StudentEnrolled").tagged(Tag("course", course))
///             .or(.types("StudentEnrolled").tagged(Tag("student", student)))
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
/// The query names every event that the decision depends on, by type and tag: whatever it does not select may happen meanwhile.
public protocol DecisionCommand: Command {
    associatedtype Model: DecisionModel

    /// The events that the decision depends on. Name their types, all of which are cases of the model's events.
    var query: EventQuery { get }
    /// The model before the first event.
    var model: Model { get }
    /// Decides: the events to record, none where there is nothing to do. A refusal is an error of the application's own.
    func run(on model: Model) throws -> [Model.Event]
    /// The stream in which an event is recorded; nil, unless stated otherwise, for one of its own. The events of one stream reach
    /// consumers one after the other.
    func stream(of event: Model.Event) -> StreamID?
}

extension DecisionCommand {
    public func stream(of event: Model.Event) -> StreamID? { nil }
}

/// What became of a ``DecisionCommand``.
public struct Decided<Model: DecisionModel>: Sendable {
    /// After the events. Of a repeat: as it was after the events of the first time.
    public let model: Model
    /// Empty where there was nothing to do.
    public let events: [Model.Event]
    /// That of the last event, nil where there was nothing to do.
    public let position: Position?
    /// How often it was decided anew because an event that matters was recorded meanwhile.
    public let conflicts: Int
    /// Whether it had been carried out before, under the same key.
    public let repeated: Bool
    /// Of the consumers that were to be awaited, those that have not passed the events; the command is recorded all the same.
    public internal(set) var behind: [ConsumerLag] = []
    let positions: [ClosedRange<Position>]

    init(
        model: Model, events: [Model.Event], appended: Appended?, conflicts: Int = 0, repeated: Bool = false
    ) {
        self.model = model
        self.events = events
        position = appended?.last
        positions = [appended?.positions].compactMap(\.self)
        self.conflicts = conflicts
        self.repeated = repeated
    }
}
