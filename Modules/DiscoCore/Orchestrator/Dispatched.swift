/// What became of a command on an aggregate.
public struct Dispatched<State: Aggregate>: Sendable {
    /// After the events. Of a repeat: as it was after the events of the first time.
    public let state: State
    /// Empty where there was nothing to do.
    public let events: [State.Event]
    /// The version of the aggregate's stream.
    public let version: Int
    /// That of the last event, nil where there was nothing to do.
    public let position: Position?
    /// How often it was decided anew because the aggregate had changed meanwhile.
    public let conflicts: Int
    /// Whether it had been carried out before, under the same key.
    public let repeated: Bool
    /// Of the consumers that were to be awaited, those that have not passed the events; the command is recorded all the same.
    public internal(set) var behind: [ConsumerLag] = []
    let positions: [ClosedRange<Position>]

    init(
        loaded: Loaded<State>, events: [State.Event], appended: Appended?, conflicts: Int = 0, repeated: Bool = false
    ) {
        state = loaded.state
        version = loaded.version
        self.events = events
        position = appended?.last
        positions = [appended?.positions].compactMap(\.self)
        self.conflicts = conflicts
        self.repeated = repeated
    }
}

/// What became of an action.
public struct Performed<Output: Sendable>: Sendable {
    public let output: Output
    /// That of the last event, nil where it appended nothing.
    public let position: Position?
    /// Whether it had been carried out before, under the same key.
    public let repeated: Bool
    /// Of the consumers that were to be awaited, those that have not passed the events; the action is done all the same.
    public internal(set) var behind: [ConsumerLag] = []
    let positions: [ClosedRange<Position>]

    init(output: Output, appended: [Appended], repeated: Bool) {
        self.output = output
        position = appended.last { $0.last != nil }?.last
        positions = appended.compactMap(\.positions)
        self.repeated = repeated
    }
}

/// The answer to a command or query that was called by name.
public struct Answer: Hashable, Sendable {
    /// The state of the aggregate or model, or what the action or query answers.
    public let output: JSON
    /// That of the last event that was recorded, nil where none was.
    public let position: Position?
    /// Whether the command had been carried out before, under the same key.
    public let repeated: Bool
    /// Of the consumers that were to be awaited, those that have not passed the events; the command is recorded all the same.
    public let behind: [ConsumerLag]

    /// All of it, as the apps print it.
    public var json: JSON {
        [
            "output": output, "position": position.map { .number(JSON.Number($0.rawValue)) } ?? .null,
            "repeated": .bool(repeated), "behind": .array(behind.map(\.json)),
        ]
    }

    init(encoding output: some Encodable, position: Position?, repeated: Bool, behind: [ConsumerLag]) throws {
        self.output = try JSON(encoding: output)
        self.position = position
        self.repeated = repeated
        self.behind = behind
    }
}
