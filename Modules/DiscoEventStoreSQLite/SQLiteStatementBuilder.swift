#if SQLite
    import DiscoCore
    import GRDB

    /// The SQL of a page: for each item of the query one walk along one index, in order, cut off at the limit; then the rows.
    enum SQLiteStatementBuilder {
        static let columns = """
            SELECT e.position, s.name, e.version, e.id, t.name, e.type_version, e.payload, e.metadata, e.correlation_id,
                e.causation_id, e.tags, e.recorded_at
            """
        /// Deleted and erased events are passed over. The inner query is run once, on an index that holds deleted streams alone.
        static let isShown =
            "e.erased_at IS NULL AND e.stream NOT IN (SELECT key FROM disco_streams WHERE deleted_at IS NOT NULL)"
        static let names = "JOIN disco_streams s ON s.key = e.stream JOIN disco_types t ON t.key = e.type"

        private struct Walk {
            var driver = "disco_events e"
            var conditions: [String] = []
            var arguments: [any DatabaseValueConvertible] = []
        }

        static func select(_ read: Read, upTo: Position) -> (sql: String, arguments: StatementArguments) {
            let order = read.direction == .forward ? "ASC" : "DESC"
            var arguments: [any DatabaseValueConvertible] = []
            var parts: [String] = []
            for var walk in read.query.items.flatMap(walks) {
                walk.conditions.append("e.position > ? AND e.position <= ? AND " + isShown)
                walk.arguments += [read.after.rawValue, upTo.rawValue]
                if let versions = read.versions {
                    walk.conditions.append("e.version BETWEEN ? AND ?")
                    walk.arguments += [versions.lowerBound, versions.upperBound]
                }
                parts.append(
                    """
                    SELECT position FROM (SELECT e.position AS position FROM \(walk.driver)
                        WHERE \(walk.conditions.joined(separator: " AND ")) ORDER BY e.position \(order) LIMIT ?)
                    """)
                arguments += walk.arguments + [read.limit]
            }
            let sql = """
                \(columns) FROM (\(parts.joined(separator: "\nUNION\n")) ORDER BY position \(order) LIMIT ?) p
                CROSS JOIN disco_events e ON e.position = p.position \(names)
                ORDER BY p.position \(order)
                """
            return (sql, StatementArguments(arguments + [read.limit]))
        }

        /// An item with several types walks along each of them: only so does an index give them in order.
        private static func walks(_ item: EventQuery.Item) -> [Walk] {
            if item.stream == nil, item.tags.isEmpty, item.types.count > 1 {
                return item.types.flatMap { type in
                    walks(.init(types: [type], tags: [], category: item.category, stream: nil))
                }
            }
            var walk = Walk()
            if let stream = item.stream {
                walk.driver = "disco_events e INDEXED BY disco_events_by_stream"
                walk.conditions.append("e.stream = (SELECT key FROM disco_streams WHERE name = ?)")
                walk.arguments.append(stream.name)
            } else if let tag = item.tags.first {
                walk.driver = "disco_tags d CROSS JOIN disco_events e ON e.position = d.position"
                walk.conditions.append("d.tag = ?")
                walk.arguments.append(tag.name)
            } else if !item.types.isEmpty {
                walk.driver = "disco_events e INDEXED BY disco_events_by_type"
            } else if item.category != nil {
                walk.driver = "disco_events e INDEXED BY disco_events_by_category"
            }
            for tag in item.tags.dropFirst(item.stream == nil ? 1 : 0) {
                walk.conditions.append(
                    "EXISTS (SELECT 1 FROM disco_tags x WHERE x.tag = ? AND x.position = e.position)")
                walk.arguments.append(tag.name)
            }
            if !item.types.isEmpty {
                let places = item.types.map { _ in "?" }.joined(separator: ", ")
                walk.conditions.append(
                    item.types.count == 1
                        ? "e.type = (SELECT key FROM disco_types WHERE name = ?)"
                        : "e.type IN (SELECT key FROM disco_types WHERE name IN (\(places)))")
                walk.arguments += item.types
            }
            if let category = item.category {
                walk.conditions.append("e.category = (SELECT key FROM disco_categories WHERE name = ?)")
                walk.arguments.append(category)
            }
            return [walk]
        }
    }
#endif
