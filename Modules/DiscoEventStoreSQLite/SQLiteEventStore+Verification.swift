#if SQLite
public import DiscoCore
import DiscoEventStore
import Foundation
import GRDB

extension SQLiteEventStore: StoreVerification {
    public func verify(after position: Position, limit: Int) async throws -> VerifiedPage {
        try await database.read { db in try Self.verify(after: max(.start, position), limit: max(1, limit), db) }
    }

    private static func verify(after position: Position, limit: Int, _ db: Database) throws -> VerifiedPage {
        let head = try SQLiteReading.head(db)
        let rows = try Row.fetchCursor(
            db.cachedStatement(
                sql: """
                    SELECT e.position, s.name, e.version, e.payload, e.recorded_at,
                        (SELECT max(version) FROM disco_events p WHERE p.stream = e.stream AND p.version < e.version),
                        e.tags, t.name
                    FROM disco_events e LEFT JOIN disco_streams s ON s.key = e.stream LEFT JOIN disco_types t ON t.key = e.type
                    WHERE e.position > ? ORDER BY e.position LIMIT ?
                    """), arguments: [position.rawValue, limit])
        let before = try Int64.fetchOne(
            db, sql: "SELECT recorded_at FROM disco_events WHERE position <= ? ORDER BY position DESC LIMIT 1",
            arguments: [position.rawValue])
        var examination = StoreExamination(
            after: position, recordedAt: before.map(Timestamp.date(microseconds:)), head: head)
        while let row = try rows.next() {
            let position = Position(rawValue: row[0])
            examination.examine(
                .init(
                    position: position, stream: (row[1] as String?).map { StreamID($0) }, version: row[2],
                    versionBefore: row[5] ?? 0, recordedAt: Timestamp.date(microseconds: row[4]),
                    payload: try row.withUnsafeData(atIndex: 3) {
                        JSONText(unchecked: $0.map { [UInt8]($0) } ?? [])
                    },
                    isFoundByTags: try isFoundByTags(row[6], position, db), lacksType: row.hasNull(atIndex: 7)))
        }
        return examination.page
    }

    private static func isFoundByTags(_ carried: String?, _ position: Position, _ db: Database) throws -> Bool {
        guard let carried else { return true }
        guard let tags = try? JSONText(carried).decode([String].self) else { return false }
        let statement = try db.cachedStatement(sql: "SELECT 1 FROM disco_tags WHERE tag = ? AND position = ?")
        return try tags.allSatisfy { tag in
            try Int.fetchOne(statement, arguments: [tag, position.rawValue]) != nil
        }
    }
}
#endif
