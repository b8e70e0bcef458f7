/// Finds the end of the plain part of a string: most strings are plain to their end.
enum JSONPlainRun {
    /// The index of the first byte from `start` on that is a control character, a quotation mark, a backslash, or not
    /// ASCII; the number of bytes if there is none.
    static func end(in text: UnsafeBufferPointer<UInt8>, from start: Int) -> Int {
        guard let base = text.baseAddress else { return start }
        var index = start
        while index < text.count {
            // Eight bytes at once. A byte from 0x80 on may hide what is before it, but it is a hit itself.
            while index + 8 <= text.count {
                let word = UnsafeRawPointer(base + index).loadUnaligned(as: UInt64.self)
                let control = word &- 0x2020_2020_2020_2020
                let quotation = (word ^ 0x2222_2222_2222_2222) &- 0x0101_0101_0101_0101
                let backslash = (word ^ 0x5C5C_5C5C_5C5C_5C5C) &- 0x0101_0101_0101_0101
                if (word | control | quotation | backslash) & 0x8080_8080_8080_8080 != 0 { break }
                index += 8
            }
            let next = min(index + 8, text.count)
            while index < next {
                if !isPlain(text[index]) { return index }
                index += 1
            }
        }
        return text.count
    }

    private static func isPlain(_ byte: UInt8) -> Bool {
        byte >= 0x20 && byte < 0x80 && byte != UInt8(ascii: "\"") && byte != UInt8(ascii: "\\")
    }
}
