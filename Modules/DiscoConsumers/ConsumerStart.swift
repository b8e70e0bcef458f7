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
    /// At the first event that was recorded at this time or later.
    case time(Date)
}

extension ConsumerStart {
    /// - Throws: ``EventStoreError`` with code ``EventStoreError/Code/checkpointMoved`` where the position is beyond
    ///   the head.
    func checkpoint(in store: any EventStore) async throws -> Checkpoint {
        let position: Position
        switch self {
        case .beginning: return .start
        case .now: position = try await store.page(Read(limit: 0)).head
        case .after(let given): position = given
        case .time(let date):
            // Times are whole microseconds.
            let before = Read(direction: .backward, asOf: date.addingTimeInterval(-0.000_001), limit: 1)
            position = try await store.page(before).events.first?.position ?? .start
        }
        let page = try await store.page(Read(after: position, limit: 0))
        guard position <= page.head else {
            throw EventStoreError(
                .checkpointMoved, "A consumer cannot begin after position \(position): the store ends at \(page.head).")
        }
        return Checkpoint(position: position, eventID: page.throughID, store: try await store.identity())
    }
}
