#if HTTP
import DiscoCore
import DiscoHTTPSupport

extension ServerSchemas {
    static func requests(_ limits: EventStoreServer.Limits) -> JSON.Object {
        [
            "StreamEvent": event(["type"], of: "wallet-1", streamIsOptional: true),
            "NewEvent": event(["stream", "type"], of: "wallet-1", streamIsOptional: false),
            "Append": .object(append(limits)),
            "AppendCondition": .object(
                object(
                    ["query"],
                    [
                        "query": ref("ConditionQuery"),
                        "after": noted("The last position that the caller has seen.", optional(anyInteger)),
                    ], isRequest: true)),
            "IdempotencyKey": .object(
                object(
                    ["key", "fingerprint"],
                    [
                        "key": ["type": "string", "pattern": "^[^$\\u0000][^\\u0000]*$", "maxLength": 255],
                        "fingerprint": noted("Identifies what the key is used for.", keptText),
                    ], isRequest: true)),
            "EventQuery": query(of: "EventQueryItem"), "EventQueryItem": item(named: "Name"),
            "ConditionQuery": query(of: "ConditionQueryItem"), "ConditionQueryItem": item(named: "NewName"),
            "Read": .object(read),
            "Erasing": .object(
                object(
                    [],
                    [
                        "close": [
                            "type": "boolean", "default": true,
                            "description": "Whether the stream accepts no more events.",
                        ]
                    ], isRequest: true)),
            "Snapshot": .object(snapshot),
        ]
    }

    private static func query(of item: String) -> JSON {
        noted(
            "The events that any of the items selects. The items together name at most \(EventQuery.mostNames) types and tags.",
            .object(object(["items"], ["items": list(ref(item), 0...EventQuery.mostNames)], isRequest: true)))
    }

    /// - Parameter named: the schema of types and tags: the condition of an append has only names that events can have.
    private static func item(named name: String) -> JSON {
        let names = optional(list(ref(name), 0...EventQuery.mostNames))
        return noted(
            "The events that have one of the types, all of the tags, and the category or stream; a member that is missing holds for every event.",
            .object(
                object(
                    [],
                    [
                        "types": names, "tags": names, "category": optional(ref("Category")),
                        "stream": optional(ref("StreamName")),
                    ], isRequest: true)))
    }

    /// Those out of range count as the nearest one in range.
    private static let anyInteger = integer(Int.min...Int.max)

    private static func event(_ required: [String], of stream: String, streamIsOptional: Bool) -> JSON {
        let (payload, metadata) = (verbatim("payload", [:]), verbatim("metadata", ["type": ["object", "null"]]))
        var members: JSON.Object = [
            "id": noted(
                "The event's id. Without it, the server makes one, and the request must not be repeated.", optional(id)),
            "stream": streamIsOptional
                ? noted("The stream of the path.", optional(ref("StreamName"))) : ref("StreamName"),
            "type": ref("NewName"),
            "type_version": noted("The version of the type; 1 by default.", optional(integer(1...Int(Int32.max)))),
        ]
        for member in payload.members { members[member.name] = member.value }
        members["correlation_id"] = optional(id)
        members["causation_id"] = optional(id)
        for member in metadata.members { members[member.name] = member.value }
        members["metadata"] = [
            "type": ["object", "null"],
            "propertyNames": ["pattern": "^(\\$trace|[^$\\u0000][^\\u0000]*)$", "maxLength": 255],
            "description": "The application's own values. `$trace` holds the trace context.",
        ]
        members["tags"] = optional(list(ref("NewName")))
        var schema = object(required, members, isRequest: true)
        schema["allOf"] = [["anyOf": payload.alternatives], ["anyOf": metadata.alternatives]]
        var example: JSON.Object = ["type": "MoneyDeposited", "payload": ["amount": 100], "tags": ["currency:EUR"]]
        if !streamIsOptional { example["stream"] = .string(stream) }
        schema["examples"] = [.object(example)]
        return .object(schema)
    }

    /// The members under which a JSON text is sent, at most one of which has a value.
    private static func verbatim(_ name: String, _ content: JSON) -> (members: JSON.Object, alternatives: JSON) {
        let names = [name, name + "_text", name + "_base64"]
        var members: JSON.Object = [:]
        members[names[0]] = noted("Any JSON, kept byte for byte.", [:])
        members[names[1]] = [
            "type": ["string", "null"], "contentMediaType": "application/json", "contentSchema": content,
            "description": .string("Instead of `\(name)`: its JSON as text, whose white space is kept."),
        ]
        members[names[2]] = [
            "type": ["string", "null"], "contentEncoding": "base64", "contentMediaType": "application/json",
            "contentSchema": content, "description": .string("Instead of `\(name)`: its JSON in base64."),
        ]
        let alternatives = names.map { only -> JSON in
            ["properties": .object(JSON.Object(names.filter { $0 != only }.map { ($0, ["type": "null"] as JSON) }))]
        }
        return (members, .array(alternatives))
    }

    private static func append(_ limits: EventStoreServer.Limits) -> JSON.Object {
        var schema = object(
            ["events"],
            [
                "events": list(ref("NewEvent"), 0...limits.eventsPerAppend),
                "expect": [
                    "type": ["object", "null"], "propertyNames": ref("StreamName"),
                    "additionalProperties": ["anyOf": [count, ["enum": ["any", "none", "exists"]]]],
                    "description":
                        "What each stream must be like: its last version, or `any`, `none` or `exists`.",
                ],
                "condition": noted(
                    "Nothing is recorded if an event after the position matches the query.",
                    optional(ref("AppendCondition"))),
                "key": noted(
                    "The append is recorded once under this key, however often it is sent.",
                    optional(ref("IdempotencyKey"))),
            ], isRequest: true)
        schema["examples"] = [
            [
                "events": [["stream": "wallet-1", "type": "MoneyDeposited", "payload": ["amount": 100]]],
                "expect": ["wallet-1": "any"],
            ]
        ]
        return schema
    }

    private static let read: JSON.Object = {
        let defaults = Read()
        var schema = object(
            [],
            [
                "query": optional(ref("EventQuery")),
                "direction": ["enum": ["forward", "backward", .null], "default": "forward"],
                "after": noted("Only events after this position.", optional(anyInteger)),
                "up_to": noted("Only events up to this position.", optional(anyInteger)),
                "from_version": noted("The lowest version; 1 by default.", optional(anyInteger)),
                "to_version": noted("The highest version, not less than the lowest.", optional(anyInteger)),
                "as_of": noted("Only events recorded at or before this time.", optional(time)),
                "limit": noted(
                    "The maximum number of events; \(defaults.limit) by default.", optional(anyInteger)),
                "byte_limit": noted(
                    "The page ends, after at least one event, when its payloads exceed this many bytes.",
                    optional(anyInteger)),
                "from_slice": noted(
                    "The lowest slice of the streams; 0 by default.", optional(integer(0...StreamID.slices - 1))),
                "to_slice": noted(
                    "The highest slice of the streams, not less than the lowest.",
                    optional(integer(0...StreamID.slices - 1))),
                "settles": noted("Whether `settled` is brought up to the present.", optional(flag)),
            ], isRequest: true)
        schema["description"] = .string(
            "Every member may be missing: `{}` reads everything from the beginning. Numbers out of range count as the nearest one in range."
        )
        schema["examples"] = [
            ["query": ["items": [["types": ["MoneyDeposited"], "category": "wallet"]]], "after": 0, "limit": 100]
        ]
        return schema
    }()

    private static let snapshot: JSON.Object = {
        let state = verbatim("state", [:])
        var members: JSON.Object = [
            "stream": ref("StreamName"), "name": keptText, "fingerprint": keptText,
            "version": noted("The version of the stream that the state includes.", anyInteger),
        ]
        for member in state.members { members[member.name] = member.value }
        var schema = object(["stream", "name", "fingerprint", "version"], members, isRequest: true)
        schema["anyOf"] = state.alternatives
        return schema
    }()
}
#endif
