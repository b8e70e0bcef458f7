/// Counts a store's events.
///
/// Positions increase from event to event, but not by one in every store: to learn how many events lie between two of
/// them, call this instead of subtracting.
public protocol EventCounting: Sendable {
    /// Counts the events after `after`, up to and including `upTo`, readable or not; 0 if `upTo` is not beyond `after`.
    ///
    /// Any position is allowed: one before the first event counts as the start, one beyond the last event as the head.
    func events(after: Position, upTo: Position) async throws -> Int
}
