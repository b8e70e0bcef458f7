/// Counts a store's events.
///
/// Positions rise from event to event, and not every store's rise by one: who wants to know how many events lie between
/// two of them asks, and does not subtract.
public protocol EventCounting: Sendable {
    /// How many events lie after one position, up to another, readable or not; 0 where `upTo` does not lie beyond
    /// `after`.
    ///
    /// Any position may be given: one before the first event or beyond the last is as good as the start or the head.
    func events(after: Position, upTo: Position) async throws -> Int
}
