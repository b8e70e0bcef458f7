package import DiscoCore

/// Courses with limited seats and students who take at most ten courses: decisions that no single aggregate can make.
package enum CourseEvent: DomainEvent, Equatable {
    case courseDefined(course: String, seats: Int)
    case studentEnrolled(course: String, student: String)

    package var tags: [EventTag] {
        switch self {
        case .courseDefined(let course, _): [EventTag("course", course)]
        case .studentEnrolled(let course, let student): [EventTag("course", course), EventTag("student", student)]
        }
    }
}

package enum CourseRefusal: Refusal, Equatable {
    case noSuchCourse
    case full
    case tooManyCourses

    package var message: String {
        switch self {
        case .noSuchCourse: "There is no such course."
        case .full: "No seat is left."
        case .tooManyCourses: "Ten courses are the most."
        }
    }
}

package struct Enrolment: DecisionModel {
    package let course: String
    package var student = ""
    package var seats: Int?
    package var taken = 0
    package var courses = 0

    package mutating func apply(_ event: CourseEvent) {
        switch event {
        case .courseDefined(_, let seats): self.seats = seats
        case .studentEnrolled(let course, let student):
            if course == self.course { taken += 1 }
            if student == self.student { courses += 1 }
        }
    }
}

/// Records the definitions of a course in the course's own stream.
package struct DefineCourse: DecisionCommand {
    package var course: String
    package var seats: Int

    package init(course: String, seats: Int) {
        self.course = course
        self.seats = seats
    }

    package static let rules: [FieldRule<Self>] = [.field(CodingKeys.seats, \.seats, .atLeast(1))]

    package var query: EventQuery { .types("CourseDefined").tagged(EventTag("course", course)) }
    package var model: Enrolment { Enrolment(course: course) }

    package func run(on model: Enrolment) throws -> [CourseEvent] {
        model.seats == seats ? [] : [.courseDefined(course: course, seats: seats)]
    }

    package func stream(of event: CourseEvent) -> StreamID? { StreamID(category: "course", id: course) }
}

package struct EnrolStudent: DecisionCommand {
    package var course: String
    package var student: String

    package init(course: String, student: String) {
        self.course = course
        self.student = student
    }

    package var query: EventQuery {
        .types("CourseDefined", "StudentEnrolled").tagged(EventTag("course", course))
            .or(.types("StudentEnrolled").tagged(EventTag("student", student)))
    }
    package var model: Enrolment { Enrolment(course: course, student: student) }

    package func run(on model: Enrolment) throws -> [CourseEvent] {
        guard let seats = model.seats else { throw CourseRefusal.noSuchCourse }
        guard model.taken < seats else { throw CourseRefusal.full }
        guard model.courses < 10 else { throw CourseRefusal.tooManyCourses }
        return [.studentEnrolled(course: course, student: student)]
    }
}

/// Enrols both students or neither.
package struct EnrolPair: DecisionCommand {
    package let course: String
    package let students: [String]

    package init(course: String, students: [String]) {
        self.course = course
        self.students = students
    }

    package var query: EventQuery { .types("CourseDefined", "StudentEnrolled").tagged(EventTag("course", course)) }
    package var model: Enrolment { Enrolment(course: course) }

    package func run(on model: Enrolment) throws -> [CourseEvent] {
        guard model.taken + students.count <= model.seats ?? 0 else { throw CourseRefusal.full }
        return students.map { .studentEnrolled(course: course, student: $0) }
    }
}
