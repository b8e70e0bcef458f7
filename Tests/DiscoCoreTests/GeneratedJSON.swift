import DiscoCore
import DiscoTesting

extension GeneratedValues {
    /// A value of any kind, with edge-case numbers and text.
    mutating func json(depth: Int = 0) -> JSON {
        switch pick(Array(0..<(depth < 4 ? 10 : 7))) {
        case 0: pick([nil, true, false])
        case 1: JSON(integer())
        case 2: JSON(number())
        case 3: JSON(decimal())
        case 4: .number(JSON.Number(checked: numberText()))
        case 5, 6: .string(text())
        case 7, 8: .array((0..<pick([0, 1, 2, 5])).map { _ in json(depth: depth + 1) })
        // From 16 members on, an object looks them up by an index.
        default:
            .object(JSON.Object((0..<pick([0, 1, 2, 5, 20])).map { _ in (text(), json(depth: max(depth + 1, 3))) }))
        }
    }

    /// A number in a form that no encoder would write.
    mutating func numberText() -> String {
        pick(["", "-"]) + pick(["0", "1", "10", "\(Int.max)", "\(UInt64.max)", "123456789012345678901234567890"])
            + pick(["", "", ".0", ".5", ".50", ".1234567890123456789"])
            + pick(["", "", "", "e0", "e3", "E+2", "e-2", "E-07", "e308", "e400", "e-400"])
    }

    /// Removes, inserts, changes or duplicates one byte or a few.
    mutating func changed(_ bytes: [UInt8]) -> [UInt8] {
        var bytes = bytes
        for _ in 0..<pick([1, 1, 2, 3]) where !bytes.isEmpty {
            let place = pick(Array(bytes.indices))
            let byte = pick([
                pick(Array("{}[]:,\"\\/-+.eE019tfnulrsd \n\t\0\u{1}".utf8)), pick(Array(UInt8.min...UInt8.max)),
            ])
            switch pick(Array(0..<5)) {
            case 0: bytes.remove(at: place)
            case 1: bytes.insert(byte, at: place)
            case 2: bytes[place] = byte
            case 3: bytes.removeLast(bytes.count - place)
            default: bytes.insert(contentsOf: bytes[place..<min(bytes.count, place + 4)], at: place)
            }
        }
        return bytes
    }
}
