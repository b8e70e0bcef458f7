public import DiscoCore

/// Writes a read model and its checkpoint in one transaction, so that each event takes effect exactly once.
///
/// If `apply` throws, the event and its stream are held and retried later; other streams continue.
public protocol Projection: Sendable {
    /// The name under which its checkpoint is stored.
    var name: String { get }
    /// The events that it gets.
    var query: EventQuery { get }
    /// Creates the tables; runs at every start, so use `IF NOT EXISTS`.
    func setUp(_ transaction: SQLTransaction) throws
    func apply(_ event: RecordedEvent, _ transaction: SQLTransaction) throws
}

extension Projection {
    public var query: EventQuery { .all }
}
