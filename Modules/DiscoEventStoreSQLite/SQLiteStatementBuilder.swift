#if SQLite
import DiscoCore
import DiscoEventStore
import GRDB

/// Builds the SQL of a page: for each item of the query one walk along one index, in order, up to the limit.
///
/// Rows are fetched only as long as the page has room: payloads never go through a sorter.
enum SQLiteStatementBuilder {
    static let columns = """
        SELECT e.position, s.name, e.version, e.id, t.name, e.type_version, e.payload, e.metadata, e.correlation_id,
            e.causation_id, e.tags, e.recorded_at
        """
    static let names = "CROSS JOIN disco_streams s ON s.key = e.stream CROSS JOIN disco_types t ON t.key = e.type"
    /// Skips deleted and erased events.
    static let isShown =
        "e.erased_at IS NULL AND (SELECT h.deleted_at FROM disco_streams h WHERE h.key = e.stream) IS NULL"
    /// SQLite combines at most 500 selects.
    static let mostWalks = 400
    /// If an item has more tags than this, the matching tags are counted instead.
    fileprivate static let mostConditions = 20

    fileprivate struct Walk {
        var driver = "disco_events e"
        var order = "e.position"
        var conditions: [String] = []
        var arguments: [any DatabaseValueConvertible] = []
    }

    struct Select {
        var sql: String
        var arguments: StatementArguments
        /// Whether the rows are whole events rather than positions.
        var hasRows: Bool
        /// Whether each event must still be matched against the query, which is too long for SQL.
        var isUnfiltered = false
    }

    static func select(_ read: Read, upTo: Position) -> Select {
        let order = read.direction == .forward ? "ASC" : "DESC"
        var walks = IndexWalk.walks(of: read.query).map(walk)
        let isUnfiltered = walks.count > mostWalks
        if isUnfiltered { walks = [Walk()] }
        for index in walks.indices {
            walks[index].conditions.append("e.position > ? AND e.position <= ? AND " + isShown)
            walks[index].arguments += [read.after.rawValue, upTo.rawValue]
            if let versions = read.versions {
                walks[index].conditions.append("e.version BETWEEN ? AND ?")
                walks[index].arguments += [versions.lowerBound, versions.upperBound]
            }
            if let slices = read.slices {
                walks[index].conditions.append("e.slice BETWEEN ? AND ?")
                walks[index].arguments += [slices.lowerBound, slices.upperBound]
            }
        }
        // If the events of the walk are filtered later, the walk cannot be limited.
        let limit = isUnfiltered ? -1 : read.limit
        if walks.count == 1 {
            let walk = walks[0]
            let sql = """
                \(columns) FROM \(walk.driver) \(names)
                WHERE \(walk.conditions.joined(separator: " AND ")) ORDER BY \(walk.order) \(order) LIMIT ?
                """
            return Select(
                sql: sql, arguments: StatementArguments(walk.arguments + [limit]), hasRows: true,
                isUnfiltered: isUnfiltered)
        }
        let parts = walks.map { walk in
            """
            SELECT position FROM (SELECT e.position AS position FROM \(walk.driver)
                WHERE \(walk.conditions.joined(separator: " AND ")) ORDER BY \(walk.order) \(order) LIMIT ?)
            """
        }
        let sql = parts.joined(separator: "\nUNION\n") + "\nORDER BY position \(order) LIMIT ?"
        return Select(
            sql: sql,
            arguments: StatementArguments(walks.flatMap { $0.arguments + [limit] } + [limit]), hasRows: false)
    }

    private static func walk(_ plan: IndexWalk) -> Walk {
        var walk = Walk()
        switch plan.driver {
        case .all: break
        case .stream(let stream):
            walk.driver = "disco_events e INDEXED BY disco_events_by_stream"
            // Within a stream, versions and positions have the same order, and the index contains the versions.
            walk.order = "e.version"
            walk.conditions.append("e.stream = (SELECT key FROM disco_streams WHERE name = ?)")
            walk.arguments.append(stream.name)
        case .tag(let tag):
            walk.driver = "disco_tags d CROSS JOIN disco_events e ON e.position = d.position"
            walk.order = "d.position"
            walk.conditions.append("d.tag = ?")
            walk.arguments.append(tag.name)
        case .type(let type):
            walk.driver = "disco_events e INDEXED BY disco_events_by_type"
            walk.demand(types: [type])
        case .category(let category):
            walk.driver = "disco_events e INDEXED BY disco_events_by_category"
            walk.demand(category: category)
        }
        walk.demand(tags: plan.tags)
        walk.demand(types: plan.types)
        if let category = plan.category { walk.demand(category: category) }
        return walk
    }
}

extension SQLiteStatementBuilder.Walk {
    /// Requires all of the tags.
    fileprivate mutating func demand(tags: [EventTag]) {
        guard tags.count > SQLiteStatementBuilder.mostConditions else {
            for tag in tags {
                conditions.append("EXISTS (SELECT 1 FROM disco_tags x WHERE x.tag = ? AND x.position = e.position)")
                arguments.append(tag.name)
            }
            return
        }
        // Counted, because SQLite allows at most 1000 conditions in a row.
        let different = Set(tags)
        let places = different.map { _ in "?" }.joined(separator: ", ")
        conditions.append(
            "(SELECT count(*) FROM disco_tags x WHERE x.position = e.position AND x.tag IN (\(places))) = ?")
        arguments += different.map(\.name)
        arguments.append(different.count)
    }

    /// Requires any of the types, unless there are none.
    fileprivate mutating func demand(types: [String]) {
        if types.isEmpty { return }
        let places = types.map { _ in "?" }.joined(separator: ", ")
        conditions.append(
            types.count == 1
                ? "e.type = (SELECT key FROM disco_types WHERE name = ?)"
                : "e.type IN (SELECT key FROM disco_types WHERE name IN (\(places)))")
        arguments += types
    }

    fileprivate mutating func demand(category: String) {
        conditions.append("e.category = (SELECT key FROM disco_categories WHERE name = ?)")
        arguments.append(category)
    }
}
#endif
