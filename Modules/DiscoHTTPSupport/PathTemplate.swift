#if HTTP
import DiscoCore

/// The path of a route, for example `/streams/{stream}/events`.
struct PathTemplate: Sendable {
    private enum Part: Sendable {
        case fixed(String)
        case parameter(String)
    }

    let text: String
    private let parts: [Part]

    init(_ text: String) {
        self.text = text
        parts = text.split(separator: "/").map { part in
            part.hasPrefix("{")
                ? .parameter(String(part.dropFirst().dropLast()))
                : .fixed(PercentEncoding.decode(part) ?? String(part))
        }
    }

    /// The parameters, or nil if the path is another one.
    func match(_ segments: [String]) -> [String: String]? {
        guard segments.count == parts.count else { return nil }
        var parameters: [String: String] = [:]
        for (part, segment) in zip(parts, segments) {
            switch part {
            case .fixed(let name): if name != segment { return nil }
            case .parameter(let name): parameters[name] = segment
            }
        }
        return parameters
    }
}

/// Percent-encoding of paths and queries, by bytes.
package enum PercentEncoding {
    /// The text, or nil if an escape is incomplete or the bytes are not UTF-8.
    package static func decode(_ text: Substring, plusIsSpace: Bool = false) -> String? {
        var bytes: [UInt8] = []
        var rest = text.utf8[...]
        while let byte = rest.popFirst() {
            switch byte {
            case UInt8(ascii: "%"):
                guard let high = rest.popFirst()?.hexadecimalDigit, let low = rest.popFirst()?.hexadecimalDigit else {
                    return nil
                }
                bytes.append(high << 4 | low)
            case UInt8(ascii: "+") where plusIsSpace: bytes.append(UInt8(ascii: " "))
            default: bytes.append(byte)
            }
        }
        return String(validating: bytes, as: UTF8.self)
    }

    /// Everything but letters, digits, `-`, `.`, `_` and `~` is escaped.
    package static func encode(_ text: String) -> String {
        var result = ""
        for byte in text.utf8 {
            switch byte {
            case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
                UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "-"), UInt8(ascii: "."), UInt8(ascii: "_"),
                UInt8(ascii: "~"):
                result.unicodeScalars.append(Unicode.Scalar(byte))
            default:
                result += byte < 16 ? "%0" : "%"
                result += String(byte, radix: 16, uppercase: true)
            }
        }
        return result
    }
}
#endif
