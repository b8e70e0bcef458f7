extension JSONParser {
    /// A member of an object: its name, and where its value is.
    struct Member {
        let name: String
        let range: Range<Int>
    }

    /// Checks that a text is one JSON value, without building it.
    package mutating func check(_ bytes: [UInt8]) throws(JSONError) {
        try whole(bytes.span) { parser, text throws(JSONError) in try parser.pass(text) }
    }

    /// The byte range of each member's value in an object, in written order; `nil` if the text is not an object.
    ///
    /// - Parameter range: the part of the text that is the object.
    mutating func members(
        of bytes: [UInt8], in range: Range<Int>
    ) throws(JSONError) -> [Member]? {
        let start = range.lowerBound
        return try whole(bytes.span.extracting(range)) { parser, text throws(JSONError) in
            parser.skipSpace(text)
            var members: [Member] = []
            guard parser.offset < text.count, text[parser.offset] == UInt8(ascii: "{") else {
                try parser.pass(text)
                return nil
            }
            try parser.nested(text) { parser, text throws(JSONError) in
                try parser.passMembers(text) { name, value in
                    members.append(Member(name: name, range: start + value.lowerBound..<start + value.upperBound))
                }
            }
            return members
        }
    }

    /// The byte range of each element of an array; `nil` if the text is not an array.
    ///
    /// - Parameter range: the part of the text that is the array.
    mutating func elements(of bytes: [UInt8], in range: Range<Int>) throws(JSONError) -> [Range<Int>]? {
        let start = range.lowerBound
        return try whole(bytes.span.extracting(range)) { parser, text throws(JSONError) in
            parser.skipSpace(text)
            var elements: [Range<Int>] = []
            guard parser.offset < text.count, text[parser.offset] == UInt8(ascii: "[") else {
                try parser.pass(text)
                return nil
            }
            try parser.nested(text) { parser, text throws(JSONError) in
                try parser.passElements(text) { elements.append(start + $0.lowerBound..<start + $0.upperBound) }
            }
            return elements
        }
    }

    /// Passes over one value.
    private mutating func pass(_ text: borrowing Span<UInt8>) throws(JSONError) {
        skipSpace(text)
        guard offset < text.count else { throw JSONError("expected a value", at: offset) }
        switch text[offset] {
        case UInt8(ascii: "{"):
            try nested(text) { parser, text throws(JSONError) in try parser.passMembers(text, nil) }
        case UInt8(ascii: "["):
            try nested(text) { parser, text throws(JSONError) in try parser.passElements(text) { _ in } }
        case UInt8(ascii: "\""): try passString(text)
        case UInt8(ascii: "t"): _ = try word("true", .null, text)
        case UInt8(ascii: "f"): _ = try word("false", .null, text)
        case UInt8(ascii: "n"): _ = try word("null", .null, text)
        case UInt8(ascii: "-"), UInt8(ascii: "0")...UInt8(ascii: "9"): _ = try numberRange(text)
        default: throw JSONError("invalid value", at: offset)
        }
    }

    /// - Parameter note: receives each member; without it, names are not decoded.
    private mutating func passMembers(
        _ text: borrowing Span<UInt8>, _ note: ((String, Range<Int>) -> Void)?
    ) throws(JSONError) {
        if skip(UInt8(ascii: "}"), text) { return }
        while true {
            skipSpace(text)
            guard offset < text.count, text[offset] == UInt8(ascii: "\"") else {
                throw JSONError("expected a member name", at: offset)
            }
            var name = ""
            if note != nil { name = try string(text) } else { try passString(text) }
            guard skip(UInt8(ascii: ":"), text) else { throw JSONError("expected a colon", at: offset) }
            let value = try passed(text)
            note?(name, value)
            if skip(UInt8(ascii: "}"), text) { return }
            guard skip(UInt8(ascii: ","), text) else {
                throw JSONError("expected a comma or a closing brace", at: offset)
            }
        }
    }

    private mutating func passElements(
        _ text: borrowing Span<UInt8>, _ note: (Range<Int>) -> Void
    ) throws(JSONError) {
        if skip(UInt8(ascii: "]"), text) { return }
        while true {
            note(try passed(text))
            if skip(UInt8(ascii: "]"), text) { return }
            guard skip(UInt8(ascii: ","), text) else {
                throw JSONError("expected a comma or a closing bracket", at: offset)
            }
        }
    }

    /// Passes over the next value and returns its byte range, without the white space around it.
    private mutating func passed(_ text: borrowing Span<UInt8>) throws(JSONError) -> Range<Int> {
        skipSpace(text)
        let start = offset
        try pass(text)
        return start..<offset
    }

    private mutating func passString(_ text: borrowing Span<UInt8>) throws(JSONError) {
        offset += 1
        let start = offset
        var isASCII = true
        offset = text.withUnsafeBufferPointer { JSONPlainRun.end(in: $0, from: start) }
        while offset < text.count {
            let byte = text[offset]
            switch byte {
            case UInt8(ascii: "\""):
                // Escapes are ASCII, so the string is UTF-8 if the parts between them are.
                if !isASCII {
                    let isUTF8 = text.extracting(start..<offset).withUnsafeBufferPointer {
                        String(validating: $0, as: UTF8.self) != nil
                    }
                    guard isUTF8 else { throw JSONError("invalid UTF-8", at: start) }
                }
                offset += 1
                return
            case UInt8(ascii: "\\"): _ = try escape(text)
            case 0..<0x20: throw JSONError("unescaped control character", at: offset)
            default:
                if byte >= 0x80 { isASCII = false }
                offset += 1
            }
        }
        throw JSONError("unterminated string", at: start - 1)
    }
}
