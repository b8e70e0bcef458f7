#if Postgres
    import CLibPQ
    import DiscoCore
    import Foundation

    /// A statement with its values; both go, and come back, in PostgreSQL's binary form.
    struct PostgresStatement {
        let sql: String
        let values: [PostgresValue]
        /// Whether it is worth preparing: not what changes with every call, nor what cannot be prepared.
        var isPrepared = true
        /// That of the result: 1 binary, 0 text.
        var format: Int32 = 1

        init(_ sql: String, _ values: [PostgresValue] = []) {
            self.sql = sql
            self.values = values
        }

        /// Begins a transaction whose every statement sees what was committed before it, whatever the database's
        /// default is.
        static let beginReadCommitted = PostgresStatement("BEGIN ISOLATION LEVEL READ COMMITTED READ WRITE")
        static let commit = PostgresStatement("COMMIT")
    }

    enum PostgresValue {
        /// Of a type that the server finds out.
        case null
        case int(Int64)
        case bool(Bool)
        case text(String)
        case uuid(UUID)
        /// Microseconds since 1970.
        case time(Int64)
        /// In text form, of a type that the server finds out.
        case literal(String)
        case array(PostgresArray)
        case nullArray(PostgresArray.Element)
        case nullOf(PostgresArray.Element)
        /// Text.
        case bytes([UInt8])
    }

    /// An array of one dimension, in binary form.
    struct PostgresArray {
        /// The element's type by its object id (pg_type.dat).
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

    /// Microseconds from 1970 to 2000, where PostgreSQL's times begin.
    let postgresEpoch: Int64 = 946_684_800_000_000

    /// Values laid out as libpq takes them.
    struct PostgresParameters {
        private var types: [Oid] = []
        private var bytes: [UInt8] = []
        /// Where each begins, nil for a null.
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
            // An empty text needs an address of its own: a null pointer is a null.
            (bytes + [0]).withUnsafeBytes { buffer in
                let values = starts.map { start in
                    start.flatMap { buffer.baseAddress?.advanced(by: $0).assumingMemoryBound(to: CChar.self) }
                }
                return body(types, values, lengths, formats, Int32(types.count))
            }
        }
    }
#endif
