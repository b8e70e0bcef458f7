public import DiscoCore

/// Reacts to events: sends commands or talks to the world. Each event comes at least once, in the order of its stream.
///
/// The checkpoint is saved once for each page of up to 500 events: after a kill those of the last page come again.
public protocol Policy: Sendable {
    /// Under which its checkpoint is kept.
    var name: String { get }
    /// Which events it gets.
    var query: EventQuery { get }
    /// An error that is thrown is a retry with growing delays.
    func process(_ event: RecordedEvent) async throws -> Outcome
}

extension Policy {
    public var query: EventQuery { .all }
}

/// What became of one event.
public enum Outcome: Hashable, Sendable {
    case done
    /// The same event comes again after that time; until it is done, nothing else of its stream does.
    case retry(after: Duration)
    /// Not for this policy; the reason is logged.
    case skip(String)
}
