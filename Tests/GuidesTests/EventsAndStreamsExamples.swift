import DiscoCore
import DiscoEventStore
import Foundation
import Testing

/// The code of the guide "Events and streams".
@Suite struct EventsAndStreamsExamples {

    private let client: EventStoreClient
    private let yesterday = Date(timeIntervalSince1970: 1_700_000_000)

    init() { client = EventStoreClient(InMemoryEventStore()) }

    func close(_ door: StreamID, at version: Int) async throws -> [RecordedEvent] {
        let closed = NewEvent(stream: door, type: "DoorClosed", payload: "{}")
        do {
            try await client.append(Append([closed], expect: [door: .exactly(version)]))
            return []
        } catch let conflict as VersionConflict {
            return conflict.streams.flatMap(\.unseen)
        }
    }

    func book(_ seat: EventTag, for person: StreamID) async throws -> Bool {
        let bookings = EventQuery.types("SeatBooked").tagged(seat)
        let head = try await client.head()
        let earlier = try await client.events(bookings, upTo: head, limit: 1).collect()
        if !earlier.isEmpty { return false }
        let booked = NewEvent(stream: person, type: "SeatBooked", payload: "{}", tags: [seat])
        try await client.append(Append([booked], condition: AppendCondition(noneMatch: bookings, after: head)))
        return true
    }

    func record(_ append: Append) async throws -> Appended {
        do {
            return try await client.append(append)
        } catch let unknown as OutcomeUnknown {
            return try await client.append(unknown.append)
        }
    }

    func follow(after start: Position, _ handle: (RecordedEvent) async throws -> Void) async throws -> Position? {
        var position = start
        for try await element in client.subscribe(to: .category("door"), after: position) {
            switch element {
            case .event(let event):
                try await handle(event)
                position = event.position
            case .progress(let passed): position = passed
            case .caughtUp: return position  // or continue, and wait for new events
            }
        }
        return nil
    }

    @Test func eventsAreAppendedReadAndFollowed() async throws {
        let opened = NewEvent(stream: "door-front", type: "DoorOpened", payload: #"{"by":"ada"}"#, tags: ["person:ada"])
        let appended = try await client.append(Append([opened]))
        // appended.last is position 1, appended.version(of: "door-front") is 1
        try await client.emit("DoorChecked", ["by": "bob"], tags: ["person:bob"])
        #expect(appended.last == 1)
        #expect(appended.version(of: "door-front") == 1)

        #expect(try await close("door-front", at: 0).map(\.type) == ["DoorOpened"])
        #expect(try await close("door-front", at: 1).isEmpty)

        let lastTwo = try await client.events(.category("door"), direction: .backward, limit: 2).collect()
        let byAda = try await client.events(.tags("person:ada").or(.types("DoorChecked"))).collect()
        let asItWas = try await client.events(asOf: yesterday).collect()
        let fromTheSecond = try await client.events(in: "door-front", from: 2).collect()
        #expect(lastTwo.map(\.type) == ["DoorClosed", "DoorOpened"])
        #expect(byAda.map(\.type) == ["DoorOpened", "DoorChecked"])
        #expect(asItWas.isEmpty)
        #expect(fromTheSecond.map(\.version) == [2])

        var seen: [String] = []
        let last = try await follow(after: 1) { seen.append($0.type) }
        #expect(last == 3)
        #expect(seen == ["DoorClosed"])
    }

    @Test func aSeatIsBookedOnce() async throws {
        #expect(try await book("seat:12A", for: "person-ada"))
        #expect(try await book("seat:12A", for: "person-bob") == false)
        #expect(try await book("seat:12B", for: "person-bob"))
        let late = NewEvent(stream: "person-eve", type: "SeatBooked", payload: "{}", tags: ["seat:12A"])
        await #expect(throws: ConditionFailed.self) {
            try await client.append(
                Append([late], condition: AppendCondition(noneMatch: .types("SeatBooked").tagged("seat:12A"))))
        }
    }

    @Test func aRepeatTakesEffectOnce() async throws {
        let payment = NewEvent(stream: "payment-4711", type: "PaymentReceived", payload: #"{"amount":20}"#)
        let key = IdempotencyKey("bank-message-8812", fingerprint: payment.payload.string)
        let result = try await client.append(Append([payment], key: key))
        #expect(!result.repeated)
        let anew = NewEvent(stream: payment.stream, type: payment.type, payload: payment.payload)
        let again = try await record(Append([anew], key: key))
        #expect(again.repeated)
        #expect(again.events == result.events)
        await #expect(throws: IdempotencyConflict(key: key.key)) {
            try await client.append(Append([anew], key: IdempotencyKey(key.key, fingerprint: "other")))
        }
        let append = Append([anew])
        try await client.append(append)
        #expect(try await client.append(append).repeated)
        await #expect(throws: DuplicateEvent(id: anew.id)) {
            try await client.append(Append([anew, NewEvent(stream: "payment-1", type: "T", payload: "{}")]))
        }
        #expect(try await client.head() == 2)
    }
}
