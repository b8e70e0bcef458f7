import Foundation

/// What a `Decodable` type reads: names and kinds of its fields, however deep; found by having it decode an example.
///
/// It sees what synthesised decoding sees: fields, optionals, collections, enums with and without values. Where a type
/// refuses the example (text of a certain form, say) reading ends: whoever relies on the whole asks
/// ``ShapeReader/unreadable`` for such types.
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
    /// A type that contains itself, or that cannot be looked into.
    case named(String)

    struct Field: Hashable, Sendable {
        var name: String
        var shape: Shape
    }

    /// The shape, and the types behind which it is not known.
    static func read<Value: Decodable>(_ type: Value.Type) -> (shape: Shape, unreadable: [String]) {
        let reader = ShapeReader()
        let shape = reader.read(type).shape
        return (shape, reader.unreadable)
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

/// Reads shapes, and makes an example of each type on the way, since decoding cannot go on without a value.
final class ShapeReader {
    private var open: [ObjectIdentifier] = []
    /// Types that no example could be made of: what is read after one of them is not known. Conform them to
    /// ``ExampleProviding``.
    private(set) var unreadable: [String] = []

    func read<Value: Decodable>(_ type: Value.Type) -> (shape: Shape, example: Value?) {
        if let known = Self.known.first(where: { $0.type == type }) {
            return (.value(known.name), known.example as? Value)
        }
        if let container = type as? any ShapedContainer.Type {
            return (container.shape(self), container.emptyValue as? Value)
        }
        if let exemplary = type as? any ExampleProviding.Type {
            return (.named("\(type)"), exemplary.example as? Value)
        }
        // One that contains itself: its shape is being read already, and any example of it will do.
        let depth = open.count { $0 == ObjectIdentifier(type) }
        guard depth == 0 else { return (.named("\(type)"), depth == 1 ? anyExample(of: type) : nil) }
        open.append(ObjectIdentifier(type))
        defer { open.removeLast() }
        let first = decode(type, choosing: 0)
        guard let count = first.record.choices, count > 0 else {
            return (first.record.shape ?? .named("\(type)"), first.value)
        }
        var cases: [Shape.Field] = []
        var example = first.value
        for index in 0..<count {
            let (value, record) = decode(type, choosing: index)
            example = example ?? value
            if let chosen = record.chosen { cases.append(.init(name: chosen, shape: record.shape ?? .object([]))) }
        }
        return (.choice(cases), example)
    }

    /// Of an enum, the first case that does not contain it.
    private func anyExample<Value: Decodable>(of type: Value.Type) -> Value? {
        open.append(ObjectIdentifier(type))
        defer { open.removeLast() }
        var choice = 0
        while true {
            let (value, record) = decode(type, choosing: choice)
            if let value { return value }
            choice += 1
            guard let count = record.choices, choice < count else { return nil }
        }
    }

    /// - Returns: nil for a type that contains itself, where it is tried with another case.
    func example<Value: Decodable>(of type: Value.Type, _ note: (Shape) -> Void) -> Value? {
        let (shape, example) = read(type)
        note(shape)
        if example == nil, open.count(where: { $0 == ObjectIdentifier(type) }) < 2 { unreadable.append("\(type)") }
        return example
    }

    private func decode<Value: Decodable>(_ type: Value.Type, choosing choice: Int) -> (
        value: Value?, record: ShapeRecord
    ) {
        let record = ShapeRecord(choice: choice)
        var value = try? Value(from: ShapeDecoding(reader: self, record: record))
        // Text or a number that stands for a case: any case will do.
        if case .value? = record.shape, let cases = EnumCases.all(of: type) {
            value = value ?? cases.first
            let values = cases.compactMap { ($0 as? any Encodable).flatMap { try? JSON(encoding: $0) } }
            if values.count == cases.count {
                record.shape = .anyOf(values.sorted { JSONText($0).string < JSONText($1).string })
            }
        }
        return (value, record)
    }

    private static let known: [(type: any Any.Type, name: String, example: any Sendable)] = [
        (Bool.self, "boolean", false), (String.self, "string", ""), (Double.self, "number", 0.0),
        (Float.self, "number", Float(0)), (Int.self, "integer", 0), (Int8.self, "integer", Int8(0)),
        (Int16.self, "integer", Int16(0)), (Int32.self, "integer", Int32(0)), (Int64.self, "integer", Int64(0)),
        (UInt.self, "integer", UInt(0)), (UInt8.self, "integer", UInt8(0)), (UInt16.self, "integer", UInt16(0)),
        (UInt32.self, "integer", UInt32(0)), (UInt64.self, "integer", UInt64(0)), (Decimal.self, "decimal", Decimal()),
        (UUID.self, "uuid", UUID(uuid: (0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0))),
        (Date.self, "date", Date(timeIntervalSince1970: 0)),
        (Data.self, "data", Data()), (URL.self, "url", URL(filePath: "/")), (JSON.self, "any", JSON.null),
        (JSONText.self, "any", JSONText(JSON.null)),
    ]
}

/// What one decoding asked for.
final class ShapeRecord {
    /// Which case of an enum to be.
    let choice: Int
    /// How many cases there are, where it is an enum with values.
    var choices: Int?
    var chosen: String?
    var shape: Shape?

    init(choice: Int) { self.choice = choice }

    func add(_ name: String, _ shape: Shape) {
        var fields: [Shape.Field] = []
        if case .object(let present)? = self.shape { fields = present }
        if !fields.contains(where: { $0.name == name }) { fields.append(.init(name: name, shape: shape)) }
        self.shape = .object(fields)
    }
}

private protocol ShapedContainer {
    static func shape(_ reader: ShapeReader) -> Shape
    static var emptyValue: Self { get }
}

extension Optional: ShapedContainer where Wrapped: Decodable {
    fileprivate static func shape(_ reader: ShapeReader) -> Shape { .optional(reader.read(Wrapped.self).shape) }
    fileprivate static var emptyValue: Wrapped? { nil }
}

extension Array: ShapedContainer where Element: Decodable {
    fileprivate static func shape(_ reader: ShapeReader) -> Shape { .list(reader.read(Element.self).shape) }
    fileprivate static var emptyValue: [Element] { [] }
}

extension Set: ShapedContainer where Element: Decodable {
    fileprivate static func shape(_ reader: ShapeReader) -> Shape { .list(reader.read(Element.self).shape) }
    fileprivate static var emptyValue: Set<Element> { [] }
}

extension Dictionary: ShapedContainer where Key: Decodable, Value: Decodable {
    fileprivate static func shape(_ reader: ShapeReader) -> Shape { .map(reader.read(Value.self).shape) }
    fileprivate static var emptyValue: [Key: Value] { [:] }
}
