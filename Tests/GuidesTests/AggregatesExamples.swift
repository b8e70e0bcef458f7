import DiscoCore
import DiscoEventStore
import DiscoTesting
import Foundation
import Testing

/// The code of the guide "Aggregates".
@Suite struct AggregatesExamples {

    struct Course: Aggregate {
        let id: String
        var seats = 0
        var students: Set<String> = []

        init(id: String) { self.id = id }

        static let category = "training"
        static let commands: [any AggregateCommand<Course>.Type] = [PlanCourse.self, EnrolStudent.self]

        enum Event: DomainEvent, Equatable {
            case coursePlanned(seats: Int)
            case studentEnrolled(studentID: String)

            enum StudentEnrolledCodingKeys: String, CodingKey { case studentID = "student_id" }

            var tags: [EventTag] {
                switch self {
                case .coursePlanned: []
                case .studentEnrolled(let studentID): [EventTag("student", studentID)]
                }
            }
        }

        mutating func apply(_ event: Event) {
            switch event {
            case .coursePlanned(let seats): self.seats = seats
            case .studentEnrolled(let studentID): students.insert(studentID)
            }
        }
    }

    struct PlanCourse: CreateCommand {
        let id: String
        let seats: Int

        var target: CommandTarget<String> { .new(id) }

        func run(on course: Course) -> [Course.Event] { [.coursePlanned(seats: seats)] }
    }

    struct EnrolStudent: UpdateCommand {
        let id: String
        let studentID: String

        func run(on course: Course) -> [Course.Event] {
            course.students.contains(studentID) ? [] : [.studentEnrolled(studentID: studentID)]
        }
    }

    enum AfterAYear {
        enum Event: DomainEvent, Equatable {
            case seatTaken(studentID: String, note: String?)

            enum SeatTakenCodingKeys: String, CodingKey {
                case studentID = "student_id"
                case note
            }

            static let typesOfCases = ["seatTaken": "StudentEnrolled"]
        }
    }

    enum Lessons {
        enum Event: DomainEvent, Equatable {
            case lessonHeld(room: String)
            case lessonMissed

            enum CodingKeys: String, CodingKey, CaseIterable { case lessonHeld, lessonMissed }
        }
    }

    struct OrderNumber: AggregateID, RawRepresentable {
        let rawValue: Int

        init(rawValue: Int) { self.rawValue = rawValue }

        init?(string: String) {
            guard let number = Int(string) else { return nil }
            self.init(rawValue: number)
        }

        var string: String { String(rawValue) }

        static func new(from uuid: UUID) -> OrderNumber { OrderNumber(rawValue: .new(from: uuid)) }
    }

    @Test func anEventIsRecordedUnderItsCaseNameWithItsTags() throws {
        let event = try Course.Event.studentEnrolled(studentID: "ada").recorded(in: Course.streamID("algebra"))
        // event.stream is training-algebra, event.type is StudentEnrolled, event.tags is [student:ada],
        // event.payload is {"student_id":"ada"}
        #expect(event.stream == "training-algebra")
        #expect(event.type == "StudentEnrolled")
        #expect(event.tags == ["student:ada"])
        #expect(event.payload == #"{"student_id":"ada"}"#)
    }

    @Test func anOldEventIsReadAsItsRenamedCase() throws {
        var events = EventBuilder()
        let old = try events.record(Course.Event.studentEnrolled(studentID: "ada"), in: "training-algebra")
        #expect(try AfterAYear.Event(old) == .seatTaken(studentID: "ada", note: nil))
        let new = try events.record(AfterAYear.Event.seatTaken(studentID: "bob", note: "late"), in: old.stream)
        #expect(new.type == "StudentEnrolled")
        #expect(try AfterAYear.Event(new) == .seatTaken(studentID: "bob", note: "late"))
        let planned = try events.record(Course.Event.coursePlanned(seats: 3), in: old.stream)
        let error = #expect(throws: UndecodableEvent.self) { try AfterAYear.Event(planned) }
        #expect(error?.position == 3)
    }

    @Test func anEnumThatListsItsCasesNamesTheKnownTypes() throws {
        var events = EventBuilder()
        let held = try events.record(Lessons.Event.lessonHeld(room: "7"), in: "lesson-a")
        #expect(try Lessons.Event(held) == .lessonHeld(room: "7"))
        let planned = try events.record(Course.Event.coursePlanned(seats: 3), in: "lesson-a")
        let error = #expect(throws: UndecodableEvent.self) { try Lessons.Event(planned) }
        #expect(error?.description.contains("known types: LessonHeld, LessonMissed") == true)
    }

    @Test func aCustomIDIsEncodedAsItsRawValue() throws {
        #expect(try JSON(encoding: OrderNumber(rawValue: 7)) == 7)
        #expect(OrderNumber(string: "7") == OrderNumber(rawValue: 7))
        #expect(OrderNumber(string: "seven") == nil)
    }

    @Test func theCacheCanBeSmaller() async throws {
        let client = EventStoreClient(InMemoryEventStore())
        var settings = Orchestrator.Settings()
        settings.cachedAggregates = 500
        let orchestrator = Orchestrator(client: client, aggregates: [Course.self], settings: settings)
        try await orchestrator.dispatch(PlanCourse(id: "algebra", seats: 3))
        let enrolled = try await orchestrator.dispatch(EnrolStudent(id: "algebra", studentID: "ada"))
        #expect(enrolled.state.students == ["ada"])
        #expect(try await orchestrator.dispatch(EnrolStudent(id: "algebra", studentID: "ada")).events.isEmpty)
        #expect(try await client.version(of: "training-algebra") == 2)
    }
}
