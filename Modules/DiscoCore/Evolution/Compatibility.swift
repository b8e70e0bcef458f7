/// Finds changes of a shape that break old payloads.
enum Compatibility {
    static func problems(from old: JSON, to new: JSON, _ path: String) -> [String] {
        if old == new { return [] }
        switch (Node(old), Node(new)) {
        case (.optional(let old), .optional(let new)): return problems(from: old, to: new, path)
        case (.optional, _): return ["\(path) was optional and is now required"]
        case (let old, .optional(let new)): return problems(from: old.json, to: new, path)
        case (.list(let old), .list(let new)): return problems(from: old, to: new, path + "[]")
        case (.choice(let old), .choice(let new)):
            return old.flatMap { name, shape in
                new[name].map { problems(from: shape, to: $0, "\(path).\(name)") } ?? [
                    "\(path).\(name) was a case and has been removed"
                ]
            }
        case (.anyOf(let old), .anyOf(let new)):
            return old.filter { !new.contains($0) }.map { "\(path) no longer allows \($0)" }
        case (.anyOf(let old), .value("string")) where old.allSatisfy({ $0.string != nil }): return []
        case (.object(let old), .object(let new)):
            let kept = old.flatMap { name, shape in
                new[name].map { problems(from: shape, to: $0, "\(path).\(name)") } ?? [
                    "\(path).\(name) has been removed"
                ]
            }
            let added = new.filter { old[$0.name] == nil && !Node($0.value).isOptional }
            return kept + added.map { "\(path).\($0.name) is new and required: make it optional, or add an upcaster" }
        case (.value(let old), .value(let new)) where widens[old]?.contains(new) == true: return []
        default: return ["\(path) was \(old) and is now \(new)"]
        }
    }

    /// The kinds that also read values of another kind.
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
                if object.count == 1, let fields = object["fields"]?.object {
                    self = .object(fields)
                } else if object.count == 1, let wrapped = object["optional"] {
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
            case .object(let fields): .object(Shape.object(of: fields))
            }
        }
    }
}
