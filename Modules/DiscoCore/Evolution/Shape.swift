/// What a `Decodable` type reads: names and kinds of its fields, however deep; found by having it decode an example.
///
/// It sees what synthesised decoding sees: fields, optionals, collections, and the enums that list their cases; another
/// enum is its name. Where a type refuses the example (text of a certain form, say) reading ends: whoever relies on the
/// whole asks for ``Reading/unreadable`` types.
indirect enum Shape: Hashable, Sendable {
    /// A JSON value of a known kind: `string`, `integer`, `decimal`, `uuid` …
    case value(String)
    case optional(Shape)
    case list(Shape)
    case map(Shape)
    case object([Field])
    /// An enum: each case with what belongs to it.
    case choice([Field])
    /// Text or a number that must be one of these.
    case anyOf([JSON])
    /// A type that contains itself, that gives an example, or that cannot be looked into.
    case named(String)

    struct Field: Hashable, Sendable {
        var name: String
        var shape: Shape
    }

    struct Reading {
        var shape: Shape
        /// The types behind which it is not known.
        var unreadable: [String]
        /// The enums of which not all cases are known.
        var unlisted: [String]
    }

    /// - Parameter seed: the JSON of a value of that type, for what no example can be made of.
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

    /// Stands for the shape; the order of fields does not matter.
    var fingerprint: String { String(FNV1a.hash(JSONText(json).bytes), radix: 16) }

    /// As it stands in a file: `{"amount": "decimal", "memo": "string?", "lines": ["integer"]}`.
    var json: JSON {
        switch self {
        case .value(let name), .named(let name): .string(name)
        case .optional(let shape):
            if case .string(let name) = shape.json { .string(name + "?") } else { ["optional": shape.json] }
        case .list(let shape): .array([shape.json])
        case .map(let shape): ["any name": shape.json]
        case .object(let fields): Self.members(fields)
        case .choice(let cases): ["one of": Self.members(cases)]
        case .anyOf(let values): ["any of": .array(values)]
        }
    }

    private static func members(_ fields: [Field]) -> JSON {
        .object(
            JSON.Object(
                fields.sorted { $0.name.utf8.lexicographicallyPrecedes($1.name.utf8) }.map { ($0.name, $0.shape.json) })
        )
    }
}
