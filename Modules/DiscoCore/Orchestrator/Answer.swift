/// The answer to a command or query that was called by name.
public struct Answer: Hashable, Sendable {
    /// The state of the aggregate or model, or what the action or query answers.
    public let output: JSON
    /// That of the last event that was recorded, nil where none was.
    public let position: Position?
    /// Whether the command had been carried out before, under the same key.
    public let repeated: Bool
    /// Of the consumers that were to be awaited, those that have not passed the events; the command is recorded all the
    /// same.
    public let behind: [ConsumerLag]

    /// All of it, as the apps print it.
    public var json: JSON {
        [
            "output": output, "position": position.map { JSON($0.rawValue) } ?? .null,
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
