public import DiscoCore

/// Writes a read model, its checkpoint in the same transaction: exactly once in effect.
///
/// An error thrown by `apply` holds the event and its stream, is tried again later, and stops no other stream.
public protocol Projection: Sendable {
    /// Under which its checkpoint is kept.
    var name: String { get }
    /// Which events it gets.
    var query: EventQuery { get }
    /// Makes the tables; runs at every start, so it says `IF NOT EXISTS`.
    func setUp(_ transaction: SQLTransaction) throws
    func apply(_ event: RecordedEvent, _ transaction: SQLTransaction) throws
}

extension Projection {
    public var query: EventQuery { .all }
}
