#if HTTP
import DiscoCore
import DiscoHTTPSupport

/// The JSON schemas of the wire form, for the OpenAPI document.
enum ServerSchemas {
    static func openAPI(_ settings: EventStoreServer.Settings) -> OpenAPI {
        OpenAPI(
            title: "Disco event store", version: "\(EventStoreServer.apiVersion)",
            text: """
                Append, read and follow events.

                - The names of streams are percent-encoded in paths.
                - Errors are problem documents (RFC 9457); `GET /problems/{code}` explains each code.
                - In requests, unknown members and parameters are refused, and a member that is null counts as missing.
                - A URL or header of more than 80 KiB is answered with 400 and no body; `POST /pages` takes longer selections.
                - Every answer has the header `Disco-API: \(EventStoreServer.apiVersion)`, the version of this API. A \
                client may send it too, and is refused if it speaks another version.
                """,
            schemas: [names, requests(settings.limits), answers, OpenAPI.operatingSchemas].reduce(into: [:]) {
                all, some in
                for schema in some { all[schema.name] = schema.value }
            }, security: .tokens(areRequired: !settings.tokens.isEmpty))
    }

    /// What streams, types and tags are called, and how events are counted.
    private static let names: JSON.Object = [
        "StreamName": [
            "type": "string", "pattern": "^[A-Za-z0-9_.]+-[^\\u0000]+$", "maxLength": 512,
            "description":
                "The name of a stream: a category, a hyphen and an id, together at most 512 bytes of UTF-8. The category consists of letters, digits, `_` and `.`; the id may be any text without NUL.",
            "examples": ["wallet-1"],
        ],
        "Category": [
            "type": "string", "pattern": "^[A-Za-z0-9_.]+$",
            "description": "What the name of a stream begins with, up to its first hyphen.", "examples": ["wallet"],
        ],
        "Name": [
            "type": "string", "pattern": "^[^\\u0000]+$", "maxLength": 255,
            "description": "An event type or a tag: at most 255 bytes of UTF-8.",
            "examples": ["MoneyDeposited"],
        ],
        "NewName": [
            "type": "string", "pattern": "^[^$\\u0000][^\\u0000]*$", "maxLength": 255,
            "description":
                "An event type or a tag to be recorded: at most 255 bytes of UTF-8, not beginning with `$`, which is reserved.",
            "examples": ["MoneyDeposited"],
        ],
        "Position": noted(
            "The place of an event in the order of the store, from 1; 0 is before the first.",
            APIOperation.position),
    ]

    static func ref(_ name: String) -> JSON { APIOperation.schema(name) }
    static let text: JSON = ["type": "string"]
    /// A text that databases can keep.
    static let keptText: JSON = ["type": "string", "pattern": "^[^\\u0000]*$"]
    static let flag: JSON = ["type": "boolean"]
    static let id: JSON = ["type": "string", "format": "uuid"]
    static let time: JSON = ["type": "string", "format": "date-time"]
    static let version = integer(1...Int.max)
    static let count = integer(0...Int.max)
    static func integer(_ range: ClosedRange<Int>) -> JSON {
        ["type": "integer", "minimum": JSON(range.lowerBound), "maximum": JSON(range.upperBound)]
    }

    /// The schema, or null.
    static func optional(_ schema: JSON) -> JSON {
        guard var object = schema.object, let type = object["type"] else {
            return ["anyOf": [schema, ["type": "null"]]]
        }
        object["type"] = [type, "null"]
        return .object(object)
    }

    static func list(_ items: JSON, _ counts: ClosedRange<Int>? = nil) -> JSON {
        var schema: JSON.Object = ["type": "array", "items": items]
        if let counts {
            if counts.lowerBound > 0 { schema["minItems"] = JSON(counts.lowerBound) }
            schema["maxItems"] = JSON(counts.upperBound)
        }
        return .object(schema)
    }

    static func noted(_ text: String, _ schema: JSON) -> JSON {
        guard var object = schema.object else { return schema }
        object["description"] = .string(text)
        return .object(object)
    }

    /// - Parameter isRequest: whether unknown members are refused.
    static func object(_ required: [String], _ members: JSON.Object, isRequest: Bool = false) -> JSON.Object {
        var schema: JSON.Object = ["type": "object", "properties": .object(members)]
        if !required.isEmpty { schema["required"] = .array(required.map(JSON.string)) }
        if isRequest { schema["additionalProperties"] = false }
        return schema
    }
}
#endif
