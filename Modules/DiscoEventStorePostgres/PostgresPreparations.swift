#if Postgres
import DiscoCore

/// Tracks which statements a connection has prepared, and which of them to deallocate so that they do not fill the
/// server's memory: a plan of a wide query takes a megabyte.
///
/// A pure state machine.
struct PostgresPreparations {
    static let most = 50
    static let mostBytes = 200_000
    /// Longer texts are not prepared, because they are seldom sent again.
    static let longest = 50_000

    private struct Prepared {
        var name: String
        var used: Int
    }

    /// By bytes: two texts that Swift considers equal may be two statements.
    private var bySQL: [ExactText: Prepared] = [:]
    private var bytes = 0
    private var uses = 0
    private var names = 0

    var count: Int { bySQL.count }

    /// What to do before a statement can be executed under `name`.
    struct Plan: Equatable {
        var name: String
        /// Whether it was prepared before; otherwise it must be prepared now.
        var isPrepared: Bool
        /// The names of the statements to deallocate for it.
        var deallocate: [String] = []
    }

    mutating func plan(_ sql: String) -> Plan {
        uses += 1
        let key = ExactText(sql)
        if let known = bySQL[key] {
            bySQL[key]?.used = uses
            return Plan(name: known.name, isPrepared: true)
        }
        var given: [String] = []
        while !bySQL.isEmpty, bySQL.count >= Self.most || bytes + sql.utf8.count > Self.mostBytes,
            let oldest = bySQL.min(by: { $0.value.used < $1.value.used })
        {
            given.append(oldest.value.name)
            forget(oldest.key.text)
        }
        names += 1
        let name = "disco\(names)"
        bySQL[key] = Prepared(name: name, used: uses)
        bytes += sql.utf8.count
        return Plan(name: name, isPrepared: false, deallocate: given)
    }

    /// Forgets a statement, for example one that could not be prepared.
    mutating func forget(_ sql: String) {
        if bySQL.removeValue(forKey: ExactText(sql)) != nil { bytes -= sql.utf8.count }
    }

    mutating func forgetAll() {
        bySQL = [:]
        bytes = 0
    }
}
#endif
