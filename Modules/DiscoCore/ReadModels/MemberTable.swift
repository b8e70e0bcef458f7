import Foundation

/// The members that share consumers, in the table `disco_members`.
struct MemberTable {
    let transaction: SQLTransaction
    /// The database's time, in microseconds since 1970.
    let now: Int64

    func join(_ member: ConsumerMember, for lease: Duration) throws {
        let sorted = member.consumers.sorted { $0.key.utf8.lexicographicallyPrecedes($1.key.utf8) }
        let consumers = JSONText(.object(JSON.Object(sorted.map { ($0.key, JSON.string($0.value)) }))).string
        try transaction.execute(
            """
            INSERT INTO disco_members (id, host, build, consumers, expires_at)
            VALUES (\(member.id), \(member.host), \(member.build), \(consumers), \(end(of: lease)))
            ON CONFLICT (id) DO UPDATE SET expires_at = excluded.expires_at
            """)
    }

    func renew(_ member: String, for lease: Duration) throws -> Bool {
        try transaction.changed(
            """
            UPDATE disco_members SET expires_at = \(end(of: lease)) WHERE id = \(member) AND expires_at > \(now)
            """) == 1
    }

    func leave(_ member: String) throws {
        try transaction.execute("DELETE FROM disco_members WHERE id = \(member)")
    }

    func members() throws -> [MemberState] {
        try transaction.execute("DELETE FROM disco_members WHERE expires_at <= \(now)")
        return try transaction.query("SELECT id, host, build, consumers, expires_at FROM disco_members ORDER BY id")
            .map { row in
                let expiresAt: Int64 = try row.value("expires_at")
                return MemberState(
                    ConsumerMember(
                        id: try row.value("id"), host: try row.value("host"), build: try row.value("build"),
                        consumers: try Self.definitions(try row.value("consumers"))),
                    remaining: .microseconds(expiresAt - now))
            }
    }

    private static func definitions(_ text: String) throws -> [String: String] {
        guard case .object(let object) = try JSONText(text).value() else { return [:] }
        let members = object.compactMap { member in member.value.string.map { (member.name, $0) } }
        return Dictionary(members) { $1 }
    }

    private func end(of lease: Duration) -> Int64 {
        let microseconds = (lease.bounded / .microseconds(1)).rounded()
        return now + Int64(min(max(1, microseconds), 1e15))
    }
}
