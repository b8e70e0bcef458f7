import Foundation

/// One value in wire-form text, not parsed yet.
struct WireValue {
    let bytes: [UInt8]
    /// Its path, for messages: `events.0.type`; empty for the whole text.
    let path: String
    /// A payload may be nested as deep as any text, and is itself nested in a few objects here.
    private static let extraDepth = 16

    init(_ bytes: [UInt8], path: String) {
        self.bytes = bytes
        self.path = path
    }

    func error(_ message: String) -> ValidationError { ValidationError([path: [message]]) }

    /// A null counts as no value.
    var isNull: Bool { bytes.elementsEqual("null".utf8) }

    func json() throws -> JSON {
        var parser = JSONParser(extraDepth: Self.extraDepth)
        return try parser.parse(bytes)
    }

    func record<Record: WireRecord>(_ type: Record.Type) throws -> Record {
        var object = try self.object()
        let record = try Record(&object)
        if Record.isStrict { try object.refuseUnknown() }
        return record
    }

    func object() throws -> WireObject {
        var parser = JSONParser(extraDepth: Self.extraDepth)
        guard let members = try parser.members(of: bytes) else { throw error("must be an object") }
        var known: [ExactText: WireValue] = [:]
        for (name, range) in members {
            let value = WireValue(Array(bytes[range]), path: path.isEmpty ? name : path + "." + name)
            guard known.updateValue(value, forKey: ExactText(name)) == nil else {
                throw value.error("occurs twice")
            }
        }
        return WireObject(members: known, names: members.map(\.name), path: path)
    }

    func elements() throws -> [WireValue] {
        var parser = JSONParser(extraDepth: Self.extraDepth)
        guard let elements = try parser.elements(of: bytes) else { throw error("must be a list") }
        return elements.enumerated().map { index, range in
            WireValue(Array(bytes[range]), path: path.isEmpty ? "\(index)" : "\(path).\(index)")
        }
    }

    func string() throws -> String {
        guard let text = try json().string else { throw error("must be a string") }
        return text
    }

    func integer<Integer: FixedWidthInteger>(_ type: Integer.Type = Integer.self) throws -> Integer {
        guard case .number(let number) = try json(), let value = number.exactly(type) else {
            throw error("must be an integer")
        }
        return value
    }

    func bool() throws -> Bool {
        guard case .bool(let value) = try json() else { throw error("must be true or false") }
        return value
    }

    func uuid() throws -> UUID {
        guard let id = UUID(uuidString: try string()) else { throw error("must be a valid UUID string") }
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
    private let members: [ExactText: WireValue]
    private let names: [String]
    private let path: String
    private var asked: Set<ExactText> = []

    fileprivate init(members: [ExactText: WireValue], names: [String], path: String) {
        self.members = members
        self.names = names
        self.path = path
    }

    /// The member; `nil` if it is missing or null.
    mutating func optional(_ name: String) -> WireValue? {
        asked.insert(ExactText(name))
        guard let value = members[ExactText(name)], !value.isNull else { return nil }
        return value
    }

    mutating func required(_ name: String) throws -> WireValue {
        guard let value = optional(name) else {
            throw ValidationError([path.isEmpty ? name : path + "." + name: ["is required"]])
        }
        return value
    }

    /// All members by name, for objects whose names are data.
    func all() -> [(name: String, value: WireValue)] {
        names.compactMap { name in members[ExactText(name)].map { (name, $0) } }
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
        let unknown = names.filter { !asked.contains(ExactText($0)) }
        if unknown.isEmpty { return }
        throw ValidationError(
            Dictionary(
                unknown.map { (path.isEmpty ? $0 : path + "." + $0, ["is not a known field"]) },
                uniquingKeysWith: { first, _ in first }))
    }
}
