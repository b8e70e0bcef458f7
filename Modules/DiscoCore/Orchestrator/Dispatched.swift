/// The result of a command, in one shape for all kinds of commands, by type and by name.
public struct Dispatched<Output: Sendable>: Sendable {
    /// The state of the aggregate or model after the events, or the action's output; as JSON if dispatched by name.
    ///
    /// For a repeat, as it was the first time.
    public let output: Output
    /// The recorded events, in order; empty if there was nothing to do.
    public let recorded: [Appended.Event]
    /// How often the command was decided again, because what it was decided on had changed.
    public let conflicts: Int
    /// Whether the command had already run under the same key.
    public let repeated: Bool
    /// The awaited consumers that have not passed the events; the command is recorded nevertheless.
    public internal(set) var behind: [ConsumerLag] = []
    /// The events, if a command decided them.
    let decided: [any DomainEvent]
    /// The version of the aggregate's stream.
    let streamVersion: Int

    init(
        _ output: Output, decided: [any DomainEvent] = [], version: Int = 0, appended: [Appended] = [],
        conflicts: Int = 0, repeated: Bool = false
    ) {
        self.output = output
        self.decided = decided
        streamVersion = version
        recorded = appended.flatMap(\.events)
        positions = appended.compactMap(\.positions)
        self.conflicts = conflicts
        self.repeated = repeated
    }

    private init(_ output: Output, of other: Dispatched<some Sendable>) {
        self.output = output
        decided = other.decided
        streamVersion = other.streamVersion
        recorded = other.recorded
        positions = other.positions
        conflicts = other.conflicts
        repeated = other.repeated
        behind = other.behind
    }

    /// The position of the last event; `nil` if nothing was recorded. Pass it to a query that must see the event.
    public var position: Position? { recorded.last?.position }

    /// The positions from the first to the last event of each append.
    let positions: [ClosedRange<Position>]
}

extension Dispatched where Output: Aggregate {
    /// The state after the events; for a repeat, after the events of the first time.
    public var state: Output { output }
    /// The version of the aggregate's stream.
    public var version: Int { streamVersion }
    /// The decided events; empty if there was nothing to do.
    public var events: [Output.Event] { decided.compactMap { $0 as? Output.Event } }
}

extension Dispatched where Output: DecisionModel {
    /// The state after the events; for a repeat, after the events of the first time.
    public var model: Output { output }
    /// The decided events; empty if there was nothing to do.
    public var events: [Output.Event] { decided.compactMap { $0 as? Output.Event } }
}

extension Dispatched where Output: Encodable {
    /// The same result with the output as JSON.
    func encoded() throws -> Dispatched<JSON> { Dispatched<JSON>(try JSON(encoding: output), of: self) }
}

extension Dispatched<JSON> {
    /// The whole result, as the apps print it.
    public var json: JSON {
        [
            "output": output, "position": position.map { JSON($0.rawValue) } ?? .null, "repeated": .bool(repeated),
            "behind": .array(behind.map(\.json)),
        ]
    }
}
