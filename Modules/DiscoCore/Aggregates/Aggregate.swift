/// State that makes decisions, folded from the events of one stream.
///
/// ```swift
/// struct Door: Aggregate {
///     let id: UUID
///     var isOpen = false
///     init(id: UUID) { self.id = id }
///     static let commands: [any AggregateCommand<Door>.Type] = [OpenDoor.self]
///     enum Event: DomainEvent { case doorOpened }
///     mutating func apply(_ event: Event) { isOpen = true }
/// }
/// ```
public protocol Aggregate: Codable, Sendable {
    associatedtype ID: AggregateID
    associatedtype Event: DomainEvent

    var id: ID { get }
    /// The state before the first event.
    init(id: ID)
    /// Pure: the same events give the same state.
    mutating func apply(_ event: Event)

    /// The category of the aggregate's streams. Defaults to the type's name in snake case.
    static var category: String { get }
    /// The commands dispatched to this aggregate.
    static var commands: [any AggregateCommand<Self>.Type] { get }
    /// When to save a snapshot of the folded state, so that a long stream loads quickly. Defaults to
    /// ``SnapshotPolicy/never``.
    static var snapshotPolicy: SnapshotPolicy { get }
    /// The version of the folding logic. Increment it when ``apply(_:)`` changes but the properties do not: older
    /// snapshots are then ignored and the events are folded again. Defaults to 1.
    static var stateVersion: Int { get }
}

extension Aggregate {
    public static var category: String { DerivedName.snakeCase(of: Self.self) }

    public static var snapshotPolicy: SnapshotPolicy { .never }
    public static var stateVersion: Int { 1 }

    public static func streamID(_ id: ID) -> StreamID { StreamID(category: category, id: id.string) }
}

/// An aggregate at one version of its stream.
public struct Loaded<State: Aggregate>: Sendable {
    public internal(set) var state: State
    /// The version of the stream, or 0 if it has no events.
    public internal(set) var version: Int
    /// The cost of folding since the last snapshot.
    var unsaved = FoldCost()

    init(id: State.ID) {
        state = State(id: id)
        version = 0
    }

    init(state: State, version: Int) {
        self.state = state
        self.version = version
    }

    public var exists: Bool { version > 0 }
    public var stream: StreamID { State.streamID(state.id) }

    mutating func apply(_ event: RecordedEvent) throws {
        version = event.version
        if event.type == RecordedEvent.dropped { return }
        state.apply(try State.Event(event))
        unsaved.events += 1
        unsaved.bytes += event.payload.bytes.count
    }

    /// Prepares events for ``ActionContext/append(_:)``, which appends them only if the stream is still at this
    /// version.
    public func recording(_ events: State.Event...) -> Recording {
        let stream = stream
        return Recording(stream: stream, version: version) { metadata in
            try events.map { try $0.recorded(in: stream, metadata: metadata) }
        }
    }
}
