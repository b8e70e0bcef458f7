/// Events that are recorded would not survive a change of their types.
public struct SchemaChanged: Refusal, Hashable {
    /// Each a sentence, with what to do.
    public let problems: [String]

    public var code: String { "schema_changed" }
    public var message: String { problems.joined(separator: "\n") }
    public var data: JSON.Object { ["problems": .array(problems.map(JSON.string))] }
}
