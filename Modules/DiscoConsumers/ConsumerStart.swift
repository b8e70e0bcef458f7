public import DiscoCore
public import Foundation

/// Where a new consumer starts. A consumer that has a checkpoint continues from there.
public enum ConsumerStart: Hashable, Sendable {
    /// At the first event.
    case beginning
    /// After everything that is recorded when it first runs.
    case now
    /// After this position.
    case after(Position)
    /// At the first event recorded at this time or later; the time may be in the future.
    case time(Date)
}

extension ConsumerStart {
    enum Place: Equatable {
        case at(Checkpoint)
        /// The start time has not come: events up to this position are skipped, and the next ones may be, too.
        case notYet(Position)
    }

    /// - Throws: ``EventStoreError`` with code ``EventStoreError/Code/checkpointMoved`` if the position is beyond the
    ///   head.
    func place(in store: any EventStore) async throws -> Place {
        let position: Position
        switch self {
        case .beginning: return .at(.start)
        case .now: position = try await store.page(Read(limit: 0)).head
        case .after(let given): position = max(.start, given)
        case .time(let date):
            // Positions are in the order of times, so the events before that time are a prefix.
            let head = try await store.page(Read(limit: 0)).head
            let before = try await Self.last(before: date, in: store)
            if before >= head { return .notYet(head) }
            position = before
        }
        let page = try await store.page(Read(after: position, limit: 0))
        guard position <= page.head else {
            throw EventStoreError(
                .checkpointMoved,
                "A consumer cannot start after position \(position): the store ends at position \(page.head).")
        }
        if position == .start { return .at(.start) }
        return .at(Checkpoint(position: position, eventID: page.throughID, store: try await store.identity()))
    }

    private static func last(before date: Date, in store: any EventStore) async throws -> Position {
        let microseconds = Timestamp.microseconds(
            of: try NameCheck.argument.checked(date, "start time of the consumer"))
        // Times are whole microseconds. A query that selects nothing skips everything as of that time at once.
        let asOf = Timestamp.date(microseconds: microseconds - 1)
        return try await store.page(Read(EventQuery(items: []), asOf: asOf, limit: 1)).through
    }
}
