import DiscoCore
import DiscoTesting
import Foundation
import Testing

/// Foundation accepts the same texts as JSON and reads the same values; `Scripts/fuzz` checks this for longer, with
/// more kinds of texts and also with Python.
@Suite struct JSONFuzzTests {
    @Test func foundationAcceptsTheSameTexts() {
        var values = GeneratedValues()
        var (accepted, refused) = (0, 0)
        for turn in 0..<2000 {
            let value = values.json()
            let written = turn.isMultiple(of: 4) ? Array(value.indented.utf8) : JSONText(value).bytes
            let text =
                switch turn % 10 {
                case 0...2: written
                case 9: [UInt8](values.data()) + written
                default: values.changed(written)
                }
            // The check that builds no value accepts the same texts. Of two faults, it may report the other.
            let isChecked = (try? JSONText(unchecked: text).check()) != nil
            #expect(isChecked == ((try? JSONText(unchecked: text).value()) != nil))
            let difference = difference(text)
            #expect(difference == nil, "\(String(decoding: text, as: UTF8.self).debugDescription)")
            if (try? JSONText(unchecked: text).value()) == nil { refused += 1 } else { accepted += 1 }
        }
        // Otherwise too little was compared.
        #expect(accepted > 600)
        #expect(refused > 600)
    }

    private func serialised(_ text: [UInt8]) -> Any? {
        try? JSONSerialization.jsonObject(with: Data(text), options: .fragmentsAllowed)
    }

    /// The difference; nil if there is none but the known ones: Foundation accepts a byte order mark, UTF-16 and UTF-32
    /// (recognized by zeros in the first four bytes) and a comma before the end of a list or an object; it refuses
    /// numbers that are too large for a `Double`.
    private func difference(_ text: [UInt8]) -> String? {
        do {
            let value = try JSONText(unchecked: text).value()
            let isTooLarge = text.split { !"0123456789+-.eE".utf8.contains($0) }
                .contains { Double(String(decoding: $0, as: UTF8.self))?.isInfinite == true }
            if isTooLarge { return nil }
            guard let theirs = serialised(text) else { return "Foundation refuses it" }
            return isSame(value, theirs) ? nil : "Foundation reads \(theirs)"
        } catch {
            if serialised(text) == nil || text.prefix(4).contains(0) { return nil }
            if text.starts(with: [0xEF, 0xBB, 0xBF]) { return difference(Array(text.dropFirst(3))) }
            if text.indices.contains(error.offset), "]}".utf8.contains(text[error.offset]),
                let comma = text[..<error.offset].lastIndex(where: { !" \n\r\t".utf8.contains($0) }),
                text[comma] == UInt8(ascii: ",")
            {
                return difference(Array(text[..<comma] + text[(comma + 1)...]))
            }
            return "Foundation takes it, but here \(error)"
        }
    }

    private func isSame(_ value: JSON, _ theirs: Any) -> Bool {
        switch value {
        case .null: return theirs is NSNull
        // The C type distinguishes true from 1.
        case .bool(let flag): return (theirs as? NSNumber).map { isFlag($0) && $0.boolValue == flag } ?? false
        case .number(let number):
            guard let ours = number.double, let theirs = theirs as? NSNumber, !isFlag(theirs) else { return false }
            // Foundation loses digits of long numbers.
            return abs(ours - theirs.doubleValue) <= abs(ours) * 1e-14
        // Foundation drops a byte order mark at the beginning of a string.
        case .string(let text):
            return (theirs as? String).map { withoutMarks(text) == withoutMarks($0) } ?? false
        case .array(let elements):
            guard let theirs = theirs as? [Any], theirs.count == elements.count else { return false }
            return zip(elements, theirs).allSatisfy(isSame)
        case .object(let object):
            guard let theirs = theirs as? [String: Any] else { return false }
            // Its dictionaries merge names that differ only in their bytes.
            if Set(object.names.map { String(String.UnicodeScalarView(withoutMarks($0))) }).count < object.count {
                return true
            }
            let members = theirs.map { (name: withoutMarks($0), value: $1) }
            return members.count == object.count
                && object.allSatisfy { member in
                    members.contains { $0.name == withoutMarks(member.name) && isSame(member.value, $0.value) }
                }
        }
    }

    private func isFlag(_ number: NSNumber) -> Bool { String(cString: number.objCType) == "c" }

    private func withoutMarks(_ text: String) -> [Unicode.Scalar] { text.unicodeScalars.filter { $0 != "\u{FEFF}" } }
}
