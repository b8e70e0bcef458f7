import Foundation

/// Reads shapes, and makes an example of each type on the way, because decoding cannot continue without a value.
///
/// Swift does not reveal the cases of an enum that does not list them, and an arbitrary text need not be one of them.
/// Such a value is taken from a *seed*: the JSON of an existing value, from which each field passes on the member with
/// its name. Elements of collections have no seed.
final class ShapeReader {
    private var open: [ObjectIdentifier] = []
    /// Types of which no example could be made: what is read after one of them is unknown.
    private(set) var unreadable: [String] = []
    /// Enums whose cases are not all known.
    private(set) var unlisted: [String] = []

    func read<Value: Decodable>(_ type: Value.Type, seed: JSON? = nil) -> (shape: Shape, example: Value?) {
        if let known = Self.known.first(where: { $0.type == type }) {
            return (.value(known.name), seed.flatMap { try? $0.decodeShallow(type) } ?? known.example as? Value)
        }
        if let container = type as? any ShapedContainer.Type {
            return (container.shape(self, seed), container.emptyValue as? Value)
        }
        if let exemplary = type as? any ExampleProviding.Type {
            return (.named("\(type)"), exemplary.example as? Value)
        }
        // A type that contains itself: its shape is already being read, and any example of it will do.
        let depth = open.count { $0 == ObjectIdentifier(type) }
        guard depth == 0 else { return (.named("\(type)"), depth == 1 ? anyExample(of: type, seed) : nil) }
        open.append(ObjectIdentifier(type))
        defer { open.removeLast() }
        let first = decode(type, choosing: 0, seed)
        guard let count = first.record.choices, count > 0 else {
            return (first.record.shape ?? .named("\(type)"), first.value)
        }
        var cases: [Shape.Field] = []
        var example = first.value
        for index in 0..<count {
            let (value, record) = decode(type, choosing: index, seed)
            example = example ?? value
            if let chosen = record.chosen { cases.append(.init(name: chosen, shape: record.shape ?? .object([]))) }
        }
        return (.choice(cases), example)
    }

    /// For an enum, the first case that does not contain it.
    private func anyExample<Value: Decodable>(of type: Value.Type, _ seed: JSON?) -> Value? {
        open.append(ObjectIdentifier(type))
        defer { open.removeLast() }
        var choice = 0
        while true {
            let (value, record) = decode(type, choosing: choice, seed)
            if let value { return value }
            choice += 1
            guard let count = record.choices, choice < count else { return nil }
        }
    }

    /// - Returns: `nil` for a type that contains itself, which is then tried with another case.
    func example<Value: Decodable>(of type: Value.Type, seed: JSON?, _ note: (Shape) -> Void) -> Value? {
        let (shape, example) = read(type, seed: seed)
        note(shape)
        if example == nil, open.count(where: { $0 == ObjectIdentifier(type) }) < 2 { Self.add(type, to: &unreadable) }
        return example
    }

    private func decode<Value: Decodable>(
        _ type: Value.Type, choosing choice: Int, _ seed: JSON?
    ) -> (value: Value?, record: ShapeRecord) {
        let record = ShapeRecord(choice: choice)
        let value = try? Value(from: ShapeDecoding(reader: self, record: record, seed: seed))
        guard record.isOneOfSome else { return (value, record) }
        if let shape = Self.shape(ofListed: type, record) {
            record.shape = shape
        } else if isUnlisted(type, value, record) {
            record.shape = .named("\(type)")
            Self.add(type, to: &unlisted)
        }
        return (value ?? ListedCases.of(type)?.first, record)
    }

    /// The cases of an enum that lists them itself, which enums with associated values cannot do.
    private static func shape<Value>(ofListed type: Value.Type, _ record: ShapeRecord) -> Shape? {
        if record.asksForUnlistedCase {
            return ListedCases.names(type).map { .choice($0.map { .init(name: $0, shape: .object([])) }) }
        }
        return ListedCases.encoded(type).map { values in
            .anyOf(values.sorted { JSONText($0).string < JSONText($1).string })
        }
    }

    /// Whether it is an enum. Without a value of it, only its requests show that.
    private func isUnlisted<Value>(_ type: Value.Type, _ value: Value?, _ record: ShapeRecord) -> Bool {
        if record.asksForUnlistedCase { return value == nil || record.chosen != nil }
        guard type is any RawRepresentable.Type else { return false }
        return value.map { Mirror(reflecting: $0).displayStyle == .enum } ?? true
    }

    private static func add(_ type: Any.Type, to types: inout [String]) {
        if !types.contains("\(type)") { types.append("\(type)") }
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

/// What one decoding requested.
final class ShapeRecord {
    /// The index of the enum case to decode.
    let choice: Int
    /// The number of cases, if it is an enum that lists its coding keys.
    var choices: Int?
    var chosen: String?
    /// Whether it requested a case, as an enum does, but does not list its coding keys.
    var asksForUnlistedCase = false
    var shape: Shape?

    init(choice: Int) { self.choice = choice }

    func add(_ name: String, _ shape: Shape) {
        var fields: [Shape.Field] = []
        if case .object(let present)? = self.shape { fields = present }
        if !fields.contains(where: { $0.name == name }) { fields.append(.init(name: name, shape: shape)) }
        self.shape = .object(fields)
    }

    /// Whether it may be an enum whose coding keys do not list its cases: an enum with raw values has no such keys.
    var isOneOfSome: Bool {
        if case .value? = shape { return true }
        return asksForUnlistedCase
    }
}

private protocol ShapedContainer {
    static func shape(_ reader: ShapeReader, _ seed: JSON?) -> Shape
    static var emptyValue: Self { get }
}

extension Optional: ShapedContainer where Wrapped: Decodable {
    fileprivate static func shape(_ reader: ShapeReader, _ seed: JSON?) -> Shape {
        .optional(reader.read(Wrapped.self, seed: seed).shape)
    }
    fileprivate static var emptyValue: Wrapped? { nil }
}

extension Array: ShapedContainer where Element: Decodable {
    fileprivate static func shape(_ reader: ShapeReader, _ seed: JSON?) -> Shape {
        .list(reader.read(Element.self).shape)
    }
    fileprivate static var emptyValue: [Element] { [] }
}

extension Set: ShapedContainer where Element: Decodable {
    fileprivate static func shape(_ reader: ShapeReader, _ seed: JSON?) -> Shape {
        .list(reader.read(Element.self).shape)
    }
    fileprivate static var emptyValue: Set<Element> { [] }
}

extension Dictionary: ShapedContainer where Key: Decodable, Value: Decodable {
    fileprivate static func shape(_ reader: ShapeReader, _ seed: JSON?) -> Shape {
        .map(reader.read(Value.self).shape)
    }
    fileprivate static var emptyValue: [Key: Value] { [:] }
}
