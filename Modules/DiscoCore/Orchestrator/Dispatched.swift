/// What became of a command: of one shape for all kinds of command, by type and by name.
public struct Dispatched<Output: Sendable>: Sendable {
    /// The state of the aggregate or model after the events, or what the action answers; by name, the same as JSON.
    ///
    /// Of a repeat: as it was the first time.
    public let output: Output
    /// What was recorded, in its order; empty where there was nothing to do.
    public let recorded: [Appended.Event]
    /// How often the command was decided again, because something that it was decided on had changed.
    public let conflicts: Int
    /// Whether it had been carried out before, under the same key.
    public let repeated: Bool
    /// Of the consumers that were to be awaited, those that have not passed the events; the command is recorded all the
    /// same.
    public internal(set) var behind: [ConsumerLag] = []
    /// The events, where a command decided them.
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

    /// That of the last event, nil where nothing was recorded: for a query that is to know of it.
    public var position: Position? { recorded.last?.position }

    /// From the first to the last event of each append.
    let positions: [ClosedRange<Position>]
}

extension Dispatched where Output: Aggregate {
    /// After the events. Of a repeat: as it was after the events of the first time.
    public var state: Output { output }
    /// The version of the aggregate's stream.
    public var version: Int { streamVersion }
    /// Empty where there was nothing to do.
    public var events: [Output.Event] { decided.compactMap { $0 as? Output.Event } }
}

extension Dispatched where Output: DecisionModel {
    /// After the events. Of a repeat: as it was after the events of the first time.
    public var model: Output { output }
    /// Empty where there was nothing to do.
    public var events: [Output.Event] { decided.compactMap { $0 as? Output.Event } }
}

extension Dispatched where Output: Encodable {
    /// The same with the output as JSON.
    func encoded() throws -> Dispatched<JSON> { Dispatched<JSON>(try JSON(encoding: output), of: self) }
}

extension Dispatched<JSON> {
    /// All of it, as the apps print it.
    public var json: JSON {
        [
            "output": output, "position": position.map { JSON($0.rawValue) } ?? .null, "repeated": .bool(repeated),
            "behind": .array(behind.map(\.json)),
        ]
    }
}
