public import DiscoCore

/// Writes a read model and its checkpoint in one transaction, so that each event takes effect exactly once.
///
/// If `apply` throws, the event and its stream are held and retried later; other streams continue. The consumer's
/// ``FailurePolicy`` says how often.
public protocol Projection: Sendable {
    /// The name under which its checkpoint is stored.
    var name: String { get }
    /// The version of its code, 1 by default. Raise it when the read model must be built anew, because its tables, its
    /// query or what it makes of an event have changed: a program with the higher version builds its read model beside
    /// the running one. That needs tables whose names are written as `\(table: "name")`.
    var version: Int { get }
    /// The events that it gets.
    var query: EventQuery { get }
    /// Creates the tables; runs at every start, so use `IF NOT EXISTS`.
    func setUp(_ transaction: SQLTransaction) throws
    func apply(_ event: RecordedEvent, _ transaction: SQLTransaction) throws
}

extension Projection {
    public var version: Int { 1 }
    public var query: EventQuery { .all }
}

/// A projection that applies many events with few statements.
///
/// A batch is what one step reads: up to 500 events or 1 MiB. If it fails, its events are applied one by one to find
/// those that fail, so applying a batch must have the same effect as applying its events in order.
public protocol BatchProjection: Projection {
    func apply(_ events: [RecordedEvent], _ transaction: SQLTransaction) throws
}

extension BatchProjection {
    public func apply(_ event: RecordedEvent, _ transaction: SQLTransaction) throws { try apply([event], transaction) }
}
