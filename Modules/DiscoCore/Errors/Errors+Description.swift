extension ValidationError: Refusal {
    public var code: String { "validation" }
    public var message: String { "Invalid fields: \(fields.keys.sorted().joined(separator: ", "))." }
    public var data: JSON.Object {
        let fields = fields.sorted { $0.key < $1.key }.map { ($0.key, JSON.array($0.value.map(JSON.string))) }
        return JSON.Object([("fields", .object(JSON.Object(fields)))])
    }
}

extension VersionConflict: Refusal {
    public var code: String { "version_conflict" }
    public var message: String { description }
    public var data: JSON.Object {
        JSON.Object([
            (
                "streams",
                .array(
                    streams.map { stream in
                        [
                            "stream": .string(stream.stream.name), "expected": stream.expected.json,
                            "actual": JSON(integerLiteral: stream.actual),
                        ]
                    })
            )
        ])
    }
}

extension ExpectedVersion {
    fileprivate var json: JSON {
        switch self {
        case .any: "any"
        case .noStream: "none"
        case .streamExists: "exists"
        case .exactly(let version): JSON(integerLiteral: version)
        }
    }
}

extension ConditionFailed: Refusal {
    public var code: String { "condition_failed" }
    public var message: String { "Condition failed: a matching event exists at position \(position)." }
    public var data: JSON.Object {
        JSON.Object([("position", .number(JSON.Number(position.rawValue))), ("id", .string(id.lowercased))])
    }
}

extension DuplicateEvent: Refusal {
    public var code: String { "duplicate_event" }
    public var message: String { "The event \(id.lowercased) is recorded already." }
    public var data: JSON.Object { JSON.Object([("id", .string(id.lowercased))]) }
}

extension IdempotencyConflict: Refusal {
    public var code: String { "idempotency_conflict" }
    public var message: String { "The key \(key) was used before, for something else." }
    public var data: JSON.Object { JSON.Object([("key", .string(key))]) }
}

extension StreamDeleted: Refusal {
    public var code: String { "stream_deleted" }
    public var message: String { "\(stream) was deleted and takes no events." }
    public var data: JSON.Object { JSON.Object([("stream", .string(stream.name))]) }
}

extension OutcomeUnknown: DescribedError {
    public var code: String { "outcome_unknown" }
    public var message: String { "Whether this was recorded is not known. Repeating it is safe." }
    public var data: JSON.Object {
        JSON.Object([("ids", .array(append.events.map { .string($0.id.lowercased) }))])
    }
}

extension CheckpointDiverged: DescribedError {
    public var code: String { "checkpoint_diverged" }
    public var message: String { description }
    public var data: JSON.Object {
        JSON.Object([
            ("consumer", .string(consumer)), ("checkpoint", .number(JSON.Number(checkpoint.rawValue))),
            ("head", .number(JSON.Number(head.rawValue))),
        ])
    }
}

extension UndecodableEvent: DescribedError {
    public var code: String { "undecodable_event" }
    public var message: String { description }
    public var data: JSON.Object {
        JSON.Object([
            ("position", .number(JSON.Number(position.rawValue))), ("stream", .string(stream.name)),
            ("type", .string(type)),
        ])
    }
}
