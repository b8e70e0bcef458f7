/// State that decides: folded from the events of one stream.
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

    /// The category of its streams; the type's name in snake case unless stated otherwise.
    static var category: String { get }
    /// The commands that are dispatched to it.
    static var commands: [any AggregateCommand<Self>.Type] { get }
    /// When its folded state is kept, so that a long stream opens at once; never, unless stated otherwise.
    static var snapshotPolicy: SnapshotPolicy { get }
    /// Count this up when ``apply(_:)`` changes and the properties do not: what was kept before is then folded anew. 1
    /// unless stated otherwise.
    static var stateVersion: Int { get }
}

extension Aggregate {
    public static var category: String { DerivedName.snakeCase(of: Self.self) }

    public static var snapshotPolicy: SnapshotPolicy { .never }
    public static var stateVersion: Int { 1 }

    public static func streamID(_ id: ID) -> StreamID { StreamID(category: category, id: id.string) }
}

/// An aggregate as it was at one version of its stream.
public struct Loaded<State: Aggregate>: Sendable {
    public internal(set) var state: State
    /// The version of the stream, 0 where nothing is recorded.
    public internal(set) var version: Int
    /// What was folded since the last snapshot.
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

    /// Events to append to this aggregate, if it is still at this version then: for ``ActionContext/append(_:)``.
    public func recording(_ events: State.Event...) -> Recording {
        let stream = stream
        return Recording(stream: stream, version: version) { metadata in
            try events.map { try $0.recorded(in: stream, metadata: metadata) }
        }
    }
}
