import DiscoCore
import DiscoEventStore
import Testing

/// The code of the guide "Decisions beyond one aggregate".
@Suite struct DecisionsExamples {

    enum CourseEvent: DomainEvent, Equatable {
        case coursePlanned(course: String, seats: Int)
        case studentEnrolled(course: String, student: String)

        var tags: [EventTag] {
            switch self {
            case .coursePlanned(let course, _): [EventTag("course", course)]
            case .studentEnrolled(let course, let student): [EventTag("course", course), EventTag("student", student)]
            }
        }
    }

    enum CourseRefusal: Refusal {
        case nameTaken, noSuchCourse, courseFull, tooManyCourses

        var message: String {
            switch self {
            case .nameTaken: "There is a course of this name."
            case .noSuchCourse: "There is no course of this name."
            case .courseFull: "No seat is left."
            case .tooManyCourses: "Ten courses are the most."
            }
        }
    }

    struct Enrolment: DecisionModel {
        let course: String
        let student: String
        var seats = 0
        var taken = 0
        var courses = 0
        var isEnrolled = false

        mutating func apply(_ event: CourseEvent) {
            switch event {
            case .coursePlanned(_, let seats): self.seats = seats
            case .studentEnrolled(let course, let student):
                if course == self.course { taken += 1 }
                if student == self.student { courses += 1 }
                if course == self.course, student == self.student { isEnrolled = true }
            }
        }
    }

    struct EnrolStudent: DecisionCommand {
        let course: String
        let student: String

        var query: EventQuery {
            .types("CoursePlanned", "StudentEnrolled").tagged(EventTag("course", course))
                .or(.types("StudentEnrolled").tagged(EventTag("student", student)))
        }

        var model: Enrolment { Enrolment(course: course, student: student) }

        func run(on model: Enrolment) throws -> [CourseEvent] {
            if model.isEnrolled { return [] }
            guard model.seats > 0 else { throw CourseRefusal.noSuchCourse }
            guard model.taken < model.seats else { throw CourseRefusal.courseFull }
            guard model.courses < 10 else { throw CourseRefusal.tooManyCourses }
            return [.studentEnrolled(course: course, student: student)]
        }

        func stream(of event: CourseEvent) -> StreamID? { StreamID(category: "course", id: course) }
    }

    struct CourseName: DecisionModel {
        var isTaken = false

        mutating func apply(_ event: CourseEvent) { isTaken = true }
    }

    struct PlanCourse: DecisionCommand {
        let course: String
        let seats: Int

        var query: EventQuery { .types("CoursePlanned").tagged(EventTag("course", course)) }
        var model: CourseName { CourseName() }

        func run(on model: CourseName) throws -> [CourseEvent] {
            if model.isTaken { throw CourseRefusal.nameTaken }
            return [.coursePlanned(course: course, seats: seats)]
        }

        func stream(of event: CourseEvent) -> StreamID? { StreamID(category: "course", id: course) }
    }

    /// Names no types, so whatever carries the tag comes to its model.
    struct LookAtCourse: DecisionCommand {
        let course: String

        var query: EventQuery { .tags(EventTag("course", course)) }
        var model: CourseName { CourseName() }

        func run(on model: CourseName) -> [CourseEvent] { [] }
    }

    /// Has something recorded before the next append, as another process might.
    final class OvertakenStore: EventStore {
        private let base = InMemoryEventStore()
        private let pending = Locked<Append?>(nil)

        func overtake(with event: CourseEvent) throws {
            let append = Append([try event.recorded(in: "elsewhere-1")])
            pending.withLock { $0 = append }
        }

        func append(_ append: Append) async throws -> Appended {
            let before = pending.withLock { pending -> Append? in
                defer { pending = nil }
                return pending
            }
            if let before { _ = try await base.append(before) }
            return try await base.append(append)
        }

        func page(_ read: Read) async throws -> Page { try await base.page(read) }
        func wait(beyond position: Position) async throws { try await base.wait(beyond: position) }
        func identity() async throws -> StoreIdentity { try await base.identity() }
        var abilities: StoreAbilities { base.abilities }
        func close() async { await base.close() }
    }

    private let client = EventStoreClient(InMemoryEventStore())

    @Test func seatsAreLimitedAndNamesAreUnique() async throws {
        let orchestrator = Orchestrator(client: client, decisions: [PlanCourse.self, EnrolStudent.self])
        try await orchestrator.dispatch(PlanCourse(course: "algebra", seats: 2))
        let enrolled = try await orchestrator.dispatch(EnrolStudent(course: "algebra", student: "ada"))
        // enrolled.model.taken is 1, enrolled.events is what was recorded, enrolled.position is 2
        #expect(enrolled.model.taken == 1)
        #expect(enrolled.events == [.studentEnrolled(course: "algebra", student: "ada")])
        #expect(enrolled.position == 2)
        #expect(enrolled.conflicts == 0)
        let again = try await orchestrator.dispatch(EnrolStudent(course: "algebra", student: "ada"))
        #expect(again.events.isEmpty)
        #expect(again.position == nil)

        let answer = try await orchestrator.dispatch("enrol_student", ["course": "algebra", "student": "bob"])
        #expect(answer.output["taken"] == 2)
        await #expect(throws: CourseRefusal.courseFull) {
            try await orchestrator.dispatch(EnrolStudent(course: "algebra", student: "eve"))
        }
        await #expect(throws: CourseRefusal.noSuchCourse) {
            try await orchestrator.dispatch(EnrolStudent(course: "logic", student: "eve"))
        }
        await #expect(throws: CourseRefusal.nameTaken) {
            try await orchestrator.dispatch(PlanCourse(course: "algebra", seats: 9))
        }
        let recorded = try await client.events(in: "course-algebra").collect()
        #expect(recorded.map(\.type) == ["CoursePlanned", "StudentEnrolled", "StudentEnrolled"])
    }

    @Test func aStudentTakesTenCoursesAtMost() async throws {
        let orchestrator = Orchestrator(client: client)
        for number in 1...11 { try await orchestrator.dispatch(PlanCourse(course: "c\(number)", seats: 1)) }
        for number in 1...10 { try await orchestrator.dispatch(EnrolStudent(course: "c\(number)", student: "ada")) }
        await #expect(throws: CourseRefusal.tooManyCourses) {
            try await orchestrator.dispatch(EnrolStudent(course: "c11", student: "ada"))
        }
        let bob = try await orchestrator.dispatch(EnrolStudent(course: "c11", student: "bob"))
        #expect(bob.model.courses == 1)
    }

    @Test func anOvertakenDecisionIsMadeAgain() async throws {
        let store = OvertakenStore()
        let client = EventStoreClient(store)
        let orchestrator = Orchestrator(client: client)
        try await orchestrator.dispatch(PlanCourse(course: "algebra", seats: 2))
        try await orchestrator.dispatch(PlanCourse(course: "geometry", seats: 1))
        try await orchestrator.dispatch(PlanCourse(course: "geography", seats: 3))

        try store.overtake(with: .studentEnrolled(course: "algebra", student: "eve"))
        let ada = try await orchestrator.dispatch(EnrolStudent(course: "algebra", student: "ada"))
        #expect(ada.conflicts == 1)
        #expect(ada.model.taken == 2)

        // What the query does not select may happen meanwhile.
        try store.overtake(with: .studentEnrolled(course: "chess", student: "yan"))
        let bob = try await orchestrator.dispatch(EnrolStudent(course: "geography", student: "bob"))
        #expect(bob.conflicts == 0)

        try store.overtake(with: .studentEnrolled(course: "geometry", student: "eve"))
        await #expect(throws: CourseRefusal.courseFull) {
            try await orchestrator.dispatch(EnrolStudent(course: "geometry", student: "ada"))
        }

        var settings = Orchestrator.Settings()
        settings.attempts = 1
        let impatient = Orchestrator(client: client, settings: settings)
        let head = try await client.head()
        try store.overtake(with: .studentEnrolled(course: "geography", student: "eve"))
        let failed = await #expect(throws: ConditionFailed.self) {
            try await impatient.dispatch(EnrolStudent(course: "geography", student: "zoe"))
        }
        #expect(failed?.position.rawValue == head.rawValue + 1)
        #expect(try await client.head().rawValue == head.rawValue + 1)
    }

    @Test func twoProcessesNeverGiveASeatTwice() async throws {
        let both = [Orchestrator(client: client), Orchestrator(client: client)]
        try await both[0].dispatch(PlanCourse(course: "algebra", seats: 5))
        try await withThrowingTaskGroup(of: Void.self) { group in
            for number in 0..<20 {
                let orchestrator = both[number % 2]
                group.addTask {
                    do {
                        try await orchestrator.dispatch(EnrolStudent(course: "algebra", student: "student \(number)"))
                    } catch CourseRefusal.courseFull {
                        return
                    }
                }
            }
            try await group.waitForAll()
        }
        #expect(try await client.events(.types("StudentEnrolled")).collect().count == 5)
    }

    @Test func withoutTypesAnUnknownEventReachesTheModel() async throws {
        let orchestrator = Orchestrator(client: client)
        try await orchestrator.dispatch(PlanCourse(course: "algebra", seats: 2))
        #expect(try await orchestrator.dispatch(LookAtCourse(course: "algebra")).model.isTaken)
        try await client.emit("CourseRated", ["stars": 5] as JSON, tags: ["course:algebra"])
        await #expect(throws: UndecodableEvent.self) {
            try await orchestrator.dispatch(LookAtCourse(course: "algebra"))
        }
    }
}
