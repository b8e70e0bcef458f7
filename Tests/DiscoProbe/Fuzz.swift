import DiscoCore
import DiscoEventStore
import DiscoEventStorePostgres
import DiscoEventStoreSQLite
import DiscoTesting
import Foundation

/// Runs generated names, values and statements against a store for a time. A trap ends the process, and so does a value
/// that reads back changed.
struct Fuzz {
    private var values: GeneratedValues
    private let client: EventStoreClient
    private let readModels: any ReadModelStore
    private var known: [UUID: NewEvent] = [:]
    private(set) var count = 0

    struct Difference: Error, CustomStringConvertible {
        let description: String
    }

    /// - Parameter path: `memory`, a file, or the URL of a database and a schema with a `#` between them.
    static func run(_ path: String, seconds: Double, seed: UInt64) async throws {
        let parts = path.split(separator: "#").map(String.init)
        let store: any EventStore
        let readModels: any ReadModelStore
        if parts.count == 2 {
            var settings = PostgresEventStore.Settings(url: parts[0], schema: parts[1])
            settings.allowsErasing = true
            store = try await PostgresEventStore.open(settings)
            readModels = try await PostgresReadModelStore.open(.init(url: parts[0], schema: parts[1] + "r"))
        } else if path == "memory" {
            store = InMemoryEventStore(.init(allowsErasing: true))
            readModels = try await SQLiteReadModelStore.open(.inMemory)
        } else {
            var settings = SQLiteEventStore.Settings(path: path)
            settings.allowsErasing = true
            store = try await SQLiteEventStore.open(settings)
            readModels = try await SQLiteReadModelStore.open(path: path + ".read-models")
        }
        var fuzz = Fuzz(
            values: GeneratedValues(seed: seed), client: EventStoreClient(store), readModels: readModels)
        let end = ContinuousClock.now + .seconds(seconds)
        while ContinuousClock.now < end { try await fuzz.turn() }
        let findings = try await fuzz.client.verify()
        if !findings.isEmpty { throw Difference(description: "verify: \(findings)") }
        await store.close()
        await readModels.close()
        print("\(fuzz.count) operations on \(parts.count == 2 ? "PostgreSQL" : path == "memory" ? path : "SQLite")")
    }

    private init(values: GeneratedValues, client: EventStoreClient, readModels: any ReadModelStore) {
        self.values = values
        self.client = client
        self.readModels = readModels
    }

    private mutating func turn() async throws {
        for _ in 0..<50 {
            texts()
            count += 1
        }
        count += 1
        do {
            switch values.pick(Array(0..<8)) {
            case 0, 1: try await append()
            case 2: try await read()
            case 3: try await administer()
            case 4, 5: try await statement()
            case 6: try await checkpoint()
            default: try await look()
            }
        } catch let error as EventStoreError where error.code != .corrupt && error.code != .unavailable {
        } catch is VersionConflict, is ConditionFailed, is StreamDeleted, is DuplicateEvent, is IdempotencyConflict {
        } catch is EncodingError {
        }
    }

    private mutating func name() -> String {
        let valid = "a-" + values.text(withNUL: false)
        return values.pick([valid, valid, valid, values.text(), values.pick(GeneratedValues.names)])
    }

    private mutating func tags() -> [EventTag] {
        (0..<values.pick([0, 1, 2, 5])).map { _ in EventTag(values.text(withNUL: values.flag() && values.flag())) }
    }

    private mutating func query() -> EventQuery {
        EventQuery(
            items: (0..<values.pick([0, 1, 2, 30])).map { _ in
                .init(
                    types: values.flag() ? [] : ["T", values.text(withNUL: false)], tags: tags(),
                    category: values.pick([nil, nil, "a", values.text()]), stream: values.pick([nil, StreamID(name())]))
            })
    }

    private mutating func append() async throws {
        var events: [NewEvent] = []
        for _ in 0..<values.pick([0, 1, 1, 2, 40]) {
            let payload = try JSONText(encoding: EveryKind.generated(&values))
            let id = values.pick([values.uuid(), values.uuid(), known.keys.first ?? values.uuid()])
            events.append(
                NewEvent(
                    id: id, stream: StreamID(name()), type: values.pick(["T", "U", values.text(withNUL: false)]),
                    typeVersion: values.pick([1, 1, 1, values.integer()]), payload: payload,
                    metadata: Metadata(values: values.pick([nil, JSONText(["k": .string(values.text())])])),
                    tags: tags()))
        }
        var append = Append(events)
        if values.flag() { append.expect = [StreamID(name()): .exactly(values.pick(GeneratedValues.integers))] }
        if values.flag() {
            append.condition = AppendCondition(noneMatch: query(), after: values.pick(GeneratedValues.positions))
        }
        if values.flag() { append.key = IdempotencyKey(values.text(), fingerprint: values.text()) }
        let appended = try await client.append(append)
        if appended.repeated { return }
        for event in events { known[event.id] = event }
        if known.count > 500 { known = [:] }
    }

    private mutating func read() async throws {
        var read = Read(
            query(), direction: values.pick([.forward, .backward]), after: values.pick(GeneratedValues.positions),
            upTo: values.pick([nil, values.pick(GeneratedValues.positions)]), limit: values.pick([0, 1, 7, 100, .max]))
        if values.flag() { read.asOf = values.pick(GeneratedValues.dates) }
        for event in try await client.store.page(read).events {
            guard let new = known[event.id] else { continue }
            // An erased event is not returned; all others read back unchanged.
            guard
                event.payload == new.payload && event.tags == new.tags && event.metadata == new.metadata
                    && event.type == new.type && event.stream == new.stream && read.query.matches(event)
            else { throw Difference(description: "recorded \(new), read \(event)") }
        }
    }

    private mutating func administer() async throws {
        let stream = StreamID(name())
        switch values.pick(Array(0..<6)) {
        case 0: try await client.delete(stream)
        case 1: try await client.restore(stream)
        case 2:
            try await client.erase(stream, close: values.flag())
            known = known.filter { $0.value.stream != stream }
        case 3:
            let key = SnapshotKey(stream: stream, name: values.text(), fingerprint: values.text())
            let snapshot = Snapshot(key: key, version: values.integer(), state: JSONText(.string(values.text())))
            try await client.store.abilities.snapshots?.save(snapshot)
            _ = try await client.store.abilities.snapshots?.snapshot(key)
        case 4: _ = try await client.recorded(under: IdempotencyKey(values.text(), fingerprint: values.text()))
        default:
            _ = try await client.streams(
                category: values.pick([nil, "a", values.text()]), prefix: values.text(), limit: 10)
        }
    }

    private mutating func look() async throws {
        _ = try await client.event(values.uuid())
        _ = try await client.version(of: StreamID(name()))
        _ = try await client.store.abilities.verification?.verify(
            after: values.pick(GeneratedValues.positions), limit: values.pick(GeneratedValues.integers))
    }

    // MARK: Statements

    private mutating func statement() async throws {
        let words = [
            "SELECT", "1", "'a'", "\"x\"", ";", "--", "/*", "*/", "COMMIT", "END", "ROLLBACK", "INSERT INTO", "fuzz",
            "VALUES", "(", ")",
            ",", "?", "$1", "NULL", "FROM", "WHERE", "=", "\n", "\r", "\u{FEFF}", "BEGIN", "SAVEPOINT s", "OR ROLLBACK",
            "*", "COPY",
            "CREATE TABLE IF NOT EXISTS fuzz (v TEXT)", "DROP TABLE IF EXISTS fuzz", "INSERT INTO fuzz VALUES ('x')",
            "SELECT v FROM fuzz", "ALTER TABLE fuzz ADD COLUMN w TEXT", "EXPLAIN", "WITH", "DELETE FROM fuzz",
        ]
        var texts: [String] = []
        for _ in 0..<values.pick([1, 1, 2, 4]) {
            texts.append(
                (0..<values.pick([1, 1, 1, 2, 5])).map { _ in
                    values.pick([values.pick(words), values.pick(words), values.text()])
                }
                .joined(separator: " "))
        }
        let (text, value, number) = (values.text(), values.decimal(), values.number())
        let sql: [SQLStatement] =
            texts.map(SQLStatement.init(stringLiteral:)) + [
                "SELECT \(text) AS a, \(value) AS b, \(number) AS c, \(values.date()) AS d"
            ]
        let swallows = values.flag()
        let body: @Sendable (SQLTransaction) throws -> Void = { transaction in
            for statement in sql {
                do {
                    for row in try transaction.query(statement) {
                        for column in row.columns { _ = try? row.value(column, as: String?.self) }
                    }
                } catch  where swallows {}
            }
        }
        if values.flag() { try await readModels.write(body) } else { try await readModels.read(body) }
    }

    private mutating func checkpoint() async throws {
        let consumer = values.pick(["c", values.text(withNUL: values.flag())])
        let from = try await readModels.checkpoint(of: consumer)
        let position = Position(rawValue: from.position.rawValue + 1)
        let reason = values.text()
        let held = HeldStream(
            "a-1", first: position, attempts: 1, retryAt: values.pick(GeneratedValues.dates),
            failure: HeldFailure(code: reason, reason: reason, firstAt: values.pick(GeneratedValues.dates)))
        try await readModels.save(
            ConsumerStep(consumer: consumer, from: from, to: Checkpoint(position: position), hold: [held]))
        guard let kept = try await readModels.held(by: consumer).last, kept.failure?.reason == held.failure?.reason
        else {
            throw Difference(description: "held \(reason.debugDescription)")
        }
        try await readModels.save(
            ConsumerStep(
                consumer: consumer, from: Checkpoint(position: position), to: Checkpoint(position: position),
                release: ["a-1"]))
    }

    // MARK: Text only

    private mutating func texts() {
        let bytes = [UInt8](values.data()) + Array(values.text().utf8)
        let text = JSONText(
            unchecked: values.flag() ? bytes : Array("{\"a\":[\(values.number()),\"\(values.text())\"]}".utf8))
        if let value = try? text.value() {
            guard let again = try? JSONText(JSONText(value).string).value(), again == value else {
                preconditionFailure("\(text) does not round trip.")
            }
            _ = try? value.decode(EveryKind.self)
            _ = try? value.decode([String: Double].self)
        }
        let digits =
            values.pick(["", "-"]) + "\(values.integer())" + values.pick(["", ".", ".5", "e", "e9", "E-200", "\0"])
        if let decimal = Decimal(sqlValue: .text(digits)) {
            guard let back = (try? decimal.sqlValue).flatMap(Decimal.init(sqlValue:)), back == decimal else {
                preconditionFailure("\(digits) does not round trip.")
            }
        }
        if let date = Date(
            sqlValue: .text(
                values.pick(["2026-02-28T", values.text()]) + values.pick(["24:00:00Z", "23:59:59.9Z", "x"])))
        {
            guard (try? date.sqlValue).flatMap(Date.init(sqlValue:)) == date else {
                preconditionFailure("\(date) does not round trip.")
            }
        }
    }
}
