/// What becomes of old payloads when a shape changes.
enum Compatibility {
    static func problems(from old: JSON, to new: JSON, _ path: String) -> [String] {
        if old == new { return [] }
        switch (Node(old), Node(new)) {
        case (.optional(let old), .optional(let new)): return problems(from: old, to: new, path)
        case (.optional, _): return ["\(path) was optional and is required"]
        case (let old, .optional(let new)): return problems(from: old.json, to: new, path)
        case (.list(let old), .list(let new)): return problems(from: old, to: new, path + "[]")
        case (.choice(let old), .choice(let new)):
            return old.flatMap { name, shape in
                new[name].map { problems(from: shape, to: $0, "\(path).\(name)") } ?? [
                    "\(path).\(name) was a case and is gone"
                ]
            }
        case (.anyOf(let old), .anyOf(let new)):
            return old.filter { !new.contains($0) }.map { "\(path) could be \($0) and cannot any more" }
        case (.anyOf(let old), .value("string")) where old.allSatisfy({ $0.string != nil }): return []
        case (.object(let old), .object(let new)):
            let kept = old.flatMap { name, shape in
                new[name].map { problems(from: shape, to: $0, "\(path).\(name)") } ?? [
                    "\(path).\(name) was there and is gone"
                ]
            }
            let added = new.filter { old[$0.name] == nil && !Node($0.value).isOptional }
            return kept + added.map { "\(path).\($0.name) is new and required: make it optional, or upcast" }
        case (.value(let old), .value(let new)) where widens[old]?.contains(new) == true: return []
        default: return ["\(path) was \(old) and is \(new)"]
        }
    }

    /// What reads another kind of value as well.
    private static let widens = [
        "integer": ["number", "decimal", "any"], "number": ["any"], "decimal": ["any"],
    ]

    private enum Node {
        case value(String)
        case optional(JSON)
        case list(JSON)
        case choice(JSON.Object)
        case anyOf([JSON])
        case object(JSON.Object)

        init(_ json: JSON) {
            switch json {
            case .string(let name) where name.hasSuffix("?"): self = .optional(.string(String(name.dropLast())))
            case .string(let name): self = .value(name)
            case .array(let elements): self = .list(elements.first ?? .null)
            case .object(let object):
                // A field of that name would have a string there.
                if object.count == 1, let wrapped = object["optional"], wrapped.string == nil {
                    self = .optional(wrapped)
                } else if object.count == 1, let cases = object["one of"]?.object {
                    self = .choice(cases)
                } else if object.count == 1, let values = object["any of"]?.array {
                    self = .anyOf(values)
                } else {
                    self = .object(object)
                }
            default: self = .value(json.description)
            }
        }

        var isOptional: Bool {
            if case .optional = self { true } else { false }
        }

        var json: JSON {
            switch self {
            case .value(let name): .string(name)
            case .optional(let wrapped): ["optional": wrapped]
            case .list(let element): .array([element])
            case .choice(let cases): ["one of": .object(cases)]
            case .anyOf(let values): ["any of": .array(values)]
            case .object(let fields): .object(fields)
            }
        }
    }
}
