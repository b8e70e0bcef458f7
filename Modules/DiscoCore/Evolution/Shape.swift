/// The shape that a `Decodable` type reads: names and kinds of its fields at any depth, found by decoding an example.
///
/// It covers what synthesised decoding reads: fields, optionals, collections, and enums that list their cases; any
/// other enum is represented by its name. Reading stops at a type that refuses the example (because it requires a
/// certain form of text, for example): code that needs the whole shape checks the ``Reading/unreadable`` types.
indirect enum Shape: Hashable, Sendable {
    /// A JSON value of a known kind: `string`, `integer`, `decimal`, `uuid` …
    case value(String)
    case optional(Shape)
    case list(Shape)
    case map(Shape)
    case object([Field])
    /// An enum: each case with its associated values.
    case choice([Field])
    /// Text or a number that must be one of these.
    case anyOf([JSON])
    /// A type that contains itself, provides an example, or cannot be inspected.
    case named(String)

    struct Field: Hashable, Sendable {
        var name: String
        var shape: Shape
    }

    struct Reading {
        var shape: Shape
        /// The types after which the shape is unknown.
        var unreadable: [String]
        /// The enums whose cases are not all known.
        var unlisted: [String]
    }

    /// - Parameter seed: the JSON of a value of that type, for parts of which no example can be made.
    static func read<Value: Decodable>(_ type: Value.Type, seed: JSON? = nil) -> Reading {
        let reader = ShapeReader()
        let shape = reader.read(type, seed: seed).shape
        return Reading(shape: shape, unreadable: reader.unreadable, unlisted: reader.unlisted)
    }

    /// What to do about types that hide a shape; completes a sentence.
    static func remedy(for types: [String]) -> String {
        "\(types.joined(separator: ", ")). Conform \(types.count == 1 ? "it" : "each of them") (or its CodingKeys) "
            + "to CaseIterable, or to ExampleProviding."
    }

    /// A hash of the shape; the order of fields does not matter.
    var fingerprint: String { String(FNV1a.hash(JSONText(json).bytes), radix: 16) }

    /// The shape as written to a file: `{"amount": "decimal", "memo": "string?", "lines": ["integer"]}`.
    var json: JSON {
        switch self {
        case .value(let name), .named(let name): .string(name)
        case .optional(let shape):
            if case .string(let name) = shape.json { .string(name + "?") } else { ["optional": shape.json] }
        case .list(let shape): .array([shape.json])
        case .map(let shape): ["any name": shape.json]
        case .object(let fields): .object(Self.object(of: Self.members(fields)))
        case .choice(let cases): ["one of": .object(Self.members(cases))]
        case .anyOf(let values): ["any of": .array(values)]
        }
    }

    private static func members(_ fields: [Field]) -> JSON.Object {
        JSON.Object(
            fields.sorted { $0.name.utf8.lexicographicallyPrecedes($1.name.utf8) }.map { ($0.name, $0.shape.json) })
    }

    /// An object with one field whose name has another meaning in the file is wrapped: `{"fields": {"optional": …}}`.
    static func object(of fields: JSON.Object) -> JSON.Object {
        let words = ["optional", "any name", "one of", "any of", "fields"]
        return fields.count == 1 && words.contains { fields[$0] != nil } ? ["fields": .object(fields)] : fields
    }
}
