/// A change of event types would break recorded events.
public struct SchemaChanged: Refusal, Hashable {
    /// One sentence each, with what to do.
    public let problems: [String]

    public var code: String { "schema_changed" }
    public var message: String { problems.joined(separator: "\n") }
    public var data: JSON.Object { ["problems": .array(problems.map(JSON.string))] }
}
