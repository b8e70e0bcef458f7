import DiscoCore
import Foundation

/// A hall with limited seats, with every kind of decision that keys affect.
enum HallEvent: DomainEvent, Equatable {
    case seatBooked(hall: String, guest: String)
    case hallClosed(hall: String)

    var tags: [EventTag] {
        switch self {
        case .seatBooked(let hall, _), .hallClosed(let hall): [EventTag("hall", hall)]
        }
    }
}

enum HallRefusal: Refusal, Equatable {
    case full

    var message: String { "No seat is left." }
}

struct Hall: DecisionModel, Equatable {
    let hall: String
    var guests: [String] = []
    var isClosed = false

    mutating func apply(_ event: HallEvent) {
        switch event {
        case .seatBooked(_, let guest): guests.append(guest)
        case .hallClosed: isClosed = true
        }
    }
}

/// A hall has two seats.
struct BookSeat: DecisionCommand {
    let hall: String
    let guest: String

    var query: EventQuery { .types("SeatBooked", "HallClosed").tagged(EventTag("hall", hall)) }
    var model: Hall { Hall(hall: hall) }

    func run(on model: Hall) throws -> [HallEvent] {
        Decisions.note()
        guard model.guests.count < 2, !model.isClosed else { throw HallRefusal.full }
        return [.seatBooked(hall: hall, guest: guest)]
    }
}

struct CloseHall: DecisionCommand {
    let hall: String

    var query: EventQuery { .types("SeatBooked", "HallClosed").tagged(EventTag("hall", hall)) }
    var model: Hall { Hall(hall: hall) }

    func run(on model: Hall) throws -> [HallEvent] { model.isClosed ? [] : [.hallClosed(hall: hall)] }
}

/// Its query does not select the events that it records.
struct AdmitGuest: DecisionCommand {
    let hall: String
    let guest: String

    var query: EventQuery { .types("HallClosed").tagged(EventTag("hall", hall)) }
    var model: Hall { Hall(hall: hall) }

    func run(on model: Hall) throws -> [HallEvent] { [.seatBooked(hall: hall, guest: guest)] }
}

struct BookGroup: DecisionCommand {
    let hall: String
    let guests: Set<String>

    var query: EventQuery { .types("HallClosed").tagged(EventTag("hall", hall)) }
    var model: Hall { Hall(hall: hall) }

    func run(on model: Hall) throws -> [HallEvent] {
        guests.sorted().map { .seatBooked(hall: hall, guest: $0) }
    }
}

/// Has a key that the caller sets.
struct BookBySlip: DecisionCommand, KeyedCommand {
    let hall: String
    let slip: JSON

    var idempotencyKey: String { "slip/" + hall }
    var query: EventQuery { .types("SeatBooked", "HallClosed").tagged(EventTag("hall", hall)) }
    var model: Hall { Hall(hall: hall) }

    func run(on model: Hall) throws -> [HallEvent] { [.seatBooked(hall: hall, guest: slip.description)] }
}
