public import Foundation

extension UUID {
    /// A UUID of version 7 (RFC 9562): the milliseconds since 1970, then random bits, so that consecutive ids are close
    /// together in an index.
    public static func timeOrdered() -> UUID {
        let milliseconds = UInt64(max(0, Date().timeIntervalSince1970 * 1000))
        let (first, second) = RandomBlock.next()
        var bytes = [UInt8](repeating: 0, count: 16)
        for index in 0..<6 { bytes[index] = UInt8(truncatingIfNeeded: milliseconds >> UInt64(40 - 8 * index)) }
        for index in 0..<8 { bytes[8 + index] = UInt8(truncatingIfNeeded: first >> UInt64(8 * index)) }
        bytes[6] = 0x70 | UInt8(truncatingIfNeeded: second) & 0x0F
        bytes[7] = UInt8(truncatingIfNeeded: second >> 8)
        bytes[8] = 0x80 | bytes[8] & 0x3F
        return NSUUID(uuidBytes: bytes) as UUID
    }
}
