import DiscoCore
import Foundation

extension ReadModelStoreConformance {
    private static func makeTable(_ store: any ReadModelStore) async throws {
        try await store.write { transaction in
            try transaction.execute(
                "CREATE TABLE conformance (number BIGINT, fraction DOUBLE PRECISION, text TEXT, missing TEXT)")
        }
    }

    private static func one<Value: SQLConvertible & Sendable>(
        _ store: any ReadModelStore, _ sql: SQLStatement, as type: Value.Type = Value.self
    ) async throws -> Value {
        try await store.read { try $0.query(sql)[0].value("v", as: type) }
    }

    private static func requireRefused(
        _ what: String, _ body: () async throws -> Void, file: String = #fileID, line: Int = #line
    ) async throws {
        try await requireThrows(EventStoreError.self, what, file: file, line: line) { try await body() }
    }

    static let valueCases: [Case] = [
        Case("86", "generated values read back equal from TEXT, BIGINT and DOUBLE PRECISION columns") { suite in
            let store = try await suite.open()
            try await makeTable(store)
            var values = GeneratedValues()
            for _ in 0..<100 {
                let (number, fraction) = (values.integer(), values.number())
                let (text, decimal, date) = (values.text(withNUL: false), values.decimal(), values.date())
                let (id, json) = (values.uuid(), JSONText(["a": .string(values.text())]))
                try await store.write { transaction in
                    try transaction.execute("DELETE FROM conformance")
                    for value in [text, decimal.description, id.uuidString.lowercased(), json.string] {
                        try transaction.execute(
                            "INSERT INTO conformance VALUES (\(number), \(fraction), \(value), \(nil as String?))")
                    }
                    try transaction.execute("INSERT INTO conformance VALUES (NULL, NULL, \(date), NULL)")
                    try transaction.execute("INSERT INTO conformance VALUES (NULL, NULL, \(decimal), NULL)")
                    try transaction.execute("INSERT INTO conformance VALUES (NULL, NULL, \(json), NULL)")
                }
                try await store.read { transaction in
                    let first = try transaction.query(
                        "SELECT * FROM conformance WHERE text = \(text) AND number = \(number)")
                    try require(!first.isEmpty, "no row found by \(text.debugDescription) and \(number)")
                    try requireEqual(try first[0].value("number"), number, "integer")
                    try requireEqual(try first[0].value("fraction"), fraction, "number")
                    try requireEqual(try first[0].value("missing", as: String?.self), nil, "null")
                    try requireEqual(
                        try transaction.query("SELECT text FROM conformance WHERE text = \(decimal)")[0].value("text"),
                        decimal,
                        "decimal")
                    try requireEqual(
                        try transaction.query("SELECT text FROM conformance WHERE text = \(date)")[0].value("text"),
                        date,
                        "date")
                    try requireEqual(
                        try transaction.query("SELECT text FROM conformance WHERE text = \(id)")[0].value("text"), id,
                        "UUID")
                    try requireEqual(
                        try transaction.query("SELECT text FROM conformance WHERE text = \(json)")[0].value("text"),
                        json, "JSON")
                }
            }
        },
        Case("86", "each bindable type reads back unchanged, and NULL reads back as nil") { suite in
            let store = try await suite.open()
            try await makeTable(store)
            try await store.write { transaction in
                try transaction.execute("CREATE TABLE integers (v BIGINT)")
                try transaction.execute("CREATE TABLE texts (v TEXT)")
            }
            func back<Value: SQLConvertible & Equatable & Sendable>(_ table: String, _ value: Value) async throws {
                try await store.write { transaction in
                    try transaction.execute("DELETE FROM integers")
                    try transaction.execute("DELETE FROM texts")
                    if table == "integers" {
                        try transaction.execute("INSERT INTO integers VALUES (\(value))")
                    } else {
                        try transaction.execute("INSERT INTO texts VALUES (\(value))")
                    }
                }
                let read: Value = try await one(
                    store, table == "integers" ? "SELECT v FROM integers" : "SELECT v FROM texts")
                try requireEqual(read, value, "\(Value.self)")
            }
            try await back("integers", Int64.min)
            try await back("integers", Int32.max)
            try await back("integers", Int16.min)
            try await back("integers", Int8.max)
            try await back("integers", UInt32.max)
            try await back("integers", UInt8.max)
            try await back("integers", UInt(Int.max))
            try await back("integers", Position(rawValue: .max))
            try await back("integers", true)
            try await back("integers", Int?.none)
            try await back("integers", Int?.some(5))
            try await back("texts", StreamID("a-\u{301}"))
            try await back("texts", Decimal?.some(Decimal(22) / 7))
            try await back("texts", String?.none)
            try await back("texts", "")
            try await requireRefused("2^63") { try await back("integers", UInt64.max) }
        },
        Case("86", "bytes read back unchanged, including empty data") { suite in
            let store = try await suite.open()
            let type = try await Self.blobType(store)
            try await store.write { transaction in
                switch type {
                case "BYTEA": try transaction.execute("CREATE TABLE blobs (v BYTEA)")
                default: try transaction.execute("CREATE TABLE blobs (v BLOB)")
                }
            }
            for data in [Data(), Data([0]), Data([0, 255, 39, 92, 0]), Data((0...255).map { UInt8($0) })] {
                try await store.write { transaction in
                    try transaction.execute("DELETE FROM blobs")
                    try transaction.execute("INSERT INTO blobs VALUES (\(data))")
                }
                try requireEqual(try await one(store, "SELECT v FROM blobs"), data, "bytes")
            }
        },
        Case("86", "a value that does not fit its type is refused, never rounded, truncated or invented") { suite in
            let store = try await suite.open()
            try await makeTable(store)
            try await store.write { transaction in
                try transaction.execute("INSERT INTO conformance VALUES (300, 0.5, '12abc', NULL)")
            }
            try await requireRefused("text as a decimal") {
                _ = try await one(store, "SELECT text AS v FROM conformance", as: Decimal.self)
            }
            try await requireRefused("text as an integer") {
                _ = try await one(store, "SELECT text AS v FROM conformance", as: Int.self)
            }
            try await requireRefused("text as a number") {
                _ = try await one(store, "SELECT text AS v FROM conformance", as: Double.self)
            }
            try await requireRefused("text as a date") {
                _ = try await one(store, "SELECT text AS v FROM conformance", as: Date.self)
            }
            try await requireRefused("300 as a byte") {
                _ = try await one(store, "SELECT number AS v FROM conformance", as: UInt8.self)
            }
            try await requireRefused("300 as a flag") {
                _ = try await one(store, "SELECT number AS v FROM conformance", as: Bool.self)
            }
            try await requireRefused("0.5 as an integer") {
                _ = try await one(store, "SELECT fraction AS v FROM conformance", as: Int.self)
            }
            let null = try await requireThrows(EventStoreError.self) {
                _ = try await one(store, "SELECT missing AS v FROM conformance", as: String.self)
            }
            try require(null.message.contains("Read it as String?."), null.message)
            // Values that the database computes.
            try requireEqual(try await one(store, "SELECT sum(number) AS v FROM conformance"), 300, "sum")
            try requireEqual(try await one(store, "SELECT avg(fraction) AS v FROM conformance"), 0.5, "average")
            try requireEqual(
                try await one(store, "SELECT fraction AS v FROM conformance"),
                try requireValue(Decimal(string: "0.5"), "0.5"), "decimal")
            try requireEqual(try await one(store, "SELECT count(*) AS v FROM conformance"), 1, "count")
            // Values that no database would return unchanged.
            for value in [Double.nan, -.nan] {
                try await requireRefused("NaN") {
                    try await store.write { try $0.execute("INSERT INTO conformance VALUES (1, \(value), '', '')") }
                }
            }
            try await requireRefused("NaN") {
                try await store.write { try $0.execute("INSERT INTO conformance VALUES (1, 1, \(Decimal.nan), '')") }
            }
            try await requireRefused("a date") {
                try await store.write {
                    try $0.execute("INSERT INTO conformance VALUES (1, 1, \(Date(timeIntervalSince1970: .nan)), '')")
                }
            }
            for text in ["\0", "admin\0x", "a\0"] {
                try await requireRefused("NUL") {
                    try await store.write { try $0.execute("INSERT INTO conformance VALUES (1, 1, \(text), '')") }
                }
                try await requireRefused("NUL") {
                    _ = try await store.read { try $0.query("SELECT * FROM conformance WHERE text = \(text)") }
                }
            }
            try await requireRefused("NUL") {
                try await store.write { try $0.execute(SQLStatement(stringLiteral: "SELECT 'a\0b'")) }
            }
            let rows = try await store.read { try $0.query("SELECT * FROM conformance").count }
            try requireEqual(rows, 1, "rows")
        },
        Case("86", "a NUL in a reason is stored as ␀, and a NUL in a consumer's name is refused") { suite in
            let store = try await suite.open()
            func held(_ stream: StreamID, _ position: Position, _ retryAt: Date, _ text: String) -> HeldStream {
                HeldStream(
                    stream, first: position, attempts: 1, retryAt: retryAt,
                    failure: HeldFailure(code: text, reason: text, firstAt: retryAt))
            }
            let step = ConsumerStep(
                consumer: "c", from: .start, to: Checkpoint(position: 1),
                hold: [held("a-1", 1, .distantFuture, "bad \0 payload")])
            try await store.save(step)
            let failure = try await store.held(by: "c").first?.failure
            try requireEqual(failure?.reason, "bad ␀ payload", "reason")
            try requireEqual(failure?.code, "bad ␀ payload", "code")
            let nan = Date(timeIntervalSince1970: .nan)
            let long = held("b-1", 2, nan, String(repeating: "é", count: 10_000))
            try await store.save(
                ConsumerStep(consumer: "c", from: step.to, to: Checkpoint(position: 2), hold: [long], release: ["a-1"]))
            let bytes = try await store.held(by: "c").compactMap(\.failure).map(\.reason.utf8.count)
            try require(bytes.count == 1 && (1990...2000).contains(bytes[0]), "the reason has \(bytes) bytes")
            for name in ["", "c\0", "c\0x", String(repeating: "c", count: 256)] {
                try await requireRefused("a name") { _ = try await store.checkpoint(of: name) }
                try await requireRefused("a name") { _ = try await store.held(by: name) }
                try await requireRefused("a name") { try await store.reset(name) }
                try await requireRefused("a name") {
                    try await store.save(ConsumerStep(consumer: name, from: .start, to: Checkpoint(position: 1)))
                }
            }
            try requireEqual(try await store.checkpoint(of: "c").position, 2, "position")
        },
        Case("86", "statements that differ only in Unicode normalization are distinct") { suite in
            let store = try await suite.open()
            for _ in 0..<2 {
                for text in ["é", "e\u{301}"] {
                    let read = try await store.read { transaction in
                        try transaction.query(SQLStatement(stringLiteral: "SELECT '\(text)' AS v"))[0].value(
                            "v", as: String.self)
                    }
                    try require(read.utf8.elementsEqual(text.utf8), "the statement with the other normalization ran")
                }
            }
        },
        Case("86", "no statement can end its transaction") { suite in
            let store = try await suite.open()
            try await makeTable(store)
            let control: [SQLStatement] = [
                "COMMIT", "commit", "END", "End Transaction", "ROLLBACK", "ABORT", "BEGIN", "SAVEPOINT a", "RELEASE a",
                "ROLLBACK TO a", "  \n\tCOMMIT", "-- all of it\nCOMMIT", "/* all */ COMMIT", "/* /* */ */ COMMIT",
                "/* /* */ COMMIT", "; COMMIT", "/**/;/**/-- x\r\n COMMIT;", "\u{FEFF}COMMIT",
                "-- x\rSELECT\nCOMMIT", "-- x\rCOMMIT", "COPY conformance FROM STDIN", "START TRANSACTION",
                "PREPARE TRANSACTION 'x'",
            ]
            for statement in control {
                try await requireRefused("control") {
                    try await store.write { transaction in
                        try transaction.execute("INSERT INTO conformance VALUES (1, 1, '', '')")
                        try? transaction.execute(statement)
                        throw EventStoreError(.database, "everything is undone")
                    }
                }
                let error = try await requireThrows(EventStoreError.self) {
                    try await store.write { try $0.execute(statement) }
                }
                try requireEqual(error.code, .invalidArgument, "code of \(statement.text { _ in "?" })")
            }
            let two = try await requireThrows(EventStoreError.self) {
                try await store.write { try $0.execute("INSERT INTO conformance VALUES (1, 1, '', ''); COMMIT") }
            }
            try require(two.message.contains("one statement at a time"), two.message)
            let rows = try await store.read { try $0.query("SELECT * FROM conformance").count }
            try requireEqual(rows, 0, "rows")
            // Statements that only look like transaction control.
            try await store.write { transaction in
                try transaction.execute("CREATE TABLE endings (v TEXT)")
                try transaction.execute("/* COMMIT */ INSERT INTO endings VALUES ('COMMIT')")
            }
        },
        Case("86", "a statement's error describes the statement, not the event store") { suite in
            let store = try await suite.open()
            try await makeTable(store)
            let missing = try await requireThrows(EventStoreError.self) {
                try await store.write { try $0.execute("INSERT INTO nowhere VALUES (1)") }
            }
            try require(missing.message.contains("nowhere") && missing.message.contains("`setUp`"), missing.message)
            try require(!missing.message.contains("igrate"), missing.message)
            let writes = try await requireThrows(EventStoreError.self) {
                try await store.read { try $0.execute("DELETE FROM conformance") }
            }
            try require(writes.message.contains("inside `read`"), writes.message)
        },
        Case("84", "concurrent `setUp` calls create tables one at a time") { suite in
            let store = try await suite.open()
            let stores = [store] + (try await [suite.again(store), suite.again(store), suite.again(store)])
            try await withThrowingTaskGroup(of: Void.self) { group in
                for store in stores {
                    for number in 0..<8 {
                        group.addTask {
                            try await store.setUp { transaction in
                                try transaction.execute(
                                    SQLStatement(
                                        stringLiteral: "CREATE TABLE IF NOT EXISTS made_\(number) (v TEXT PRIMARY KEY)")
                                )
                                try transaction.execute(
                                    SQLStatement(
                                        stringLiteral:
                                            "CREATE INDEX IF NOT EXISTS made_by_\(number) ON made_\(number) (v)"))
                            }
                        }
                    }
                }
                try await group.waitForAll()
            }
        },
        Case("64", "a step is saved even in a cancelled task") { suite in
            let store = try await suite.open()
            let saving = Task {
                withUnsafeCurrentTask { $0?.cancel() }
                try await store.save(ConsumerStep(consumer: "c", from: .start, to: Checkpoint(position: 3)))
            }
            try await saving.value
            try requireEqual(try await store.checkpoint(of: "c").position, 3, "position")
        },
    ]

    /// The column type for bytes.
    private static func blobType(_ store: any ReadModelStore) async throws -> String {
        do {
            try await store.write { transaction in
                try transaction.execute("CREATE TABLE probe (v BYTEA)")
                try transaction.execute("INSERT INTO probe VALUES (\(Data([1])))")
                _ = try transaction.query("SELECT pg_typeof(v) FROM probe")
            }
            return "BYTEA"
        } catch is EventStoreError {
            return "BLOB"
        }
    }
}
