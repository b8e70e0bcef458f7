/// Writes JSON values as text, compact or indented.
package struct JSONWriter {
    package private(set) var bytes: [UInt8] = []
    private let indented: Bool
    private var depth = 0
    /// The deepest level written so far.
    package private(set) var deepest = 0

    package init(indented: Bool = false) {
        self.indented = indented
        bytes.reserveCapacity(256)
    }

    package mutating func write(_ value: JSON) {
        switch value {
        case .null: raw("null")
        case .bool(let value): raw(value ? "true" : "false")
        case .number(let number): raw(number.literal)
        case .string(let text): quoted(text)
        case .array(let elements):
            list("[", "]", elements) { writer, element in writer.write(element) }
        case .object(let object):
            list("{", "}", object) { writer, member in
                writer.quoted(member.name)
                writer.raw(writer.indented ? ": " : ":")
                writer.write(member.value)
            }
        }
    }

    private mutating func list<Elements: Collection>(
        _ open: String, _ close: String, _ elements: Elements, _ body: (inout Self, Elements.Element) -> Void
    ) {
        raw(open)
        depth += 1
        deepest = max(deepest, depth)
        defer { depth -= 1 }
        // Deeper levels are left out rather than overflow the stack: such text is refused when it is read.
        if depth > JSONParser.deepest { return raw(close) }
        var first = true
        for element in elements {
            if !first { raw(",") }
            first = false
            newLine(depth)
            body(&self, element)
        }
        if !first { newLine(depth - 1) }
        raw(close)
    }

    mutating func raw(_ text: [UInt8]) { bytes.append(contentsOf: text) }

    private mutating func newLine(_ depth: Int) {
        guard indented else { return }
        raw("\n")
        for _ in 0..<depth { raw("  ") }
    }

    mutating func raw(_ text: String) { bytes.append(contentsOf: text.utf8) }

    mutating func quoted(_ text: String) {
        bytes.append(UInt8(ascii: "\""))
        var text = text
        text.withUTF8 { text in
            var start = 0
            while start < text.count {
                // The plain parts are appended whole. What is not ASCII is not escaped.
                let end = JSONPlainRun.end(in: text, from: start)
                bytes.append(contentsOf: text[start..<end])
                if end < text.count { escaped(text[end]) }
                start = end + 1
            }
        }
        bytes.append(UInt8(ascii: "\""))
    }

    private mutating func escaped(_ byte: UInt8) {
        switch byte {
        case UInt8(ascii: "\""): raw("\\\"")
        case UInt8(ascii: "\\"): raw("\\\\")
        case 0x0A: raw("\\n")
        case 0x0D: raw("\\r")
        case 0x09: raw("\\t")
        case 0x80...: bytes.append(byte)
        default:
            let digits = Array("0123456789abcdef".utf8)
            raw("\\u00")
            bytes.append(digits[Int(byte >> 4)])
            bytes.append(digits[Int(byte & 0xF)])
        }
    }
}

extension JSON {
    /// The value as text over several lines, indented by two spaces.
    public var indented: String {
        var writer = JSONWriter(indented: true)
        writer.write(self)
        return String(decoding: writer.bytes, as: UTF8.self)
    }
}
