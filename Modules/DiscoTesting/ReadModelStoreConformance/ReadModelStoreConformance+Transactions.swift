import DiscoCore
import Foundation

extension ReadModelStoreConformance {
    private struct Trouble: Error {}

    private static func makeTable(_ store: any ReadModelStore) async throws {
        try await store.write { try $0.execute("CREATE TABLE conformance (name TEXT PRIMARY KEY, amount INTEGER)") }
    }

    private static func names(_ store: any ReadModelStore) async throws -> [String] {
        try await store.read { transaction in
            try transaction.query("SELECT name FROM conformance ORDER BY name").map { try $0.value("name") }
        }
    }

    static let transactionCases: [Case] = [
        Case("G43", "the read model and its checkpoint are both written") { suite in
            let store = try await suite.open()
            try await makeTable(store)
            try await store.commit(ConsumerStep(consumer: "c", from: .start, to: Checkpoint(position: 1))) {
                transaction in
                try transaction.execute("INSERT INTO conformance VALUES (\("a"), \(1))")
            }
            try requireEqual(try await names(store), ["a"], "rows")
            try requireEqual(try await store.checkpoint(of: "c").position, 1, "position")
        },
        Case("G43", "neither the read model nor its checkpoint is written if the body throws") { suite in
            let store = try await suite.open()
            try await makeTable(store)
            let held = HeldStream("a-1", first: 1, attempts: 1)
            try await requireThrows(Trouble.self) {
                try await store.commit(
                    ConsumerStep(consumer: "c", from: .start, to: Checkpoint(position: 1), hold: [held])
                ) { transaction in
                    try transaction.execute("INSERT INTO conformance VALUES ('a', 1)")
                    throw Trouble()
                }
            }
            try requireEqual(try await names(store), [], "rows")
            try requireEqual(try await store.checkpoint(of: "c"), .start, "checkpoint")
            try requireEqual(try await store.held(by: "c"), [], "held streams")
        },
        Case("G43", "neither the read model nor its checkpoint is written if the checkpoint has moved") { suite in
            let store = try await suite.open()
            try await makeTable(store)
            let step = ConsumerStep(consumer: "c", from: .start, to: Checkpoint(position: 1))
            try await store.save(step)
            try await requireThrows(EventStoreError.self) {
                try await store.commit(step) { try $0.execute("INSERT INTO conformance VALUES ('a', 1)") }
            }
            try requireEqual(try await names(store), [], "rows")
        },
        Case("G43", "values are bound as parameters and read back unchanged") { suite in
            let store = try await suite.open()
            let (id, date) = (UUID(), Date(timeIntervalSince1970: 1_700_000_000.123456))
            let money = try requireValue(Decimal(string: "12345678901234567890.123456789"), "the decimal")
            let text = "'; DROP TABLE conformance; -- é🎉"
            try await store.write { transaction in
                try transaction.execute(
                    """
                    CREATE TABLE conformance (name TEXT, id TEXT, money TEXT, date TEXT, whole BIGINT, fraction DOUBLE PRECISION,
                        missing TEXT)
                    """)
                try transaction.execute(
                    """
                    INSERT INTO conformance VALUES (\(text), \(id), \(money), \(date), \(Int.max), \(0.1),
                        \(nil as String?))
                    """)
            }
            try await store.read { transaction in
                let rows = try transaction.query("SELECT * FROM conformance WHERE name = \(text) AND missing IS NULL")
                try requireEqual(rows.count, 1, "rows")
                try requireEqual(try rows[0].value("name"), text, "text")
                try requireEqual(try rows[0].value("id"), id, "UUID")
                try requireEqual(try rows[0].value("money"), money, "decimal")
                try requireEqual(try rows[0].value("date"), date, "date")
                try requireEqual(try rows[0].value("whole"), Int.max, "integer")
                try requireEqual(try rows[0].value("fraction"), 0.1, "fraction")
            }
        },
        Case("G43", "invalid SQL throws a typed error, and the store stays usable") { suite in
            let store = try await suite.open()
            try await makeTable(store)
            try await requireThrows(EventStoreError.self) {
                try await store.write { transaction in
                    try transaction.execute("INSERT INTO conformance VALUES ('a', 1)")
                    try transaction.execute("INSERT INTO nowhere VALUES (1)")
                }
            }
            try await requireThrows(EventStoreError.self) {
                _ = try await store.read { try $0.query("SELECT 1 AS one")[0].value("two", as: Int.self) }
            }
            try requireEqual(try await names(store), [], "rows")
            try await store.write { try $0.execute("INSERT INTO conformance VALUES ('b', 1)") }
            try requireEqual(try await names(store), ["b"], "rows")
        },
        Case("G43", "if the body swallows an SQL error, the commit keeps the other writes or throws") { suite in
            let store = try await suite.open()
            try await makeTable(store)
            do {
                try await store.write { transaction in
                    try transaction.execute("INSERT INTO conformance VALUES ('a', 1)")
                    try? transaction.execute("INSERT INTO nowhere VALUES (1)")
                }
                try requireEqual(try await names(store), ["a"], "rows after a commit that did not throw")
            } catch is EventStoreError {
                try requireEqual(try await names(store), [], "rows after a commit that threw")
            }
        },
        Case("G43", "`read` refuses writes") { suite in
            let store = try await suite.open()
            try await makeTable(store)
            try await requireThrows(EventStoreError.self) {
                try await store.read { try $0.execute("INSERT INTO conformance VALUES ('a', 1)") }
            }
            try requireEqual(try await names(store), [], "rows")
        },
    ]
}
