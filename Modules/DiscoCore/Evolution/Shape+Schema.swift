extension Shape {
    /// The JSON schema (draft 2020-12) of the values of this shape.
    ///
    /// - Parameter isClosed: whether an object has no other fields.
    func schema(isClosed: Bool) -> JSON {
        switch self {
        case .value(let name): Self.values[name] ?? [:]
        case .named: [:]
        case .optional(let shape): Self.orNull(shape.schema(isClosed: isClosed))
        case .list(let shape): ["type": "array", "items": shape.schema(isClosed: isClosed)]
        // A dictionary whose keys are neither text nor integers is an array of keys and values.
        case .map(let shape): ["type": ["object", "array"], "additionalProperties": shape.schema(isClosed: isClosed)]
        case .object(let fields): Self.object(fields, isClosed)
        case .choice(let cases): ["oneOf": .array(cases.map { Self.object([$0], isClosed) })]
        case .anyOf(let values): ["enum": .array(values)]
        }
    }

    private static func object(_ fields: [Field], _ isClosed: Bool) -> JSON {
        var schema: JSON.Object = ["type": "object"]
        schema["properties"] = .object(JSON.Object(fields.map { ($0.name, $0.shape.schema(isClosed: isClosed)) }))
        let required = fields.filter { field in
            if case .optional = field.shape { false } else { true }
        }
        if !required.isEmpty { schema["required"] = .array(required.map { .string($0.name) }) }
        if isClosed { schema["additionalProperties"] = false }
        return .object(schema)
    }

    private static func orNull(_ schema: JSON) -> JSON {
        guard var object = schema.object, !object.isEmpty else { return schema }
        if case .string(let type)? = object["type"] {
            object["type"] = [.string(type), "null"]
            return .object(object)
        }
        return ["anyOf": [schema, ["type": "null"]]]
    }

    /// The kinds of values, by the names that shapes give them.
    private static let values: [String: JSON] = [
        "boolean": ["type": "boolean"], "string": ["type": "string"], "number": ["type": "number"],
        "integer": ["type": "integer"], "decimal": ["type": "number"],
        "uuid": ["type": "string", "format": "uuid"], "date": ["type": "string", "format": "date-time"],
        "data": ["type": "string", "contentEncoding": "base64"], "url": ["type": "string", "format": "uri-reference"],
    ]
}
