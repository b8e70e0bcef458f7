import DiscoCore
import Testing

/// What RFC 8259 accepts as JSON, and what it does not.
@Suite struct JSONTests {
    private static func parsed(_ text: String) throws -> JSON { try JSONText(unchecked: Array(text.utf8)).value() }

    private static let readable: [(String, JSON, String)] = [
        ("null", nil, "null"),
        ("true", true, "true"),
        ("false", false, "false"),
        ("0", 0, "0"),
        ("-7", -7, "-7"),
        ("\"\"", "", "\"\""),
        (" \n\r\t1 \n\r\t", 1, "1"),
        ("[]", [], "[]"),
        ("[ ]", [], "[]"),
        ("{}", [:], "{}"),
        ("{\n}", [:], "{}"),
        ("[1,[2,[]],{},null]", [1, [2, []], [:], nil], "[1,[2,[]],{},null]"),
        ("\t[ 1 ,\r\n\"a b\" ]", [1, "a b"], #"[1,"a b"]"#),
        (#"{ "b" : 1 , "a" : [ ] }"#, ["b": 1, "a": []], #"{"b":1,"a":[]}"#),
        (#"{"":{"":""}}"#, ["": ["": ""]], #"{"":{"":""}}"#),
        (#"{"a":null}"#, ["a": nil], #"{"a":null}"#),
        // Of several members with one name, the last value counts, in the place of the first.
        (#"{"a":1,"b":2,"a":3}"#, ["a": 3, "b": 2], #"{"a":3,"b":2}"#),
        (#"{"a":1,"\u0061":2}"#, ["a": 2], #"{"a":2}"#),
        (#"{"a":1,"A":2}"#, ["a": 1, "A": 2], #"{"a":1,"A":2}"#),
        (#"{"a":{"a":1},"a":null}"#, ["a": nil], #"{"a":null}"#),
    ]

    @Test(arguments: readable)
    func validJSONIsReadAndWrittenCompactly(text: String, value: JSON, written: String) throws {
        let read = try Self.parsed(text)
        #expect(read == value)
        #expect(JSONText(read).bytes == Array(written.utf8))
        #expect(read.description == written)
    }

    private static let strings: [(String, String, String)] = [
        (#"\"\\\/\b\f\n\r\t"#, "\"\\/\u{8}\u{C}\n\r\t", #"\"\\/\u0008\u000c\n\r\t"#),
        (#"\u0041\u00e9\u00E9\u2028"#, "A\u{E9}\u{E9}\u{2028}", "A\u{E9}\u{E9}\u{2028}"),
        (#"\u0000\u001f\u001F\u007f"#, "\0\u{1F}\u{1F}\u{7F}", "\\u0000\\u001f\\u001f\u{7F}"),
        // A surrogate pair is one character: the first and last pairs, and the characters around the surrogates.
        (#"\ud83d\ude00"#, "\u{1F600}", "\u{1F600}"),
        (#"\uD800\uDC00\uDBFF\uDFFF"#, "\u{10000}\u{10FFFF}", "\u{10000}\u{10FFFF}"),
        (#"\ud7ff\ue000\uffff"#, "\u{D7FF}\u{E000}\u{FFFF}", "\u{D7FF}\u{E000}\u{FFFF}"),
        (#"a\nb\\nc"#, "a\nb\\nc", #"a\nb\\nc"#),
        (#"\\u0041"#, #"\u0041"#, #"\\u0041"#),
        ("\u{7F}\u{80}\u{7FF}\u{800}\u{FFFF}\u{10FFFF}", "\u{7F}\u{80}\u{7FF}\u{800}\u{FFFF}\u{10FFFF}", nil),
        ("\u{FEFF}a\u{FEFF}", "\u{FEFF}a\u{FEFF}", nil),
        // To Swift strings, a quote with an accent is not a quote: text is read by bytes.
        ("\u{301}", "\u{301}", nil),
        ("e\u{301}", "e\u{301}", nil),
        ("\\\"\u{301}", "\"\u{301}", nil),
        ("\\\\\u{301}", "\\\u{301}", nil),
        ("{}[]:,'//null", "{}[]:,'//null", nil),
    ]
    .map { (inside: String, value: String, written: String?) in (inside, value, written ?? inside) }

    @Test(arguments: strings)
    func aStringIsReadByteByByte(inside: String, value: String, written: String) throws {
        let string = try #require(try Self.parsed("\"\(inside)\"").string)
        #expect(Array(string.utf8) == Array(value.utf8))
        #expect(JSONText(.string(string)).bytes == Array("\"\(written)\"".utf8))
        // The same text as a member's name.
        let object = try #require(try Self.parsed("[{\"\(inside)\":\"\(inside)\"}]")[0])
        #expect(object.object?.names.map { Array($0.utf8) } == [Array(value.utf8)])
        #expect(JSONText(object).bytes == Array("{\"\(written)\":\"\(written)\"}".utf8))
    }

    private static let refused: [(message: String, texts: [(String, Int)])] = [
        ("expected a value", [("", 0), ("  \n", 3), ("[", 1), ("[1,", 3), (#"{"a":"#, 5), (#"{"a": "#, 6)]),
        (
            "unexpected text after the value",
            [
                ("1 2", 2), ("nullnull", 4), ("truex", 4), ("[1]]", 3), ("{}{}", 2), (#""a""b""#, 3), ("1,", 1),
                ("1\0", 1), ("0x1", 1), ("1_000", 1), ("1.5.5", 3), ("1e5e5", 3), ("1a", 1), ("1 // one", 2),
                ("1\u{2028}", 1), ("1\u{A0}", 1),
            ]
        ),
        (
            "invalid value",
            [
                ("nul", 0), ("tru", 0), ("fals", 0), ("[nulL]", 1), ("True", 0), ("NULL", 0), ("NaN", 0),
                ("Infinity", 0), ("undefined", 0), (".5", 0), ("+1", 0), ("'a'", 0), ("]", 0), ("}", 0), (",", 0),
                (":", 0), ("[1,]", 3), ("[1, ]", 4), ("[,]", 1), ("[,1]", 1), ("[1,,2]", 3), (#"{"a":}"#, 5),
                (#"{"a"::1}"#, 5), ("// no\n1", 0), ("/* no */1", 0), ("[/**/]", 1), ("#", 0), ("\0", 0), ("\u{B}1", 0),
                ("\u{C}1", 0), ("\u{A0}1", 0), ("\u{FEFF}1", 0), ("\u{FEFF}", 0), ("\u{661}", 0),
            ]
        ),
        (
            "expected a member name",
            [
                ("{", 1), ("{ ", 2), ("{a:1}", 1), ("{1:2}", 1), ("{null:1}", 1), ("{'a':1}", 1), ("{,}", 1),
                (#"{"a":1,}"#, 7), (#"{"a":1, }"#, 8), (#"{"a":1,,"b":2}"#, 7), (#"{,"a":1}"#, 1), ("{[]:1}", 1),
                ("{]", 1),
            ]
        ),
        (
            "expected a colon",
            [
                (#"{"a""#, 4), (#"{"a"}"#, 4), (#"{"a" 1}"#, 5), (#"{"a",1}"#, 4), (#"{"a"=1}"#, 4),
                ("{\"a\"\u{301}:1}", 4),
            ]
        ),
        (
            "expected a comma or a closing brace",
            [(#"{"a":1"#, 6), (#"{"a":1]"#, 6), (#"{"a":1 "b":2}"#, 7), (#"{"a":1;"b":2}"#, 6), (#"{"a":1:2}"#, 6)]
        ),
        (
            "expected a comma or a closing bracket",
            [("[1", 2), ("[1 ", 3), ("[1 2]", 3), ("[1}", 2), ("[[1]", 4), (#"["a":1]"#, 4), ("[1;2]", 2)]
        ),
        (
            "invalid number",
            [
                ("01", 0), ("-01", 0), ("00", 0), ("-00", 0), ("[01]", 1), ("[1,02]", 3), ("1.", 0), ("1.e5", 0),
                ("-", 0), ("- 1", 0), ("--1", 0), ("-+1", 0), ("-a", 0), ("-.5", 0), ("-Infinity", 0), ("-NaN", 0),
                ("1e", 0), ("1E", 0), ("1e+", 0), ("1e-", 0), ("1e+-1", 0), ("1.5e", 0), ("1ex", 0), (" 1.x", 1),
                ("1.\u{661}", 0), ("[-]", 1),
            ]
        ),
        (
            "unterminated string",
            [("\"", 0), (#""open"#, 0), (#"["a","b]"#, 5), (#""\""#, 0), (#""\n"#, 0), (#"{"a"#, 1), (#"{"a":""#, 5)]
        ),
        (
            "unescaped control character",
            [
                ("\"\n\"", 1), ("\"a\tb\"", 2), ("\"\r\"", 1), ("\"\0\"", 1), ("\"\u{1}\"", 1), ("\"\u{1F}\"", 1),
                ("\"\\n\n\"", 3), ("{\"a\u{1F}\":1}", 3), ("\"open\n", 5),
            ]
        ),
        (
            "unknown escape",
            [
                (#""\x""#, 1), (#""\ ""#, 1), (#""a\'""#, 2), (#""\0""#, 1), (#""\N""#, 1), (#""\U0041""#, 1),
                ("\"\\\n\"", 1),
            ]
        ),
        ("incomplete escape", [(#""\"#, 1), (#""\u"#, 3), (#""\u12"#, 3), (#""\u12""#, 3), (#""\ud800\u""#, 9)]),
        (
            "expected four hexadecimal digits",
            [
                (#""\u12G4""#, 5), (#""\u+123""#, 3), (#""\u-123""#, 3), (#""\u 123""#, 3), (#""\u12",1]"#, 5),
                (#""\ud83d\uzzzz""#, 9), ("\"\\u\u{FF10}041\"", 3),
            ]
        ),
        (
            "unpaired surrogate",
            [
                (#""\ud800""#, 1), (#""\udbff""#, 1), (#""\udc00""#, 1), (#""\udfff""#, 1), (#""\ud800x""#, 1),
                (#""\ud800\n""#, 1), (#""\ud800\u0041""#, 1), (#""\ud800\ud800""#, 1), (#""\ud800\udbff""#, 1),
                (#""\ud800\ue000""#, 1), (#""a\udc00\ud800""#, 2), (#""\ud83d\ude00\ud83d""#, 13), (#""\ud800"#, 1),
                (#"{"\ud800":1}"#, 2),
            ]
        ),
    ]

    private static let refusals = refused.flatMap { group in group.texts.map { ($0.0, $0.1, group.message) } }

    @Test(arguments: refusals)
    func invalidJSONIsRefusedAtTheOffendingByte(text: String, offset: Int, message: String) throws {
        let error = try #require(throws: JSONError.self) { try JSONText(text) }
        #expect(error.offset == offset)
        #expect(error.message == message)
        #expect(error.description == "not JSON: \(message) at byte \(offset)")
        #expect(throws: error) { try JSONText(unchecked: Array(text.utf8)).check() }
    }

    private static let noUTF8: [[UInt8]] = [
        // Unused bytes, stray continuation bytes, truncated characters, overlong forms, surrogates, and characters
        // beyond the last.
        [0xFF], [0xFE], [0x80], [0xBF], [0xC3], [0xE2, 0x82], [0xF0, 0x9F, 0x8E], [0xC0, 0x80], [0xC1, 0xBF],
        [0xE0, 0x80, 0x80], [0xED, 0xA0, 0x80], [0xED, 0xBF, 0xBF], [0xF4, 0x90, 0x80, 0x80], [0xF5, 0x80, 0x80, 0x80],
        [0xF8, 0x88, 0x80, 0x80, 0x80],
    ]

    @Test(arguments: noUTF8)
    func invalidUTF8IsRefused(bytes: [UInt8]) {
        let places: [(before: String, after: String, offset: Int)] = [
            ("\"", "\"", 1), ("[\"a\",\"", "b\"]", 6), ("\"\\n", "\"", 3), ("\"\\n", "\\n\"", 3), ("{\"", "\":1}", 2),
        ]
        for place in places {
            let text = Array(place.before.utf8) + bytes + Array(place.after.utf8)
            #expect(throws: JSONError("invalid UTF-8", at: place.offset)) { try JSONText(unchecked: text).value() }
        }
        // Outside of strings, the bytes are an invalid value or text after the value.
        #expect(throws: JSONError("invalid value", at: 0)) { try JSONText(unchecked: bytes).value() }
        #expect(throws: JSONError("unexpected text after the value", at: 1)) {
            try JSONText(unchecked: [0x31] + bytes).value()
        }
    }

    /// Strings are scanned eight bytes at a time: each special byte is found at every place of such a group.
    @Test(arguments: ["\"", "\\", "\n", "\u{0}", "\u{1f}", " ", "\u{7f}", "\u{80}", "é", "\u{1f600}"])
    func aCharacterIsFoundAtEveryPlaceInAString(character: String) throws {
        for before in 0...20 {
            for after in [0, 1, 7, 8, 9] {
                let value = String(repeating: "!", count: before) + character + String(repeating: "~", count: after)
                let written = JSONText(.object(["n": .string(value), value: 1]))
                #expect(try written.value() == .object(["n": .string(value), value: 1]))
                #expect(try JSONText(written.string).bytes == written.bytes)
                guard let byte = character.utf8.first, byte < 0x20 else { continue }
                let unescaped = Array("\"\(value)\"".utf8)
                for name in [false, true] {
                    let text = name ? Array("{".utf8) + unescaped + Array(":1}".utf8) : unescaped
                    let error = try #require(throws: JSONError.self) { try JSONText(unchecked: text).value() }
                    #expect(error.offset == before + (name ? 2 : 1))
                    #expect(throws: error) { try JSONText(unchecked: text).check() }
                }
            }
        }
    }

    @Test func encodingsOtherThanUTF8AreRefused() {
        for text in ["1", "[1]", "{\"a\":1}"] {
            func padded(_ before: Int, _ after: Int) -> [UInt8] {
                text.utf8.flatMap { Array(repeating: 0, count: before) + [$0] + Array(repeating: 0, count: after) }
            }
            // UTF-16 and UTF-32 in either byte order, with and without byte order marks.
            let encodings = [
                padded(0, 1), padded(1, 0), padded(0, 3), padded(3, 0), [0xFF, 0xFE] + padded(0, 1),
                [0xFE, 0xFF] + padded(1, 0), [0xEF, 0xBB, 0xBF] + padded(0, 0),
            ]
            for encoding in encodings {
                #expect(throws: JSONError.self) { try JSONText(unchecked: encoding).value() }
            }
        }
    }

    /// The texts that open and close a level.
    @Test(arguments: [("[", "]"), ("{\"a\":", "}"), (" [ ", " ] "), ("[{\"a\":", "}]")])
    func nestingDeeperThan512IsRefusedAtItsByte(open: String, close: String) throws {
        func text(_ levels: Int) -> String {
            String(repeating: open, count: levels) + "1" + String(repeating: close, count: levels)
        }
        let each = open.utf8.count { "[{".utf8.contains($0) }
        let allowed = try Self.parsed(text(512 / each))
        #expect(JSONText(allowed).string == text(512 / each).filter { $0 != " " })
        #expect(throws: Never.self) { try JSONText(allowed).check() }
        // The first byte of the first level beyond the limit.
        let offset = 512 / each * open.utf8.count + (open.utf8.first == UInt8(ascii: " ") ? 1 : 0)
        for levels in [512 / each + 1, 100_000] {
            #expect(throws: JSONError("nested more than 512 levels deep", at: offset)) { try Self.parsed(text(levels)) }
        }
    }

    @Test func theNumberOfSiblingListsDoesNotMatter() throws {
        let text = "[" + Array(repeating: "[{}]", count: 2000).joined(separator: ",") + "]"
        #expect(try Self.parsed(text).array?.count == 2000)
    }
}
