import DiscoCore
import DiscoEventStore
import DiscoTesting
import Foundation
import TestSupport
import Testing

private struct OfferExpired: Refusal, Equatable {
    var message: String { "The offer has expired." }
}

private struct Offer: Aggregate {
    let id: UUID
    var expires = Date.distantFuture
    var isAccepted = false

    init(id: UUID) { self.id = id }

    static let commands: [any AggregateCommand<Offer>.Type] = [MakeOffer.self, AcceptOffer.self]

    enum Event: DomainEvent, Equatable {
        case offerMade(expires: Date)
        case offerViewed
        case offerAccepted(at: Date)
    }

    mutating func apply(_ event: Event) {
        switch event {
        case .offerMade(let expires): self.expires = expires
        case .offerViewed: break
        case .offerAccepted: isAccepted = true
        }
    }
}

private struct MakeOffer: AggregateCommand {
    var id: UUID?
    var seconds: Int
    var target: CommandTarget<UUID> { .new(id) }

    func run(on offer: Offer, at now: Date) -> [Offer.Event] {
        [.offerMade(expires: now.addingTimeInterval(Double(seconds)))]
    }
}

private struct AcceptOffer: AggregateCommand {
    let id: UUID
    var target: CommandTarget<UUID> { .existing(id) }

    func run(on offer: Offer, at now: Date) throws -> [Offer.Event] {
        guard now < offer.expires else { throw OfferExpired() }
        return [.offerAccepted(at: now)]
    }
}

private enum BookingEvent: DomainEvent, Equatable { case roomBooked(at: Date) }

private struct Bookings: DecisionModel {
    var last: Date?
    mutating func apply(_ event: BookingEvent) { if case .roomBooked(let at) = event { last = at } }
}

/// Refused within an hour of the last booking.
private struct BookRoom: ModelCommand {
    var query: EventQuery { .types("RoomBooked") }
    var model: Bookings { Bookings() }

    func run(on model: Bookings, at now: Date) throws -> [BookingEvent] {
        if let last = model.last, now < last.addingTimeInterval(3600) { throw OfferExpired() }
        return [.roomBooked(at: now)]
    }
}

private struct TellTime: ActionCommand {
    func run(in context: ActionContext) async throws -> Date { context.now }
}

private struct AskTime: Query {
    func run(in context: QueryContext) async throws -> Date { context.now }
}

private struct WaitForEver: ActionCommand {
    func run(in context: ActionContext) async throws -> Int {
        try await Task.sleep(for: .seconds(3600))
        return 0
    }
}

@Suite(.timeLimit(.minutes(1))) struct TimeOfCommandsTests {
    private let time = ManualTime()

    private func orchestrator(
        _ store: (any EventStore)? = nil, middleware: [any Middleware] = []
    ) -> Orchestrator {
        Orchestrator(
            client: EventStoreClient(store ?? InMemoryEventStore(context: time.context())),
            aggregates: [Offer.self], decisions: [BookRoom.self], commands: [TellTime.self, WaitForEver.self],
            queries: [AskTime.self], middleware: middleware)
    }

    @Test func anAggregateCommandGetsTheTimeOfItsStore() async throws {
        let one = orchestrator()
        let offer = try await one.dispatch(MakeOffer(seconds: 60)).state
        #expect(offer.expires == time.now.addingTimeInterval(60))
        time.advance(by: .seconds(59))
        let accepted = try await one.dispatch(AcceptOffer(id: offer.id))
        #expect(accepted.events == [.offerAccepted(at: time.now)])
        time.advance(by: .seconds(1))
        await #expect(throws: OfferExpired()) { try await one.dispatch(AcceptOffer(id: offer.id)) }
    }

    @Test func aCommandByNameGetsTheSameTime() async throws {
        let one = orchestrator()
        let id = UUID()
        let fields: JSON = ["id": .string(id.uuidString)]
        try await one.dispatch("make_offer", ["id": .string(id.uuidString), "seconds": 60])
        time.advance(by: .seconds(60))
        await #expect(throws: OfferExpired()) { try await one.dispatch("accept_offer", fields) }
        // A clock that was set back is trusted, since there is no other.
        time.set(time.now.addingTimeInterval(-1))
        #expect(try await one.dispatch("accept_offer", fields).recorded.map(\.version) == [2])
    }

    @Test func aCommandThatIsDecidedAgainGetsTheNewTime() async throws {
        let base = InMemoryEventStore(context: time.context())
        let others = Locked(1)
        let store = HookedEventStore(base) { [time] append in
            // Another process appends first, and much time passes.
            if append.events[0].type == "OfferAccepted",
                others.withLock({
                    $0 -= 1
                    return $0 >= 0
                })
            {
                _ = try await base.append(
                    Append([try Offer.Event.offerViewed.recorded(in: append.events[0].stream)]))
                time.advance(by: .seconds(3600))
            }
            return try await base.append(append)
        }
        let one = orchestrator(store)
        let offer = try await one.dispatch(MakeOffer(seconds: 60)).state
        await #expect(throws: OfferExpired()) { try await one.dispatch(AcceptOffer(id: offer.id)) }
        #expect(try await base.page(Read()).events.map(\.type) == ["OfferMade", "OfferViewed"])
    }

    @Test func aDecisionOnAModelGetsTheTime() async throws {
        let one = orchestrator()
        try await one.dispatch(BookRoom())
        time.advance(by: .seconds(3599))
        await #expect(throws: OfferExpired()) { try await one.dispatch(BookRoom()) }
        await #expect(throws: OfferExpired()) { try await one.dispatch("book_room", [:]) }
        time.advance(by: .seconds(1))
        #expect(try await one.dispatch(BookRoom()).model.last == time.now)
    }

    @Test func actionsAndQueriesGetTheTime() async throws {
        let one = orchestrator()
        time.advance(by: .seconds(7))
        #expect(try await one.dispatch(TellTime()).output == time.now)
        #expect(try await one.query(AskTime()) == time.now)
    }

    @Test func scenariosSetTheTime() throws {
        let start = Date(timeIntervalSince1970: 1_700_000_000)
        let id = UUID()
        let offer = Scenario(Offer.self, id: id).given(.offerMade(expires: start))
        try offer.when(AcceptOffer(id: id), at: start.addingTimeInterval(-1))
            .then(.offerAccepted(at: start.addingTimeInterval(-1)))
        try offer.when(AcceptOffer(id: id), at: start).thenRefused(OfferExpired())
        let bookings = DecisionScenario<Bookings>().given(.roomBooked(at: start))
        try bookings.when(BookRoom(), at: start.addingTimeInterval(3599)).thenRefused(OfferExpired())
        try bookings.when(BookRoom(), at: start.addingTimeInterval(3600))
            .then(.roomBooked(at: start.addingTimeInterval(3600)))
    }

    @Test func aTimeLimitIsMeasuredByTheStoresClock() async throws {
        let one = orchestrator(middleware: [TimeLimitMiddleware(.seconds(600), context: time.context())])
        let dispatch = Task { try await one.dispatch(WaitForEver()) }
        await eventually { time.waiting == 1 }
        time.advance(by: .seconds(599))
        // Setting the clock does not matter: it lets no time pass.
        time.set(.distantFuture)
        #expect(time.waiting == 1)
        time.advance(by: .seconds(1))
        await #expect(throws: TimeLimitExceeded(name: "wait_for_ever", limit: .seconds(600))) {
            try await dispatch.value
        }
        #expect(time.waiting == 0)
    }

    @Test func aDispatchWaitsForConsumersByTheStoresClock() async throws {
        let bookmarks = Bookmarks()
        let one = Orchestrator(
            client: EventStoreClient(InMemoryEventStore(context: time.context())), aggregates: [Offer.self],
            readModels: [ReadModel(queries: [], store: bookmarks, consumers: ["offers"])])
        let dispatch = Task {
            try await one.dispatch(MakeOffer(seconds: 1), awaiting: ["offers"], within: .seconds(5))
        }
        let isDone = Locked(false)
        let watching = Task {
            let dispatched = try await dispatch.value
            isDone.withLock { $0 = true }
            return dispatched
        }
        // It asks again and again, but no time passes.
        await eventually { time.waiting > 0 }
        #expect(!isDone.withLock { $0 })
        await eventually {
            time.advance(by: .seconds(1))
            return isDone.withLock { $0 }
        }
        #expect(try await watching.value.behind.map(\.consumer) == ["offers"])
    }

    @Test func advancingByExtremeDurationsDoesNotTrap() {
        for amount in [Duration.seconds(Int64.max), .seconds(Int64.max), .zero, .seconds(-1)] {
            time.advance(by: amount)
        }
        #expect(time.waiting == 0)
    }
}
