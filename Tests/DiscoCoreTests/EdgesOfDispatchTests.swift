import DiscoCore
import DiscoEventStore
import DiscoTesting
import Foundation
import Testing
import WalletDomain

/// Requests with edge-case values are refused with the field's name and do not trap.
@Suite(.timeLimit(.minutes(1))) struct EdgesOfDispatchTests {
    struct Note: Aggregate {
        enum Event: DomainEvent, Equatable { case noteTouched(text: String) }
        let id: String
        var text = ""
        init(id: String) { self.id = id }
        static let commands: [any AggregateCommand<Note>.Type] = [Touch.self]
        mutating func apply(_ event: Event) { if case .noteTouched(let text) = event { self.text += text } }
    }

    struct Touch: TimelessCommand {
        let id: String
        var text = "t"
        enum CodingKeys: String, CodingKey { case id }
        var target: CommandTarget<String> { .any(id) }
        func run(on note: Note) throws -> [Note.Event] { [.noteTouched(text: text)] }
    }

    struct FindText: DiscoCore.Query {
        func run(in context: QueryContext) async throws -> Int { try await context.read { _ in 1 } }
    }

    private let client = EventStoreClient(InMemoryEventStore())
    private var orchestrator: Orchestrator {
        Orchestrator(client: client, aggregates: [Note.self, Wallet.self], queries: [FindText.self])
    }

    @Test(arguments: [
        ("", "must not be empty"), ("ada\0x", "must not contain a NUL"), ("\0", "must not contain a NUL"),
        (String(repeating: "x", count: 508), "must be at most 507 bytes long"),
        (String(repeating: "é", count: 254), "must be at most 507 bytes long"),
    ])
    func anIDThatCannotBePartOfAStreamNameIsAnInvalidField(id: String, message: String) async throws {
        try await orchestrator.dispatch("touch", ["id": "ada"])
        await #expect(throws: ValidationError(["id": [message]])) {
            try await orchestrator.dispatch("touch", ["id": .string(id)])
        }
        await #expect(throws: ValidationError(["id": [message]])) { try await orchestrator.dispatch(Touch(id: id)) }
        #expect(try await client.head() == 1)
    }

    @Test(arguments: ["", "\0", "k\0x", "$k", String(repeating: "k", count: 256)])
    func anInvalidKeyIsRefused(key: String) async throws {
        let error = await #expect(throws: ValidationError.self) {
            try await orchestrator.dispatch("touch", ["id": "ada"], key: key)
        }
        #expect(error?.fields.keys.sorted() == ["idempotency_key"])
        #expect(try await client.head() == 0)
    }

    @Test func malformedAppendsAndReadsAreInvalidNotInternalErrors() async throws {
        let malformed = await #expect(throws: EventStoreError.self) {
            try await client.append(Append([NewEvent(stream: "nohyphen", type: "T", payload: "{}")]))
        }
        #expect(ErrorDescription(try #require(malformed)).kind == .invalid)
        let unread = await #expect(throws: EventStoreError.self) { _ = try await client.events(in: "a\0-1").collect() }
        #expect(ErrorDescription(try #require(unread)).kind == .invalid)
        let empty = await #expect(throws: EventStoreError.self) {
            try await client.append(Append([NewEvent(stream: "a-1", type: "", payload: "{}")]))
        }
        #expect(empty?.message == "The event type is empty.")
    }

    @Test func anUnregisteredQueryIsRefusedByTypeAndByName() async throws {
        let plain = Orchestrator(client: client)
        let unknown = DispatchError.unknownQuery("find_text", known: [])
        await #expect(throws: unknown) { try await plain.query(FindText()) }
        await #expect(throws: unknown) { try await plain.query("find_text") }
        for position in [Position(rawValue: .min), 0, Position(rawValue: .max)] {
            await #expect(throws: DispatchError.noReadModel("find_text")) {
                try await orchestrator.query(FindText(), after: position)
            }
        }
    }

    @Test func extremeDurationsAndNumbersDoNotTrap() async throws {
        let long = Duration(secondsComponent: .max, attosecondsComponent: 999_999_999_999_999_999)
        let limited = Orchestrator(
            client: client, aggregates: [Note.self], middleware: [TimeLimitMiddleware(long)])
        try await limited.dispatch(Touch(id: "ada"), within: long)
        let least = Duration(secondsComponent: .min, attosecondsComponent: 0)
        try await orchestrator.dispatch(Touch(id: "ada"), within: least)
        #expect(try await client.version(of: "note-ada") == 2)
        let bound = Locked(0)
        #expect(bound.waiting(for: least) { $0 == 0 ? 1 : nil } == 1)
        for events in [Int.min, 0, .max] {
            _ = SnapshotPolicy.every(events: events).or(.every(bytes: events)).or(.whenFoldingTakes(long))
        }
        for number in [Int.min, 0, .max] {
            #expect(CommandQueue(orchestrator, capacity: number, width: number).count == 0)
        }
        var settings = Orchestrator.Settings()
        for number in [Int.min, 0, .max] {
            (settings.attempts, settings.cachedAggregates) = (number, number)
            let orchestrator = Orchestrator(client: client, aggregates: [Note.self], settings: settings)
            try await orchestrator.dispatch(Touch(id: "bob"))
        }
    }

    // MARK: Messages

    private struct Order: NamedRequest {
        enum Currency: String, Codable, CaseIterable {
            case euro = "EUR"
            case dollar = "USD"
        }
        enum Size: Int, Codable, CaseIterable {
            case small = 1
            case large = 2
        }
        let currency: Currency
        let size: Size
        let count: Int
        let note: String
    }

    @Test func anUnknownRawValueDoesNotHideTheMessagesOfOtherFields() {
        let error = #expect(throws: ValidationError.self) {
            try Order(validating: ["currency": "GBP", "size": 7, "count": "many", "colour": "red"])
        }
        #expect(
            error?.fields == [
                "currency": ["must be one of: EUR, USD"], "size": ["must be one of: 1, 2"],
                "count": ["must be an integer"],
                "note": ["is required"], "colour": ["is not a known field"],
            ])
    }

    @Test func anEventAsJSONHasTheApplicationsAndItsOwnMetadata() throws {
        let (correlation, causation) = (UUID(), UUID())
        let values = JSONText(["correlation_id": "order 7", "causation_id": 5, "user": "ada"])
        let event = RecordedEvent(
            position: 1, stream: "a-1", version: 1, id: UUID(), type: "T", typeVersion: 3, payload: "{}",
            metadata: Metadata(correlationID: correlation, causationID: causation, values: values),
            recordedAt: .distantPast)
        let json = try event.wire.value()
        #expect(json["metadata"] == ["correlation_id": "order 7", "causation_id": 5, "user": "ada"])
        #expect(json["correlation_id"]?.string == correlation.uuidString.lowercased())
        #expect(json["causation_id"]?.string == causation.uuidString.lowercased())
        #expect(json["type_version"] == 3)
    }

    // MARK: Keys

    /// A store that runs `other` while the first decision reads its events.
    private func meanwhile(_ store: any EventStore, _ other: @escaping @Sendable () async throws -> Void)
        -> Orchestrator
    {
        let isFirst = Locked(true)
        let hooked = HookedEventStore(
            store,
            page: { read in
                let goesFirst = isFirst.withLock { isFirst in
                    defer { isFirst = false }
                    return isFirst
                }
                if goesFirst { try await other() }
                return try await store.page(read)
            })
        return Orchestrator(
            client: EventStoreClient(hooked), aggregates: [Wallet.self], decisions: [BookSeat.self],
            commands: [TakeAll.self])
    }

    /// Another process records the same command while this one loads its events.
    @Test func aCommandRecordedMeanwhileUnderTheKeyIsTheAnswer() async throws {
        let store = InMemoryEventStore()
        let other = Orchestrator(client: EventStoreClient(store), aggregates: [Wallet.self])
        let id = try await other.dispatch(CreateWallet(userID: UUID(), balance: 5)).state.id
        let orchestrator = meanwhile(store) { try await other.dispatch(WithdrawMoney(id: id, amount: 5), key: "k") }
        let answer = try await orchestrator.dispatch(WithdrawMoney(id: id, amount: 5), key: "k")
        #expect(answer.repeated)
        #expect(answer.state.balance == 0)
        #expect(answer.version == 2)
        #expect(try await EventStoreClient(store).head() == 2)
    }

    @Test func aDecisionRecordedMeanwhileUnderTheKeyIsTheAnswer() async throws {
        let store = InMemoryEventStore()
        let other = Orchestrator(client: EventStoreClient(store), decisions: [BookSeat.self])
        try await other.dispatch(BookSeat(hall: "blue", guest: "bob"))
        let orchestrator = meanwhile(store) { try await other.dispatch(BookSeat(hall: "blue", guest: "ada"), key: "k") }
        let answer = try await orchestrator.dispatch(BookSeat(hall: "blue", guest: "ada"), key: "k")
        #expect(answer.repeated)
        #expect(answer.events == [.seatBooked(hall: "blue", guest: "ada")])
        #expect(try await EventStoreClient(store).head() == 2)
    }

    /// Refuses if there is nothing to take.
    private struct TakeAll: ActionCommand {
        let id: UUID
        struct Nothing: Error {}

        func run(in context: ActionContext) async throws -> Decimal {
            let wallet = try await context.load(Wallet.self, id)
            guard wallet.state.balance > 0 else { throw Nothing() }
            try await context.append([wallet.recording(.moneyWithdrawn(amount: wallet.state.balance))])
            return wallet.state.balance
        }

        func repeated(_ appended: Appended, in context: ActionContext) async throws -> Decimal { 7 }
    }

    @Test func anActionRecordedMeanwhileUnderTheKeyIsTheAnswer() async throws {
        let store = InMemoryEventStore()
        let other = Orchestrator(client: EventStoreClient(store), aggregates: [Wallet.self], commands: [TakeAll.self])
        let id = try await other.dispatch(CreateWallet(userID: UUID(), balance: 7)).state.id
        let orchestrator = meanwhile(store) { try await other.dispatch(TakeAll(id: id), key: "k") }
        let answer = try await orchestrator.dispatch(TakeAll(id: id), key: "k")
        #expect(answer.repeated)
        #expect(answer.output == 7)
        #expect(try await EventStoreClient(store).head() == 2)
    }

    // MARK: Scenarios and schemas

    @Test func aScenarioRefusesACommandForAnotherAggregate() throws {
        let failure = #expect(throws: ConformanceFailure.self) {
            try Scenario(Note.self, id: "1").when(Touch(id: "2")).then(.noteTouched(text: "t"))
        }
        #expect(failure?.message.contains("note-2") == true && failure?.message.contains("note-1") == true)
        #expect(throws: ConformanceFailure.self) {
            try Scenario(Note.self, id: "1").when(Touch(id: "2")).thenRefused { (_: any Error) in true }
        }
        // Without an id, the scenario is about the aggregate of the command.
        try Scenario(Note.self).when(Touch(id: "2")).then(.noteTouched(text: "t")).thenState { $0.id == "2" }
    }

    private enum Door {
        enum Event: DomainEvent {
            case opened(by: String)
            enum CodingKeys: String, CodingKey, CaseIterable { case opened }
        }
    }
    private enum Account {
        enum Event: DomainEvent {
            case opened(owner: UUID, limit: Int)
            enum CodingKeys: String, CodingKey, CaseIterable { case opened }
        }
        enum Changed: DomainEvent {
            case opened(owner: UUID, limit: Int, currency: String)
            enum CodingKeys: String, CodingKey, CaseIterable { case opened }
        }
    }

    @Test func aBreakingChangeOfATypeThatTwoEnumsShareIsFound() throws {
        let file = try EventSchema([Door.Event.self, Account.Event.self]).text()
        for order in [[Door.Event.self, Account.Event.self], [Account.Event.self, Door.Event.self]]
            as [[any DomainEvent.Type]]
        {
            #expect(try EventSchema(order).problems(file) == [])
            #expect(try EventSchema(order).text(following: file) == file)
        }
        // As if one enum had had the name of the other before.
        let before = try EventSchema([Door.Event.self, Account.Changed.self]).text().replacing("Changed", with: "Event")
        for order in [[Door.Event.self, Account.Event.self], [Account.Event.self, Door.Event.self]]
            as [[any DomainEvent.Type]]
        {
            let problems = try EventSchema(order).problems(before)
            #expect(problems.count == 1)
            #expect(problems.first?.contains("Opened.currency has been removed") == true, "\(problems)")
        }
        // A case that one enum has lost is not found in the other.
        let gone = try EventSchema([Door.Event.self, Account.Event.self]).problems(
            file.replacing("Door.Event", with: "Door.Old").replacing(
                "\n}\n",
                with:
                    ",\n  \"EdgesOfDispatchTests.Door.Event\": {\"Opened\": {\"1\": {\"by\": \"string\"}}, \"Shut\": {\"1\": {}}}\n}\n"
            ))
        #expect(gone.count == 2, "\(gone)")
        // Renaming an enum changes no event.
        let renamed = file.replacing("Account.Event", with: "Konto.Event")
        #expect(try EventSchema([Door.Event.self, Account.Event.self]).problems(renamed) == [])
    }
}
