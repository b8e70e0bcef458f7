/// What became of an action.
public struct Performed<Output: Sendable>: Sendable, AwaitableOutcome {
    public let output: Output
    /// That of the last event, nil where it appended nothing.
    public let position: Position?
    /// Whether it had been carried out before, under the same key.
    public let repeated: Bool
    /// Of the consumers that were to be awaited, those that have not passed the events; the action is done all the
    /// same.
    public internal(set) var behind: [ConsumerLag] = []
    let positions: [ClosedRange<Position>]

    init(output: Output, appended: [Appended], repeated: Bool) {
        self.output = output
        position = appended.last { $0.last != nil }?.last
        positions = appended.compactMap(\.positions)
        self.repeated = repeated
    }
}
