import Foundation

/// Writes objects of the wire form, member by member.
struct WireWriter {
    private var json = JSONWriter()
    private var isFirst = true

    var bytes: [UInt8] { json.bytes }

    mutating func object(_ members: (inout WireWriter) -> Void) {
        let outer = isFirst
        json.raw("{")
        isFirst = true
        members(&self)
        json.raw("}")
        isFirst = outer
    }

    private mutating func name(_ name: String) {
        if !isFirst { json.raw(",") }
        isFirst = false
        json.quoted(name)
        json.raw(":")
    }

    mutating func member(_ name: String, _ value: JSON) {
        self.name(name)
        json.write(value)
    }

    mutating func member(_ name: String, _ text: String?) { member(name, text.map(JSON.string) ?? .null) }
    mutating func member(_ name: String, _ id: UUID?) { member(name, id?.lowercased) }
    mutating func member(_ name: String, _ position: Position?) {
        member(name, position.map { JSON($0.rawValue) } ?? .null)
    }

    /// Times outside the years that can be written become the first or last of them. NaN is written as `NaN`, which
    /// every reader refuses.
    mutating func member(_ name: String, _ date: Date?) {
        guard let date, !date.timeIntervalSinceReferenceDate.isNaN else {
            return member(name, date.map { _ in "NaN" })
        }
        let text = Timestamp.text(of: date)
        member(name, text ?? Timestamp.text(of: Timestamp.date(microseconds: Timestamp.microseconds(of: date))))
    }

    mutating func member(_ name: String, _ record: (some WireRecord)?) {
        guard let record else { return member(name, .null) }
        self.name(name)
        object { record.write(to: &$0) }
    }

    mutating func member(_ name: String, _ records: some Sequence<some WireRecord>) {
        list(name, records) { writer, record in writer.object { record.write(to: &$0) } }
    }

    mutating func list<Elements: Sequence>(
        _ name: String, _ elements: Elements, _ body: (inout WireWriter, Elements.Element) -> Void
    ) {
        self.name(name)
        json.raw("[")
        var isFirstElement = true
        for element in elements {
            if !isFirstElement { json.raw(",") }
            isFirstElement = false
            body(&self, element)
        }
        json.raw("]")
    }

    mutating func member(_ name: String, of members: (inout WireWriter) -> Void) {
        self.name(name)
        object(members)
    }

    /// Writes JSON text byte for byte; see ``WireForm`` for text that cannot be embedded.
    ///
    /// - Parameter isOptional: whether the member may be missing: null then means no text.
    mutating func verbatim(_ name: String, _ text: JSONText?, isOptional: Bool) {
        guard let text else { return member(name, .null) }
        let isOneLine = !text.bytes.contains { $0 == 0x0A || $0 == 0x0D }
        let space: Set<UInt8> = [0x20, 0x09]
        let hasMargin = text.bytes.first.map(space.contains) == true || text.bytes.last.map(space.contains) == true
        let isNone = isOptional && text.bytes.elementsEqual("null".utf8)
        if isOneLine, !hasMargin, !isNone, (try? text.check()) != nil {
            self.name(name)
            json.raw(text.bytes)
        } else if let string = String(validating: text.bytes, as: UTF8.self) {
            member(name + "_text", .string(string))
        } else {
            member(name + "_base64", .string(Data(text.bytes).base64EncodedString()))
        }
    }
}
