import CourseDomain
import DiscoCore
import DiscoEventStore
import Foundation
import Testing

@Suite(.timeLimit(.minutes(1))) struct DecisionTests {
    private let store = InMemoryEventStore()
    private var client: EventStoreClient { EventStoreClient(store) }

    private func orchestrator(on store: (any EventStore)? = nil, attempts: Int = 100) -> Orchestrator {
        var settings = Orchestrator.Settings()
        settings.attempts = attempts
        return Orchestrator(
            client: EventStoreClient(store ?? self.store), decisions: [DefineCourse.self, EnrolStudent.self],
            settings: settings)
    }

    /// The refusal of each command; nil if it succeeded.
    private func refusals(
        of commands: [EnrolStudent], by orchestrators: [Orchestrator]
    ) async throws -> [CourseRefusal?] {
        try await withThrowingTaskGroup(of: CourseRefusal?.self) { group in
            for (number, command) in commands.enumerated() {
                let orchestrator = orchestrators[number % orchestrators.count]
                group.addTask {
                    do {
                        try await orchestrator.dispatch(command)
                        return nil
                    } catch let refusal as CourseRefusal {
                        return refusal
                    }
                }
            }
            return try await group.reduce(into: []) { $0.append($1) }
        }
    }

    /// A store that records one of the events before each append, and the number of appends tried.
    private func slipping(_ events: CourseEvent...) -> (store: HookedEventStore, tried: Locked<Int>) {
        let (store, left, tried) = (store, Locked(events), Locked(0))
        let hooked = HookedEventStore(
            store,
            append: { append in
                tried.withLock { $0 += 1 }
                if let event = left.withLock({ $0.isEmpty ? nil : $0.removeFirst() }) {
                    _ = try await store.append(Append([try event.recorded(in: "slipped-1")]))
                }
                return try await store.append(append)
            })
        return (hooked, tried)
    }

    @Test func twoHundredConcurrentEnrolmentsFillExactlyTheSeats() async throws {
        let offices = [orchestrator(), orchestrator()]
        try await offices[0].dispatch(DefineCourse(course: "algebra", seats: 30))
        let commands = (0..<200).map { EnrolStudent(course: "algebra", student: "student \($0)") }
        let refusals = try await refusals(of: commands, by: offices)
        #expect(refusals.count { $0 == nil } == 30)
        #expect(refusals.count { $0 == .full } == 170)
        let enrolled = try await client.events(.types("StudentEnrolled")).collect()
        #expect(enrolled.count == 30)
        #expect(Set(enrolled.map(\.tags)).count == 30)
    }

    @Test func aStudentWhoEnrolsEverywhereAtOnceGetsExactlyTenCourses() async throws {
        let offices = [orchestrator(), orchestrator()]
        let courses = (0..<25).map { "course \($0)" }
        for course in courses { try await offices[0].dispatch(DefineCourse(course: course, seats: 5)) }
        let refusals = try await refusals(of: courses.map { EnrolStudent(course: $0, student: "ada") }, by: offices)
        #expect(refusals.count { $0 == nil } == 10)
        #expect(refusals.count { $0 == .tooManyCourses } == 15)
        #expect(try await client.events(.tags("student:ada")).collect().count == 10)
    }

    @Test func decisionsOnTheSameEventsInOneProcessDoNotConflict() async throws {
        let office = orchestrator(attempts: 1)
        try await office.dispatch(DefineCourse(course: "algebra", seats: 100))
        let commands = (0..<100).map { EnrolStudent(course: "algebra", student: "student \($0)") }
        let refusals = try await refusals(of: commands, by: [office])
        #expect(refusals.allSatisfy { $0 == nil })
    }

    @Test func anEventRecordedBetweenFoldAndAppendCausesANewDecision() async throws {
        try await orchestrator().dispatch(DefineCourse(course: "algebra", seats: 2))
        let (store, tried) = slipping(.studentEnrolled(course: "algebra", student: "bob"))
        let decided = try await orchestrator(on: store).dispatch(EnrolStudent(course: "algebra", student: "ada"))
        #expect(decided.conflicts == 1)
        #expect(decided.model.taken == 2)
        #expect(decided.events == [.studentEnrolled(course: "algebra", student: "ada")])
        #expect(decided.position == 3)
        #expect(tried.withLock { $0 } == 2)
    }

    @Test func aSeatThatIsTakenMeanwhileIsRefused() async throws {
        try await orchestrator().dispatch(DefineCourse(course: "algebra", seats: 1))
        let (store, _) = slipping(.studentEnrolled(course: "algebra", student: "bob"))
        await #expect(throws: CourseRefusal.full) {
            try await orchestrator(on: store).dispatch(EnrolStudent(course: "algebra", student: "ada"))
        }
        #expect(try await client.events(.types("StudentEnrolled")).collect().count == 1)
    }

    @Test func anEventThatTheQueryDoesNotSelectCausesNoConflict() async throws {
        try await orchestrator().dispatch(DefineCourse(course: "algebra", seats: 1))
        let (store, tried) = slipping(.studentEnrolled(course: "geometry", student: "bob"))
        let decided = try await orchestrator(on: store).dispatch(EnrolStudent(course: "algebra", student: "ada"))
        #expect(decided.conflicts == 0)
        #expect(decided.model.taken == 1)
        #expect(tried.withLock { $0 } == 1)
    }

    @Test func aConflictIsThrownAfterTheLastAttempt() async throws {
        try await orchestrator().dispatch(DefineCourse(course: "algebra", seats: 100))
        let (store, tried) = slipping(
            .studentEnrolled(course: "algebra", student: "a"), .studentEnrolled(course: "algebra", student: "b"),
            .studentEnrolled(course: "algebra", student: "c"), .studentEnrolled(course: "algebra", student: "d"))
        let failed = await #expect(throws: ConditionFailed.self) {
            try await orchestrator(on: store, attempts: 3).dispatch(EnrolStudent(course: "algebra", student: "ada"))
        }
        #expect(tried.withLock { $0 } == 3)
        #expect(failed?.position == 4)
        #expect(try await client.events(.tags("student:ada")).collect().isEmpty)
    }

    @Test func aDecisionWithNothingToDoRecordsNothing() async throws {
        let office = orchestrator()
        let first = try await office.dispatch(DefineCourse(course: "algebra", seats: 2))
        #expect(first.position == 1)
        let again = try await office.dispatch(DefineCourse(course: "algebra", seats: 2))
        #expect(again.events == [])
        #expect(again.position == nil)
        #expect(again.model.seats == 2)
        #expect(!again.repeated)
        #expect(try await client.head() == 1)
    }

    @Test func eventsAreRecordedInTheGivenStreamOrTheirOwn() async throws {
        let office = orchestrator()
        try await office.dispatch(DefineCourse(course: "algebra", seats: 2))
        try await office.dispatch(DefineCourse(course: "algebra", seats: 3))
        try await office.dispatch(EnrolPair(course: "algebra", students: ["ada", "bob"]))
        let events = try await client.events().collect()
        #expect(events.map(\.stream).prefix(2) == ["course-algebra", "course-algebra"])
        #expect(events.map(\.version) == [1, 2, 1, 1])
        for event in events.dropFirst(2) {
            #expect(event.stream.category == "StudentEnrolled")
            #expect(UUID(uuidString: event.stream.id) == event.id)
        }
    }

    @Test func aModelCommandIsDispatchedByName() async throws {
        let office = orchestrator()
        #expect(office.commands() == ["define_course", "enrol_student"])
        try await office.dispatch("define_course", ["course": "algebra", "seats": 2])
        let answer = try await office.dispatch("enrol_student", ["course": "algebra", "student": "ada"])
        #expect(
            answer.output
                == ["course": "algebra", "student": "ada", "seats": 2, "taken": 1, "courses": 1])
        #expect(answer.position == 2)
        #expect(!answer.repeated)
        await #expect(throws: CourseRefusal.noSuchCourse) {
            try await office.dispatch("enrol_student", ["course": "alchemy", "student": "ada"])
        }
    }

    @Test func anInvalidCommandIsNotDecided() async throws {
        let office = orchestrator()
        let wrong = ValidationError(["seats": ["must be at least 1"]])
        await #expect(throws: wrong) { try await office.dispatch(DefineCourse(course: "algebra", seats: 0)) }
        await #expect(throws: wrong) {
            try await office.dispatch("define_course", ["course": "algebra", "seats": 0])
        }
        #expect(try await client.head() == 0)
    }

    @Test func aModelIsFoldedFromEveryPageOfItsEvents() async throws {
        try await orchestrator().dispatch(DefineCourse(course: "algebra", seats: 5_000))
        let others = try (0..<2_500).map {
            try CourseEvent.studentEnrolled(course: "algebra", student: "student \($0)").recorded(in: "old-1")
        }
        try await client.append(Append(others))
        let decided = try await orchestrator().dispatch(EnrolStudent(course: "algebra", student: "ada"))
        #expect(decided.model.taken == 2_501)
    }

    @Test func theEventsOfADecisionShareOneCorrelationID() async throws {
        let office = orchestrator()
        try await office.dispatch(DefineCourse(course: "algebra", seats: 2))
        try await office.dispatch(EnrolPair(course: "algebra", students: ["ada", "bob"]))
        let events = try await client.events().collect()
        let (cause, pair) = (try #require(events.first), events.dropFirst())
        #expect(Set(pair.map(\.metadata.correlationID)).count == 1)
        #expect(pair.allSatisfy { $0.metadata.correlationID != nil && $0.metadata.causationID != nil })
        #expect(pair.first?.metadata.correlationID != cause.metadata.correlationID)
        try await office.dispatch(
            DefineCourse(course: "algebra", seats: 3),
            metadata: Metadata(correlationID: cause.metadata.correlationID, causationID: cause.id))
        let last = try #require(try await client.events(direction: .backward, limit: 1).collect().first)
        #expect(last.metadata.correlationID == cause.metadata.correlationID)
        #expect(last.metadata.causationID == cause.id)
    }

    @Test func severalEventsAreRecordedAllOrNone() async throws {
        let office = orchestrator()
        try await office.dispatch(DefineCourse(course: "algebra", seats: 3))
        let first = try await office.dispatch(EnrolPair(course: "algebra", students: ["ada", "bob"]))
        #expect(first.model.taken == 2)
        #expect(first.position == 3)
        await #expect(throws: CourseRefusal.full) {
            try await office.dispatch(EnrolPair(course: "algebra", students: ["eve", "joe"]))
        }
        #expect(try await client.head() == 3)
    }
}
