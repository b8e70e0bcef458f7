#if HTTP
import DiscoCore
import Foundation
import HTTPTypes

/// The trace that a request belongs to (W3C Trace Context, www.w3.org/TR/trace-context).
struct TraceContext: Equatable {
    /// In the form of version 00.
    let parent: String
    /// The other systems' part; empty if there is none.
    let state: String
    /// The trace id, which is as long as a UUID.
    let id: UUID

    /// `nil` without a valid `traceparent`: the recommendation tells to ignore an invalid one, and its `tracestate`.
    init?(_ headers: HTTPFields) {
        let values = headers[values: .traceparent]
        guard values.count == 1, let (parent, id) = Self.parse(values[0]) else { return nil }
        self.parent = parent
        self.id = id
        let state = headers[values: .tracestate].joined(separator: ",")
        // One that is too long may be dropped whole; what is propagated must be at least 512 characters.
        self.state = state.utf8.count <= 512 && state.utf8.allSatisfy { (0x20...0x7E).contains($0) } ? state : ""
    }

    /// `00-<32 hex digits>-<16 hex digits>-<2 hex digits>`; a higher version may go on after another hyphen.
    private static func parse(_ text: String) -> (parent: String, id: UUID)? {
        let bytes = Array(text.utf8)
        let hyphen = UInt8(ascii: "-")
        guard bytes.count >= 55, [2, 35, 52].allSatisfy({ bytes[$0] == hyphen }),
            let version = hex(bytes[0..<2]), version != [0xFF],
            version == [0] ? bytes.count == 55 : bytes.count == 55 || bytes[55] == hyphen,
            let trace = hex(bytes[3..<35]), trace.contains(where: { $0 != 0 }),
            let span = hex(bytes[36..<52]), span.contains(where: { $0 != 0 }),
            let flags = hex(bytes[53..<55])
        else { return nil }
        // Of a higher version, only the flag that version 00 knows counts.
        let known = version == [0] ? flags[0] : flags[0] & 1
        let middle = String(decoding: bytes[2..<53], as: UTF8.self)
        let id = UUID(
            uuid: (
                trace[0], trace[1], trace[2], trace[3], trace[4], trace[5], trace[6], trace[7], trace[8], trace[9],
                trace[10], trace[11], trace[12], trace[13], trace[14], trace[15]
            ))
        return ("00" + middle + (known < 16 ? "0" : "") + String(known, radix: 16), id)
    }

    /// Pairs of digits, whose letters must be in lower case.
    private static func hex(_ digits: ArraySlice<UInt8>) -> [UInt8]? {
        var bytes: [UInt8] = []
        var high: UInt8?
        for digit in digits {
            let value: UInt8
            switch digit {
            case UInt8(ascii: "0")...UInt8(ascii: "9"): value = digit - UInt8(ascii: "0")
            case UInt8(ascii: "a")...UInt8(ascii: "f"): value = digit - UInt8(ascii: "a") + 10
            default: return nil
            }
            if let first = high {
                bytes.append(first << 4 | value)
                high = nil
            } else {
                high = value
            }
        }
        return bytes
    }
}

extension Metadata {
    /// The caller's metadata, with the trace of its request. What the app has set stays.
    func belonging(to trace: TraceContext?) -> Metadata {
        guard let trace else { return self }
        var metadata = self
        metadata.correlationID = correlationID ?? trace.id
        if metadata.trace.isEmpty, values.map({ (try? $0.value().object) != nil }) ?? true {
            metadata.trace =
                trace.state.isEmpty
                ? ["traceparent": trace.parent] : ["traceparent": trace.parent, "tracestate": trace.state]
        }
        return metadata
    }
}
#endif
