#if Postgres
import CLibPQ
import DiscoCore
import Foundation

/// The result of a statement.
final class PostgresResult {
    private let handle: OpaquePointer

    init(_ handle: OpaquePointer) { self.handle = handle }

    deinit { PQclear(handle) }

    var status: ExecStatusType { PQresultStatus(handle) }
    var count: Int { Int(PQntuples(handle)) }
    /// The number of rows that a statement changed.
    var changed: Int { Int(String(cString: PQcmdTuples(handle))) ?? 0 }
    /// The command that was executed, for example `COMMIT`.
    var command: String { String(cString: PQcmdStatus(handle)) }
    var columns: [String] { (0..<PQnfields(handle)).map { String(cString: PQfname(handle, $0)) } }
    func type(_ column: Int32) -> Oid { PQftype(handle, column) }

    func failure(lost: Bool) -> PostgresFailure {
        func field(_ code: Int32) -> String? { PQresultErrorField(handle, code).map { String(cString: $0) } }
        return PostgresFailure(
            sqlState: field(Int32(UInt8(ascii: "C"))),
            message: field(Int32(UInt8(ascii: "M")))
                ?? String(cString: PQresultErrorMessage(handle)).trimmingCharacters(in: .whitespacesAndNewlines),
            isLost: lost || field(Int32(UInt8(ascii: "V"))) == "FATAL", source: field(Int32(UInt8(ascii: "R"))))
    }

    func isNull(_ row: Int, _ column: Int32) -> Bool { PQgetisnull(handle, Int32(row), column) == 1 }

    func withBytes<Result>(_ row: Int, _ column: Int32, _ body: (UnsafeRawBufferPointer) -> Result) -> Result {
        let length = Int(PQgetlength(handle, Int32(row), column))
        return body(UnsafeRawBufferPointer(start: PQgetvalue(handle, Int32(row), column), count: length))
    }

    /// An integer of any size.
    func int(_ row: Int, _ column: Int32) -> Int64 {
        withBytes(row, column) { bytes in
            let value = bytes.reduce(0 as UInt64) { $0 << 8 | UInt64($1) }
            return switch bytes.count {
            case 2: Int64(Int16(truncatingIfNeeded: value))
            case 4: Int64(Int32(truncatingIfNeeded: value))
            default: Int64(bitPattern: value)
            }
        }
    }

    func optionalInt(_ row: Int, _ column: Int32) -> Int64? { isNull(row, column) ? nil : int(row, column) }
    func isTrue(_ row: Int, _ column: Int32) -> Bool { withBytes(row, column) { $0.first == 1 } }
    func text(_ row: Int, _ column: Int32) -> String {
        withBytes(row, column) { String(decoding: $0, as: UTF8.self) }
    }
    func bytes(_ row: Int, _ column: Int32) -> [UInt8] { withBytes(row, column) { [UInt8]($0) } }

    func uuid(_ row: Int, _ column: Int32) -> UUID? {
        if isNull(row, column) { return nil }
        return withBytes(row, column) { $0.count == 16 ? UUID(uuid: $0.loadUnaligned(as: uuid_t.self)) : nil }
    }

    func date(_ row: Int, _ column: Int32) -> Date {
        // Infinity, which only someone else can have written, becomes the furthest date.
        let (microseconds, overflow) = int(row, column).addingReportingOverflow(postgresEpoch)
        return Timestamp.date(microseconds: overflow ? .max : microseconds)
    }

    /// The elements of a one-dimensional array; `nil` for a null array, and a `nil` element for a null element.
    func array<Element>(
        _ row: Int, _ column: Int32, _ element: (UnsafeRawBufferPointer) -> Element
    ) -> [Element?]? {
        if isNull(row, column) { return nil }
        return withBytes(row, column) { bytes in
            func word(_ offset: Int) -> Int {
                Int(Int32(bigEndian: bytes.loadUnaligned(fromByteOffset: offset, as: Int32.self)))
            }
            guard bytes.count >= 20, word(0) == 1 else { return [] }
            var result: [Element?] = []
            var offset = 20
            for _ in 0..<word(12) {
                let length = word(offset)
                offset += 4
                guard length >= 0 else {
                    result.append(nil)
                    continue
                }
                result.append(element(UnsafeRawBufferPointer(rebasing: bytes[offset..<offset + length])))
                offset += length
            }
            return result
        }
    }

    func ints(_ row: Int, _ column: Int32) -> [Int64?]? {
        array(row, column) { bytes in
            let value = bytes.reduce(0 as UInt64) { $0 << 8 | UInt64($1) }
            return bytes.count == 4 ? Int64(Int32(truncatingIfNeeded: value)) : Int64(bitPattern: value)
        }
    }

    func texts(_ row: Int, _ column: Int32) -> [String?]? {
        array(row, column) { String(decoding: $0, as: UTF8.self) }
    }
}
#endif
