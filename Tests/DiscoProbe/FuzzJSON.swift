import DiscoCore
import DiscoTesting
import Foundation

/// Runs generated, mutated and random texts through the parser and the writer for a time, and compares the results with
/// those of Foundation's two parsers. Saves the texts and the results in a file for another implementation to check.
struct FuzzJSON {
    private var texts: GeneratedJSONTexts
    /// More would fill the disk: an hour produces gigabytes.
    private static let mostKept = 1_000_000

    /// - Parameter path: a new file with a line for each text, separated by tabs: the text and the compact text of its
    ///   value, both in base 64, the latter empty if the text was refused; and the reason for the refusal.
    static func run(_ path: String, seconds: Double, seed: UInt64) throws {
        try Data().write(to: URL(filePath: path))
        let file = try FileHandle(forWritingTo: URL(filePath: path))
        var fuzz = FuzzJSON(texts: GeneratedJSONTexts(seed: seed))
        var (count, accepted) = (0, 0)
        let end = ContinuousClock.now + .seconds(seconds)
        while ContinuousClock.now < end {
            var lines = ""
            for _ in 0..<100 {
                let (line, isAccepted) = try fuzz.turn()
                lines += line
                count += 1
                accepted += isAccepted ? 1 : 0
            }
            if count <= mostKept { try file.write(contentsOf: Data(lines.utf8)) }
        }
        try file.close()
        print("\(count) texts, \(accepted) of them JSON, as Foundation has them")
    }

    private mutating func turn() throws -> (line: String, isAccepted: Bool) {
        let (text, mustBeJSON) = texts.next()
        if let difference = JSONDifference.of(text, mustBeJSON: mustBeJSON) {
            throw Fuzz.Difference(
                description: "\(difference): \(String(decoding: text, as: UTF8.self).debugDescription), "
                    + "in base 64 \(Data(text).base64EncodedString())")
        }
        let column = Data(text).base64EncodedString() + "\t"
        do {
            let written = JSONText(try JSONText(unchecked: text).value()).bytes
            return (column + Data(written).base64EncodedString() + "\t\n", true)
        } catch {
            return (column + "\t\(error.message)\n", false)
        }
    }
}

/// Texts that are JSON, mutated JSON, and random texts.
private struct GeneratedJSONTexts {
    private var values: GeneratedValues

    init(seed: UInt64) { values = GeneratedValues(seed: seed) }

    mutating func next() -> (text: [UInt8], mustBeJSON: Bool) {
        switch values.pick(Array(0..<400)) {
        // Only a few, since JSONDecoder takes a fifth of a second for one.
        case 0: (nested(values.pick([1, 511, 512])), true)
        case 1: (nested(values.pick([513, 514])), false)
        case 2..<140: (Array(value().utf8), true)
        case 140..<320: (changed(Array(value().utf8)), false)
        case 320..<380: (tokens(), false)
        default: (Array(values.data()), false)
        }
    }

    private mutating func value(depth: Int = 0) -> String {
        let text =
            switch values.pick(Array(0..<(depth < 5 ? 9 : 5))) {
            case 0: values.pick(["null", "true", "false"])
            case 1, 2: number()
            case 3, 4: string()
            case 5, 6:
                "[" + space()
                    + (0..<values.pick([0, 1, 2, 3])).map { _ in value(depth: depth + 1) }.joined(separator: ",")
                    + "]"
            default:
                // From 16 members on, an object looks them up by an index.
                "{" + space()
                    + (0..<values.pick([0, 1, 2, 3, 3, 20])).map { _ in
                        space() + string() + space() + ":" + value(depth: depth > 1 ? 5 : depth + 1)
                    }
                    .joined(separator: ",") + "}"
            }
        return space() + text + space()
    }

    private mutating func space() -> String { values.pick(["", "", "", "", "", " ", "\n", "\t", "\r", " \r\n\t "]) }

    /// Numbers in all notations.
    private mutating func number() -> String {
        let whole = ["0", "1", "7", "10", "999", "\(Int.max)", "\(UInt64.max)", "123456789012345678901234567890"]
        let fraction = ["", "", "", ".0", ".5", ".50", ".000", ".1234567890123456789"]
        let exponent = ["", "", "", "", "e0", "e3", "E+2", "e-2", "E-07", "e+300", "e-300", "e308", "e400", "e-400"]
        return values.pick(["", "-"]) + values.pick(whole) + values.pick(fraction) + values.pick(exponent)
    }

    /// Sometimes so short that a name occurs twice, also as an escape.
    private mutating func string() -> String {
        let pieces = [
            "a", "a", "a", "\\u0061", "é", "e\u{301}", "\\u00e9", "\\u00E9", "\\\"", "\\\\", "\\/", "\\b", "\\f", "\\n",
            "\\r", "\\t", "\\u0000", "\\u001f", "\\ud83d\\ude00", "\\uDBFF\\uDFFF", "\\uD7FF", "\\uE000", "\\u2028",
            "\u{2028}", "\u{7F}", "\u{80}", "🎉", "日本", "\u{FEFF}", "\u{FFFE}", "\u{FFFF}", "\u{10FFFF}", "{", "[", ":",
            ",", "'", "//", "null", " ",
        ]
        return "\"" + (0..<values.pick([0, 1, 1, 1, 2, 6])).map { _ in values.pick(pieces) }.joined() + "\""
    }

    private mutating func nested(_ depth: Int) -> [UInt8] {
        let (open, close) = values.pick([("[", "]"), ("{\"a\":", "}"), (" [ ", " ] ")])
        return Array(
            (String(repeating: open, count: depth - 1) + values.pick(["[]", "{}", "[1]"])
                + String(repeating: close, count: depth - 1)).utf8)
    }

    private mutating func changed(_ valid: [UInt8]) -> [UInt8] {
        var text = valid
        for _ in 0..<values.pick([1, 1, 1, 2, 3]) {
            guard !text.isEmpty else { return text }
            let place = values.pick(Array(text.indices))
            switch values.pick(Array(0..<7)) {
            case 0: text.remove(at: place)
            case 1: text.insert(byte(), at: place)
            case 2: text[place] = byte()
            case 3: text.removeLast(text.count - place)
            case 4: text.swapAt(place, max(0, place - 1))
            case 5: text.insert(contentsOf: text[place..<min(text.count, place + 4)], at: place)
            default: text.append(byte())
            }
        }
        return text
    }

    private mutating func byte() -> UInt8 {
        values.pick([
            values.pick(Array("{}[]:,\"\\/-+.eE0123456789tfnulrabds \n\t\0\u{1}\u{B}".utf8)),
            values.pick(Array(0...255)),
        ])
    }

    private mutating func tokens() -> [UInt8] {
        let tokens = [
            "{", "}", "[", "]", ":", ",", "\"", "\\", "\\u", "d800", "dc00", "0", "1", "-", "+", ".", "e", "E", "true",
            "false", "null", "nul", "NaN", "Infinity", " ", "\n", "\0", "\u{FEFF}", "//", "/*", "\"a\"", "\"a\":", "[]",
            "{}",
        ]
        return (0..<values.pick([1, 2, 3, 5, 8])).flatMap { _ in Array(values.pick(tokens).utf8) }
    }
}

/// Compares the results of this parser and of Foundation for a text.
private enum JSONDifference {
    /// The difference; nil if there is none.
    static func of(_ text: [UInt8], mustBeJSON: Bool) -> String? {
        do {
            let value = try JSONText(unchecked: text).value()
            if !passesCheck(text) { return "the check refuses what the parser reads" }
            return ofRewritten(value) ?? ofAccepted(text, value)
        } catch {
            if passesCheck(text) { return "the check accepts what the parser refuses, \(error)" }
            return mustBeJSON ? "JSON is refused, \(error)" : ofRefused(text, error)
        }
    }

    /// Whether the check that builds no value accepts the text.
    private static func passesCheck(_ text: [UInt8]) -> Bool { (try? JSONText(unchecked: text).check()) != nil }

    /// Compact and indented text reads back as the same value, and compact text is written unchanged.
    private static func ofRewritten(_ value: JSON) -> String? {
        let written = JSONText(value)
        for text in [written.bytes, Array(value.indented.utf8)] {
            guard let again = try? JSONText(unchecked: text).value() else { return "the written text cannot be read" }
            if JSONText(again).bytes != written.bytes { return "the written text reads as another value" }
        }
        return nil
    }

    /// Foundation accepts the text as well, except for numbers. Of several members with one name, the last counts here
    /// and the first in Foundation's decoder, so the decoder reads the text that was written here.
    private static func ofAccepted(_ text: [UInt8], _ value: JSON) -> String? {
        // Read from the text, since the number may be in a member that does not count.
        if hasNumber(text, where: { $0.isInfinite }) { return nil }
        guard let serialised = FoundationJSON.serialised(text) else { return "JSONSerialization refuses accepted text" }
        // JSONDecoder refuses numbers too near to zero for a Double, and some zeros, for example 0e3 and -0.0e-2.
        if hasNumber(text, where: { $0 == 0 }) { return nil }
        guard FoundationJSON.decoded(text) != nil else { return "JSONDecoder refuses accepted text" }
        guard let decoded = FoundationJSON.decoded(JSONText(value).bytes) else {
            return "JSONDecoder refuses written text"
        }
        if hasNamesThatOnlyBytesTellApart(value) { return nil }
        if !areSame(value, decoded, within: 0) { return "JSONDecoder reads another value, \(decoded)" }
        // It drops a byte order mark at the beginning of a string or after an escape, and loses digits of long numbers.
        if JSONText(value).string.unicodeScalars.contains("\u{FEFF}") { return nil }
        if !areSame(value, serialised, within: 1e-14) { return "JSONSerialization reads another value, \(serialised)" }
        return nil
    }

    /// Foundation accepts three things that RFC 8259 does not have or lets a parser refuse: a byte order mark, UTF-16 and
    /// UTF-32 (recognized by zeros in the first four bytes), and a comma before the end of a list or an object.
    private static func ofRefused(_ text: [UInt8], _ error: JSONError) -> String? {
        // JSONDecoder ignores members that do not count, so it decodes only texts that cannot repeat a name.
        let isDecoded = text.count { $0 == UInt8(ascii: ":") } < 2 && FoundationJSON.decoded(text) != nil
        guard isDecoded || FoundationJSON.serialised(text) != nil else { return nil }
        if text.starts(with: [0xEF, 0xBB, 0xBF]) { return of(Array(text.dropFirst(3)), mustBeJSON: false) }
        if text.prefix(4).contains(0) { return nil }
        if text.indices.contains(error.offset), [UInt8(ascii: "]"), UInt8(ascii: "}")].contains(text[error.offset]),
            let comma = text[..<error.offset].lastIndex(where: { !" \n\r\t".utf8.contains($0) }),
            text[comma] == UInt8(ascii: ",")
        {
            var corrected = text
            corrected.remove(at: comma)
            return of(corrected, mustBeJSON: false)
        }
        return "Foundation accepts refused text: \(error)"
    }

    private static func areSame(_ one: JSON, _ other: JSON, within tolerance: Double) -> Bool {
        switch (one, other) {
        case (.null, .null): return true
        case (.bool(let one), .bool(let other)): return one == other
        case (.number(let one), .number(let other)):
            guard let one = one.double, let other = other.double else { return false }
            return abs(one - other) <= abs(one) * tolerance
        case (.string(let one), .string(let other)): return one.utf8.elementsEqual(other.utf8)
        case (.array(let one), .array(let other)):
            return one.count == other.count && zip(one, other).allSatisfy { areSame($0, $1, within: tolerance) }
        case (.object(let one), .object(let other)):
            return one.count == other.count
                && one.allSatisfy { member in
                    other[member.name].map { areSame(member.value, $0, within: tolerance) } ?? false
                }
        default: return false
        }
    }

    /// Whether the text contains a number with an exponent for which `isSuch` returns true.
    private static func hasNumber(_ text: [UInt8], where isSuch: (Double) -> Bool) -> Bool {
        text.split { !"0123456789+-.eE".utf8.contains($0) }
            .contains { piece in
                let literal = String(decoding: piece, as: UTF8.self)
                return literal.utf8.contains { $0 | 0x20 == UInt8(ascii: "e") } && Double(literal).map(isSuch) ?? false
            }
    }

    /// Foundation reads objects into Swift dictionaries, in which é and e with a combining accent are the same name.
    private static func hasNamesThatOnlyBytesTellApart(_ value: JSON) -> Bool {
        switch value {
        case .array(let elements): elements.contains(where: hasNamesThatOnlyBytesTellApart)
        case .object(let object):
            Set(object.names).count < object.count || object.contains { hasNamesThatOnlyBytesTellApart($0.value) }
        default: false
        }
    }
}

/// The values that Foundation's parsers read from a text.
private enum FoundationJSON {
    /// The value by JSONSerialization; nil if the text is refused.
    static func serialised(_ text: [UInt8]) -> JSON? {
        (try? JSONSerialization.jsonObject(with: Data(text), options: .fragmentsAllowed)).map(json)
    }

    /// The value by JSONDecoder; nil if the text is refused.
    static func decoded(_ text: [UInt8]) -> JSON? {
        (try? JSONDecoder().decode(Decoded.self, from: Data(text)))?.json
    }

    private static func json(_ value: Any) -> JSON {
        switch value {
        // Its C type distinguishes true from 1.
        case let number as NSNumber where String(cString: number.objCType) == "c": .bool(number.boolValue)
        case let number as NSNumber: JSON(number.doubleValue)
        case let text as String: .string(text)
        case let elements as [Any]: .array(elements.map(json))
        case let members as [String: Any]: .object(JSON.Object(members.map { ($0, json($1)) }))
        default: .null
        }
    }

    /// Decodes every value in turn, since a decoder checks numbers and strings only when they are decoded.
    private struct Decoded: Decodable {
        let json: JSON

        struct Name: CodingKey {
            let stringValue: String
            var intValue: Int? { nil }
            init(stringValue: String) { self.stringValue = stringValue }
            init?(intValue: Int) { nil }
        }

        init(from decoder: any Decoder) throws {
            if let members = try? decoder.container(keyedBy: Name.self) {
                json = .object(
                    JSON.Object(
                        try members.allKeys.map {
                            ($0.stringValue, try members.decode(Decoded.self, forKey: $0).json)
                        }))
            } else if var list = try? decoder.unkeyedContainer() {
                var elements: [JSON] = []
                while !list.isAtEnd { elements.append(try list.decode(Decoded.self).json) }
                json = .array(elements)
            } else {
                let single = try decoder.singleValueContainer()
                if single.decodeNil() {
                    json = .null
                } else if let flag = try? single.decode(Bool.self) {
                    json = .bool(flag)
                } else if let text = try? single.decode(String.self) {
                    json = .string(text)
                } else {
                    json = JSON(try single.decode(Double.self))
                }
            }
        }
    }
}
