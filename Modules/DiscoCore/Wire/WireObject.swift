import Foundation

/// Where a value is in a text. Only errors need it, so it is not put together before.
final class WirePath: Sendable {
    private let parent: WirePath?
    private let step: WireValue.Step

    init(_ step: WireValue.Step, in parent: WirePath?) {
        self.parent = parent
        self.step = step
    }

    /// `events.0.type`; empty for the whole text.
    var text: String {
        let outer = parent?.text ?? ""
        return switch step {
        case .whole: outer
        case .member(let name): outer.isEmpty ? name : outer + "." + name
        case .element(let index): outer.isEmpty ? "\(index)" : "\(outer).\(index)"
        }
    }
}

/// One value in wire-form text, not parsed yet.
struct WireValue {
    enum Step: Sendable {
        case whole
        case member(String)
        case element(Int)
    }

    /// The whole text, which all values in it share.
    private let text: [UInt8]
    private let range: Range<Int>
    private let step: Step
    private let parent: WirePath?
    /// A payload may be nested as deep as any text, and is itself nested in a few objects here.
    private static let extraDepth = 16

    init(_ text: [UInt8]) { self.init(text, 0..<text.count, .whole, in: nil) }

    fileprivate init(_ text: [UInt8], _ range: Range<Int>, _ step: Step, in parent: WirePath?) {
        self.text = text
        self.range = range
        self.step = step
        self.parent = parent
    }

    var bytes: [UInt8] { Array(text[range]) }
    var path: String { WirePath(step, in: parent).text }

    func error(_ message: String) -> ValidationError { ValidationError([path: [message]]) }

    /// A null counts as no value.
    var isNull: Bool { range.count == 4 && text[range].elementsEqual("null".utf8) }

    func json() throws -> JSON {
        var parser = JSONParser(extraDepth: Self.extraDepth)
        return try parser.parse(text, in: range)
    }

    func record<Record: WireRecord>(_ type: Record.Type) throws -> Record {
        var object = try self.object()
        let record = try Record(&object)
        if Record.isStrict { try object.refuseUnknown() }
        return record
    }

    func object() throws -> WireObject {
        var parser = JSONParser(extraDepth: Self.extraDepth)
        guard let members = try parser.members(of: text, in: range) else { throw error("must be an object") }
        let object = WireObject(text: text, members: members, path: WirePath(step, in: parent))
        if let index = object.repeated { throw object.value(index).error("occurs twice") }
        return object
    }

    func elements() throws -> [WireValue] {
        var parser = JSONParser(extraDepth: Self.extraDepth)
        guard let elements = try parser.elements(of: text, in: range) else { throw error("must be a list") }
        let path = WirePath(step, in: parent)
        return elements.enumerated().map { index, range in WireValue(text, range, .element(index), in: path) }
    }

    func string() throws -> String {
        guard let text = try json().string else { throw error("must be a string") }
        return text
    }

    func integer<Integer: FixedWidthInteger>(_ type: Integer.Type = Integer.self) throws -> Integer {
        if let value = digits, let value = Integer(exactly: value) { return value }
        guard case .number(let number) = try json(), let value = number.exactly(type) else {
            throw error("must be an integer")
        }
        return value
    }

    /// The number, if the text is a plain one: a few digits without a zero before them.
    private var digits: Int64? {
        guard (1...18).contains(range.count), range.count == 1 || text[range.lowerBound] != UInt8(ascii: "0") else {
            return nil
        }
        var value: Int64 = 0
        for byte in text[range] {
            guard (UInt8(ascii: "0")...UInt8(ascii: "9")).contains(byte) else { return nil }
            value = value * 10 + Int64(byte - UInt8(ascii: "0"))
        }
        return value
    }

    func bool() throws -> Bool {
        guard case .bool(let value) = try json() else { throw error("must be true or false") }
        return value
    }

    func uuid() throws -> UUID {
        guard let id = UUID(digits: try string()) else { throw error("must be a valid UUID string") }
        return id
    }

    func date() throws -> Date {
        guard let date = Timestamp.date(from: try string()) else {
            throw error("must be a date like 2026-01-31T12:00:00.000000Z")
        }
        return date
    }

    func position() throws -> Position { Position(rawValue: try integer()) }
}

/// One object of the wire form, and which of its members were read.
struct WireObject {
    private let text: [UInt8]
    private let members: [JSONParser.Member]
    private let path: WirePath
    private var asked: [Bool]
    /// The member after the last one that was read: members are mostly read in the order in which they were written.
    private var next = 0

    fileprivate init(text: [UInt8], members: [JSONParser.Member], path: WirePath) {
        self.text = text
        self.members = members
        self.path = path
        asked = Array(repeating: false, count: members.count)
    }

    fileprivate func value(_ index: Int) -> WireValue {
        WireValue(text, members[index].range, .member(members[index].name), in: path)
    }

    /// The first member whose name occurs before.
    fileprivate var repeated: Int? {
        if members.count > 16 {
            var known: Set<ExactText> = []
            return members.indices.first { !known.insert(ExactText(members[$0].name)).inserted }
        }
        // Comparing a few names is faster than hashing them.
        for index in members.indices {
            for other in 0..<index where ExactText.areEqual(members[index].name, members[other].name) { return index }
        }
        return nil
    }

    /// The member; `nil` if it is missing or null.
    mutating func optional(_ name: String) -> WireValue? {
        guard let index = index(of: name) else { return nil }
        next = index + 1
        asked[index] = true
        let value = value(index)
        return value.isNull ? nil : value
    }

    private func index(of name: String) -> Int? {
        if next < members.count, ExactText.areEqual(members[next].name, name) { return next }
        for index in members.indices where ExactText.areEqual(members[index].name, name) { return index }
        return nil
    }

    mutating func required(_ name: String) throws -> WireValue {
        guard let value = optional(name) else {
            throw ValidationError([WirePath(.member(name), in: path).text: ["is required"]])
        }
        return value
    }

    /// All members by name, for objects whose names are data.
    func all() -> [(name: String, value: WireValue)] {
        members.indices.map { (members[$0].name, value($0)) }
    }

    /// Reads what ``WireWriter/verbatim(_:_:isOptional:)`` has written.
    mutating func verbatim(_ name: String) throws -> JSONText? {
        let (value, text, base64) = (optional(name), optional(name + "_text"), optional(name + "_base64"))
        if let second = text == nil || base64 == nil ? value.flatMap({ _ in text ?? base64 }) : base64 {
            throw second.error("must not be combined with another form of \(name)")
        }
        if let text { return JSONText(unchecked: Array(try text.string().utf8)) }
        guard let base64 else { return value.map { JSONText(unchecked: $0.bytes) } }
        guard let data = Data(base64Encoded: try base64.string()) else {
            throw base64.error("must be base64-encoded data")
        }
        return JSONText(unchecked: [UInt8](data))
    }

    func refuseUnknown() throws {
        let unknown = members.indices.filter { !asked[$0] }.map { value($0).path }
        if unknown.isEmpty { return }
        throw ValidationError(
            Dictionary(unknown.map { ($0, ["is not a known field"]) }, uniquingKeysWith: { first, _ in first }))
    }
}
