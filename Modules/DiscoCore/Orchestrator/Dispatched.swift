/// What became of a command on an aggregate.
public struct Dispatched<State: Aggregate>: Sendable, AwaitableOutcome {
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
    /// Of the consumers that were to be awaited, those that have not passed the events; the command is recorded all the
    /// same.
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

/// What is recorded, and who is to be awaited for it.
protocol AwaitableOutcome: Sendable {
    var positions: [ClosedRange<Position>] { get }
    var behind: [ConsumerLag] { get set }
}
