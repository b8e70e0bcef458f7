#if Postgres
import CLibPQ
import DiscoCore
import Foundation

/// A statement with its values; values and results are in PostgreSQL's binary format.
struct PostgresStatement {
    let sql: String
    let values: [PostgresValue]
    /// Whether to prepare the statement: not if it changes with every call or cannot be prepared.
    var isPrepared = true
    /// The format of the result: 1 is binary, 0 is text.
    var format: Int32 = 1

    init(_ sql: String, _ values: [PostgresValue] = []) {
        self.sql = sql
        self.values = values
    }

    /// Begins a transaction in which every statement sees what was committed before it, whatever the database's
    /// default is.
    static let beginReadCommitted = PostgresStatement("BEGIN ISOLATION LEVEL READ COMMITTED READ WRITE")
    static let commit = PostgresStatement("COMMIT")
}

enum PostgresValue {
    /// A null of a type that the server infers.
    case null
    case int(Int64)
    case bool(Bool)
    case text(String)
    case uuid(UUID)
    /// Microseconds since 1970.
    case time(Int64)
    /// In text format, of a type that the server infers.
    case literal(String)
    case array(PostgresArray)
    case nullArray(PostgresArray.Element)
    case nullOf(PostgresArray.Element)
    /// Text in UTF-8.
    case bytes([UInt8])
}

/// A one-dimensional array in binary format.
struct PostgresArray {
    /// The element's type by its OID (pg_type.dat).
    enum Element: UInt32 {
        case bool = 16
        case int2 = 21
        case int4 = 23
        case int8 = 20
        case text = 25
        case uuid = 2950

        var arrayType: Oid {
            switch self {
            case .bool: 1000
            case .int2: 1005
            case .int4: 1007
            case .int8: 1016
            case .text: 1009
            case .uuid: 2951
            }
        }
    }

    let element: Element
    private(set) var count: Int32 = 0
    private var hasNulls = false
    /// Whether any element is not null.
    private(set) var hasValues = false
    private var elements: [UInt8] = []

    init(_ element: Element) { self.element = element }

    var bytes: [UInt8] {
        var bytes: [UInt8] = []
        bytes.reserveCapacity(20 + elements.count)
        bytes.appendBigEndian(count == 0 ? 0 : 1 as Int32)
        bytes.appendBigEndian(hasNulls ? 1 : 0 as Int32)
        bytes.appendBigEndian(element.rawValue)
        if count == 0 { return bytes }
        bytes.appendBigEndian(count)
        bytes.appendBigEndian(1 as Int32)
        return bytes + elements
    }

    mutating func append(_ value: Int64) {
        count += 1
        hasValues = true
        switch element {
        case .bool: appendSized(UInt8(truncatingIfNeeded: value))
        case .int2: appendSized(Int16(truncatingIfNeeded: value))
        case .int4: appendSized(Int32(truncatingIfNeeded: value))
        default: appendSized(value)
        }
    }

    mutating func append(_ text: String) {
        var text = text
        text.withUTF8 { append(bytes: UnsafeRawBufferPointer($0)) }
    }

    mutating func append(_ bytes: [UInt8]) { bytes.withUnsafeBytes { append(bytes: $0) } }

    mutating func append(_ uuid: UUID) { withUnsafeBytes(of: uuid.uuid) { append(bytes: $0) } }

    mutating func appendNull() {
        count += 1
        hasNulls = true
        elements.appendBigEndian(-1 as Int32)
    }

    private mutating func append(bytes: UnsafeRawBufferPointer) {
        count += 1
        hasValues = true
        elements.appendBigEndian(Int32(bytes.count))
        elements.append(contentsOf: bytes)
    }

    private mutating func appendSized(_ value: some FixedWidthInteger) {
        elements.appendBigEndian(Int32(value.bitWidth / 8))
        elements.appendBigEndian(value)
    }
}

extension [UInt8] {
    mutating func appendBigEndian(_ value: some FixedWidthInteger) {
        Swift.withUnsafeBytes(of: value.bigEndian) { append(contentsOf: $0) }
    }
}

/// Microseconds from 1970 to 2000, the epoch of PostgreSQL's times.
let postgresEpoch: Int64 = 946_684_800_000_000

/// Values in the layout that libpq expects.
struct PostgresParameters {
    private var types: [Oid] = []
    private var bytes: [UInt8] = []
    /// The offset of each value; `nil` for a null.
    private var starts: [Int?] = []
    private var lengths: [Int32] = []
    private var formats: [Int32] = []

    init(_ values: [PostgresValue]) {
        for value in values {
            switch value {
            case .null: add(0, nil)
            case .int(let value):
                var eight: [UInt8] = []
                eight.appendBigEndian(value)
                add(20, eight)
            case .bool(let value): add(16, [value ? 1 : 0])
            case .time(let microseconds):
                var eight: [UInt8] = []
                eight.appendBigEndian(microseconds - postgresEpoch)
                add(1184, eight)
            case .text(let text): add(25, Array(text.utf8))
            case .uuid(let uuid): add(2950, withUnsafeBytes(of: uuid.uuid) { Array($0) })
            case .literal(let text): add(0, Array(text.utf8) + [0], format: 0)
            case .array(let array): add(array.element.arrayType, array.bytes)
            case .nullArray(let element): add(element.arrayType, nil)
            case .nullOf(let element): add(element.rawValue, nil)
            case .bytes(let bytes): add(25, bytes)
            }
        }
    }

    private mutating func add(_ type: Oid, _ value: [UInt8]?, format: Int32 = 1) {
        types.append(type)
        starts.append(value.map { _ in bytes.count })
        lengths.append(Int32(value?.count ?? 0))
        formats.append(format)
        bytes += value ?? []
    }

    func withPointers<Result>(
        _ body: (
            UnsafePointer<Oid>?, UnsafePointer<UnsafePointer<CChar>?>?, UnsafePointer<Int32>?,
            UnsafePointer<Int32>?, Int32
        ) -> Result
    ) -> Result {
        // An empty text needs a valid address: a null pointer means NULL.
        (bytes + [0]).withUnsafeBytes { buffer in
            let values = starts.map { start in
                start.flatMap { buffer.baseAddress?.advanced(by: $0).assumingMemoryBound(to: CChar.self) }
            }
            return body(types, values, lengths, formats, Int32(types.count))
        }
    }
}
#endif
