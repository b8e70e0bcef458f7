/// The state for a decision that spans aggregates, folded in order from the events that a query selects.
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
