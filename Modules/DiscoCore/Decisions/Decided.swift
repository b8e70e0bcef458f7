/// What became of a ``DecisionCommand``.
public struct Decided<Model: DecisionModel>: Sendable, AwaitableOutcome {
    /// After the events. Of a repeat: as it was after the events of the first time.
    public let model: Model
    /// Empty where there was nothing to do.
    public let events: [Model.Event]
    /// That of the last event, nil where there was nothing to do.
    public let position: Position?
    /// How often it was decided anew because an event that matters was recorded meanwhile.
    public let conflicts: Int
    /// Whether it had been carried out before, under the same key.
    public let repeated: Bool
    /// Of the consumers that were to be awaited, those that have not passed the events; the command is recorded all the
    /// same.
    public internal(set) var behind: [ConsumerLag] = []
    let positions: [ClosedRange<Position>]

    init(
        model: Model, events: [Model.Event], appended: Appended?, conflicts: Int = 0, repeated: Bool = false
    ) {
        self.model = model
        self.events = events
        position = appended?.last
        positions = [appended?.positions].compactMap(\.self)
        self.conflicts = conflicts
        self.repeated = repeated
    }
}
