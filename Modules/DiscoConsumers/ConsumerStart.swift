public import DiscoCore
public import Foundation

/// Where a consumer begins that nobody knows yet. One that has a checkpoint goes on from there.
public enum ConsumerStart: Hashable, Sendable {
    /// At the first event.
    case beginning
    /// Behind everything that is recorded when it is first run.
    case now
    /// Behind this position.
    case after(Position)
    /// At the first event that is recorded at this time or later; it may lie in the future.
    case time(Date)
}

extension ConsumerStart {
    enum Place: Equatable {
        case at(Checkpoint)
        /// Nothing that is recorded up to this position is to be seen, and what comes next may not be either.
        case notYet(Position)
    }

    /// - Throws: ``EventStoreError`` with code ``EventStoreError/Code/checkpointMoved`` where the position is beyond
    ///   the head.
    func place(in store: any EventStore) async throws -> Place {
        let position: Position
        switch self {
        case .beginning: return .at(.start)
        case .now: position = try await store.page(Read(limit: 0)).head
        case .after(let given): position = max(.start, given)
        case .time(let date):
            // Positions have the order of times, so those before that time are a prefix.
            let head = try await store.page(Read(limit: 0)).head
            let before = try await Self.last(before: date, in: store)
            if before >= head { return .notYet(head) }
            position = before
        }
        let page = try await store.page(Read(after: position, limit: 0))
        guard position <= page.head else {
            throw EventStoreError(
                .checkpointMoved, "A consumer cannot begin after position \(position): the store ends at \(page.head).")
        }
        if position == .start { return .at(.start) }
        return .at(Checkpoint(position: position, eventID: page.throughID, store: try await store.identity()))
    }

    private static func last(before date: Date, in store: any EventStore) async throws -> Position {
        let microseconds = Timestamp.microseconds(of: try NameCheck.argument.checked(date, "time to begin at"))
        // Times are whole microseconds. A query that selects nothing passes over everything as of that time at once.
        let asOf = Timestamp.date(microseconds: microseconds - 1)
        return try await store.page(Read(EventQuery(items: []), asOf: asOf, limit: 1)).through
    }
}
