extension ValidationError: Refusal {
    public var code: String { "validation" }
    public var kind: ErrorKind { .invalid }
    public var message: String { "Invalid fields: \(fields.keys.sorted().joined(separator: ", "))." }
    public var data: JSON.Object {
        let fields = fields.sorted { $0.key < $1.key }.map { ($0.key, JSON.array($0.value.map(JSON.string))) }
        return ["fields": .object(JSON.Object(fields))]
    }
}

extension VersionConflict: Refusal {
    public var code: String { "version_conflict" }
    public var message: String { description }
    public var data: JSON.Object { ["streams": .array(streams.map { .object($0.json) })] }
}

extension VersionConflict.Stream {
    /// Omits the events that the caller has not seen.
    var json: JSON.Object { ["stream": .string(stream.name), "expected": expected.json, "actual": JSON(actual)] }
}

extension ExpectedVersion {
    /// `"any"`, `"none"`, `"exists"` or the version.
    var json: JSON {
        switch self {
        case .any: "any"
        case .noStream: "none"
        case .streamExists: "exists"
        case .exactly(let version): JSON(version)
        }
    }
}

extension ConditionFailed: Refusal {
    public var code: String { "condition_failed" }
    public var message: String { "Condition failed: a matching event exists at position \(position)." }
    public var data: JSON.Object { ["position": JSON(position.rawValue), "id": .string(id.lowercased)] }
}

extension DuplicateEvent: Refusal {
    public var code: String { "duplicate_event" }
    public var message: String { "The event \(id.lowercased) is already recorded." }
    public var data: JSON.Object { ["id": .string(id.lowercased)] }
}

extension IdempotencyConflict: Refusal {
    public var code: String { "idempotency_conflict" }
    public var message: String { "The idempotency key \(key) was already used for something else." }
    public var data: JSON.Object { ["key": .string(key)] }
}

extension StreamDeleted: Refusal {
    public var code: String { "stream_deleted" }
    public var kind: ErrorKind { .gone }
    public var message: String { "The stream \(stream) was deleted or closed and accepts no events." }
    public var data: JSON.Object { ["stream": .string(stream.name)] }
}

extension OutcomeUnknown: DescribedError {
    public var code: String { "outcome_unknown" }
    public var kind: ErrorKind { .unknownOutcome }
    public var message: String { "It is unknown whether the append was recorded. Repeating it is safe." }
    public var data: JSON.Object { ["ids": .array(append.events.map { .string($0.id.lowercased) })] }
}

extension CheckpointDiverged: DescribedError {
    public var code: String { "checkpoint_diverged" }
    public var message: String { description }
    public var data: JSON.Object {
        [
            "consumer": .string(consumer), "checkpoint": JSON(checkpoint.rawValue), "head": JSON(head.rawValue),
        ]
    }
}

extension UndecodableEvent: DescribedError {
    public var code: String { "undecodable_event" }
    public var message: String { description }
    public var data: JSON.Object {
        ["position": JSON(position.rawValue), "stream": .string(stream.name), "type": .string(type)]
    }
}
