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
                        SELECT e.position, s.name, e.version, e.payload, e.erased_at IS NOT NULL, e.recorded_at, e.tags,
                            (SELECT max(version) FROM disco_events p WHERE p.stream = e.stream AND p.version < e.version), t.name
                        FROM disco_events e LEFT JOIN disco_streams s ON s.key = e.stream LEFT JOIN disco_types t ON t.key = e.type
                        WHERE e.position > ? ORDER BY e.position LIMIT ?
                        """), arguments: [position.rawValue, limit])
            var page = VerifiedPage(findings: [], through: position, head: head)
            var before = try Int64.fetchOne(
                db, sql: "SELECT recorded_at FROM disco_events WHERE position = ?", arguments: [position.rawValue])
            while let row = try rows.next() {
                let at = Position(rawValue: row[0])
                let stream = StreamID((row[1] as String?) ?? "?")
                if row.hasNull(atIndex: 1) || row.hasNull(atIndex: 8) { page.findings.append(.missingName(at)) }
                let next = Position(rawValue: page.through.rawValue + 1)
                if at > next {
                    page.findings.append(.missingPositions(next, through: Position(rawValue: at.rawValue - 1)))
                }
                let expected = ((row[7] as Int?) ?? 0) + 1
                if row[2] != expected {
                    page.findings.append(.wrongVersion(at, stream: stream, version: row[2], expected: expected))
                }
                if let before, row[5] < before { page.findings.append(.timeRunsBackwards(at)) }
                if let reason = try row.withUnsafeData(atIndex: 3, damage) {
                    page.findings.append(.damagedPayload(at, stream: stream, reason: reason))
                }
                if try !isFoundByTags(row[6], at, db) { page.findings.append(.wrongTags(at, stream: stream)) }
                page.through = at
                before = row[5]
            }
            return page
        }

        private static func damage(_ payload: Data?) -> String? {
            do {
                try JSONText(unchecked: [UInt8](payload ?? Data())).check()
                return nil
            } catch {
                return "\(error)"
            }
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
