public import DiscoCore

/// Reacts to events: sends commands or acts on the outside world. Each event is delivered at least once, in the order
/// of its stream.
///
/// The checkpoint is saved once for each page of up to 500 events: after a kill, the events of the last page are
/// delivered again.
public protocol Policy: Sendable {
    /// The name under which its checkpoint is stored.
    var name: String { get }
    /// The version of its code, 1 by default. Raise it with every change of the query: of programs with different
    /// versions, only those with the highest one run the policy.
    var version: Int { get }
    /// The events that it gets.
    var query: EventQuery { get }
    /// Processes one event; if it throws, the event is retried as the consumer's ``FailurePolicy`` says.
    ///
    /// Commands that are sent through `context` take effect once, however often the event is delivered.
    func process(_ event: RecordedEvent, in context: PolicyContext) async throws -> Outcome
}

extension Policy {
    public var version: Int { 1 }
    public var query: EventQuery { .all }
}

/// The outcome of processing one event.
public enum Outcome: Hashable, Sendable {
    case done
    /// The same event is delivered again after this time; until it is done, no later event of its stream is.
    case retry(after: Duration)
    /// Not for this policy; the reason is logged.
    case skip(String)
}
