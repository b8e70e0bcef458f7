/// Reads JSON text (RFC 8259) strictly: no comments, no trailing commas, nothing after the value.
///
/// Written by hand because a payload must keep its numbers' digits and its members' order, which Foundation's decoder
/// drops.
package struct JSONParser {
    /// Deeper nesting is refused, so that no text can overflow the stack.
    static let deepest = 512

    var offset = 0
    private var depth = 0
    private let deepest: Int

    /// - Parameter extraDepth: how much deeper than ``deepest`` a text may be nested.
    package init(extraDepth: Int = 0) { deepest = Self.deepest + extraDepth }

    package mutating func parse(_ bytes: [UInt8]) throws(JSONError) -> JSON {
        try parse(bytes, in: 0..<bytes.count)
    }

    /// - Parameter range: the part of the text that is the value.
    mutating func parse(_ bytes: [UInt8], in range: Range<Int>) throws(JSONError) -> JSON {
        try whole(bytes.span.extracting(range)) { parser, text throws(JSONError) in try parser.value(text) }
    }

    /// Reads one value with nothing but white space around it.
    mutating func whole<Result>(
        _ text: borrowing Span<UInt8>, _ body: (inout Self, borrowing Span<UInt8>) throws(JSONError) -> Result
    ) throws(JSONError) -> Result {
        offset = 0
        depth = 0
        let result = try body(&self, text)
        skipSpace(text)
        guard offset == text.count else { throw JSONError("unexpected text after the value", at: offset) }
        return result
    }

    private mutating func value(_ text: borrowing Span<UInt8>) throws(JSONError) -> JSON {
        skipSpace(text)
        guard offset < text.count else { throw JSONError("expected a value", at: offset) }
        switch text[offset] {
        case UInt8(ascii: "{"): return try nested(text, object)
        case UInt8(ascii: "["): return try nested(text, array)
        case UInt8(ascii: "\""): return .string(try string(text))
        case UInt8(ascii: "t"): return try word("true", .bool(true), text)
        case UInt8(ascii: "f"): return try word("false", .bool(false), text)
        case UInt8(ascii: "n"): return try word("null", .null, text)
        case UInt8(ascii: "-"), UInt8(ascii: "0")...UInt8(ascii: "9"): return .number(try number(text))
        default: throw JSONError("invalid value", at: offset)
        }
    }

    mutating func nested<Result>(
        _ text: borrowing Span<UInt8>, _ body: (inout Self, borrowing Span<UInt8>) throws(JSONError) -> Result
    ) throws(JSONError) -> Result {
        depth += 1
        guard depth <= deepest else { throw JSONError("nested more than \(deepest) levels deep", at: offset) }
        offset += 1
        let result = try body(&self, text)
        depth -= 1
        return result
    }

    private func object(_ parser: inout Self, _ text: borrowing Span<UInt8>) throws(JSONError) -> JSON {
        var members = JSON.Object()
        if parser.skip(UInt8(ascii: "}"), text) { return .object(members) }
        while true {
            parser.skipSpace(text)
            guard parser.offset < text.count, text[parser.offset] == UInt8(ascii: "\"") else {
                throw JSONError("expected a member name", at: parser.offset)
            }
            let name = try parser.string(text)
            guard parser.skip(UInt8(ascii: ":"), text) else {
                throw JSONError("expected a colon", at: parser.offset)
            }
            members[name] = try parser.value(text)
            if parser.skip(UInt8(ascii: "}"), text) { return .object(members) }
            guard parser.skip(UInt8(ascii: ","), text) else {
                throw JSONError("expected a comma or a closing brace", at: parser.offset)
            }
        }
    }

    private func array(_ parser: inout Self, _ text: borrowing Span<UInt8>) throws(JSONError) -> JSON {
        var elements: [JSON] = []
        if parser.skip(UInt8(ascii: "]"), text) { return .array(elements) }
        while true {
            elements.append(try parser.value(text))
            if parser.skip(UInt8(ascii: "]"), text) { return .array(elements) }
            guard parser.skip(UInt8(ascii: ","), text) else {
                throw JSONError("expected a comma or a closing bracket", at: parser.offset)
            }
        }
    }

    mutating func word(
        _ word: StaticString, _ value: JSON, _ text: borrowing Span<UInt8>
    ) throws(JSONError) -> JSON {
        let count = word.utf8CodeUnitCount
        guard offset + count <= text.count else { throw JSONError("invalid value", at: offset) }
        for index in 0..<count where text[offset + index] != word.utf8Start[index] {
            throw JSONError("invalid value", at: offset)
        }
        offset += count
        return value
    }

    private mutating func number(_ text: borrowing Span<UInt8>) throws(JSONError) -> JSON.Number {
        let range = try numberRange(text)
        let literal = text.extracting(range).withUnsafeBufferPointer { String(decoding: $0, as: UTF8.self) }
        return JSON.Number(checked: literal)
    }

    mutating func numberRange(_ text: borrowing Span<UInt8>) throws(JSONError) -> Range<Int> {
        let start = offset
        if text[offset] == UInt8(ascii: "-") { offset += 1 }
        let leadingZero = offset < text.count && text[offset] == UInt8(ascii: "0")
        let whole = digits(text)
        guard whole > 0, !(leadingZero && whole > 1) else { throw JSONError("invalid number", at: start) }
        if offset < text.count, text[offset] == UInt8(ascii: ".") {
            offset += 1
            guard digits(text) > 0 else { throw JSONError("invalid number", at: start) }
        }
        if offset < text.count, text[offset] | 0x20 == UInt8(ascii: "e") {
            offset += 1
            if offset < text.count, text[offset] == UInt8(ascii: "+") || text[offset] == UInt8(ascii: "-") {
                offset += 1
            }
            guard digits(text) > 0 else { throw JSONError("invalid number", at: start) }
        }
        return start..<offset
    }

    private mutating func digits(_ text: borrowing Span<UInt8>) -> Int {
        let start = offset
        while offset < text.count, (UInt8(ascii: "0")...UInt8(ascii: "9")).contains(text[offset]) { offset += 1 }
        return offset - start
    }

    mutating func string(_ text: borrowing Span<UInt8>) throws(JSONError) -> String {
        offset += 1
        let start = offset
        offset = text.withUnsafeBufferPointer { JSONPlainRun.end(in: $0, from: start) }
        if offset < text.count, text[offset] == UInt8(ascii: "\"") {
            offset += 1
            return plainString(text, start..<offset - 1)
        }
        while offset < text.count {
            switch text[offset] {
            case UInt8(ascii: "\""):
                let result = try decodeUTF8(text, start..<offset)
                offset += 1
                return result
            case UInt8(ascii: "\\"):
                return try escapedString(text, from: start)
            case 0..<0x20:
                throw JSONError("unescaped control character", at: offset)
            default:
                offset += 1
            }
        }
        throw JSONError("unterminated string", at: start - 1)
    }

    private mutating func escapedString(
        _ text: borrowing Span<UInt8>, from start: Int
    ) throws(JSONError) -> String {
        var result = try decodeUTF8(text, start..<offset)
        var run = offset
        while offset < text.count {
            switch text[offset] {
            case UInt8(ascii: "\""):
                result += try decodeUTF8(text, run..<offset)
                offset += 1
                return result
            case UInt8(ascii: "\\"):
                result += try decodeUTF8(text, run..<offset)
                result.unicodeScalars.append(try escape(text))
                run = offset
            case 0..<0x20:
                throw JSONError("unescaped control character", at: offset)
            default:
                offset += 1
            }
        }
        throw JSONError("unterminated string", at: start - 1)
    }

    mutating func escape(_ text: borrowing Span<UInt8>) throws(JSONError) -> Unicode.Scalar {
        let start = offset
        guard offset + 1 < text.count else { throw JSONError("incomplete escape", at: start) }
        offset += 2
        switch text[start + 1] {
        case UInt8(ascii: "\""): return "\""
        case UInt8(ascii: "\\"): return "\\"
        case UInt8(ascii: "/"): return "/"
        case UInt8(ascii: "b"): return "\u{8}"
        case UInt8(ascii: "f"): return "\u{c}"
        case UInt8(ascii: "n"): return "\n"
        case UInt8(ascii: "r"): return "\r"
        case UInt8(ascii: "t"): return "\t"
        case UInt8(ascii: "u"):
            let unit = try hexadecimal(text)
            if let scalar = Unicode.Scalar(unit) { return scalar }
            // A surrogate pair encodes one character beyond U+FFFF; a lone surrogate encodes nothing.
            guard (0xD800..<0xDC00).contains(unit), offset + 1 < text.count, text[offset] == UInt8(ascii: "\\"),
                text[offset + 1] == UInt8(ascii: "u")
            else { throw JSONError("unpaired surrogate", at: start) }
            offset += 2
            let low = try hexadecimal(text)
            guard (0xDC00..<0xE000).contains(low),
                let scalar = Unicode.Scalar(0x10000 + ((unit - 0xD800) << 10) + (low - 0xDC00))
            else { throw JSONError("unpaired surrogate", at: start) }
            return scalar
        default: throw JSONError("unknown escape", at: start)
        }
    }

    private mutating func hexadecimal(_ text: borrowing Span<UInt8>) throws(JSONError) -> UInt32 {
        guard offset + 4 <= text.count else { throw JSONError("incomplete escape", at: offset) }
        var unit: UInt32 = 0
        for _ in 0..<4 {
            guard let digit = text[offset].hexadecimalDigit else {
                throw JSONError("expected four hexadecimal digits", at: offset)
            }
            unit = unit << 4 | UInt32(digit)
            offset += 1
        }
        return unit
    }

    /// A string of ASCII characters, which need no validation.
    private func plainString(_ text: borrowing Span<UInt8>, _ range: Range<Int>) -> String {
        text.extracting(range).withUnsafeBufferPointer { characters in
            String(unsafeUninitializedCapacity: characters.count) { $0.initialize(fromContentsOf: characters) }
        }
    }

    private func decodeUTF8(_ text: borrowing Span<UInt8>, _ range: Range<Int>) throws(JSONError) -> String {
        let result = text.extracting(range).withUnsafeBufferPointer { String(validating: $0, as: UTF8.self) }
        guard let result else { throw JSONError("invalid UTF-8", at: range.lowerBound) }
        return result
    }

    mutating func skip(_ byte: UInt8, _ text: borrowing Span<UInt8>) -> Bool {
        skipSpace(text)
        guard offset < text.count, text[offset] == byte else { return false }
        offset += 1
        return true
    }

    mutating func skipSpace(_ text: borrowing Span<UInt8>) {
        while offset < text.count {
            switch text[offset] {
            case 0x20, 0x0A, 0x0D, 0x09: offset += 1
            default: return
            }
        }
    }
}
