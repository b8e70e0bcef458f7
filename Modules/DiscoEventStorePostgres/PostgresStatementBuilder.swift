#if Postgres
import DiscoCore
import DiscoEventStore

/// Builds the SQL of a page: for each item of the query one walk along one index, in order, up to the limit; then
/// the rows, up to the byte limit. It is one statement, so that all of it sees the same moment.
///
/// The rows come in the order of the running sum over their bytes, which is the page's order: ordering them once
/// more would sort their payloads for nothing. The reader checks the order.
struct PostgresStatementBuilder {
    private let read: Read
    private var values: [PostgresValue] = []

    init(_ read: Read) { self.read = read }

    func page() -> (sql: String, values: [PostgresValue]) {
        var builder = self
        let sql = builder.build()
        return (sql, builder.values)
    }

    private mutating func bind(_ value: PostgresValue) -> String {
        values.append(value)
        return "$\(values.count)"
    }

    private mutating func build() -> String {
        let after = bind(.int(read.after.rawValue))
        let upTo = bind(.int(read.upTo?.rawValue ?? .max))
        let bounds = """
            WITH b AS MATERIALIZED (
                SELECT h.head, least(h.head, \(upTo)) AS bound,
                    (SELECT id FROM "disco".events WHERE position = least(h.head, \(upTo))) AS bound_id,
                    (SELECT id FROM "disco".events WHERE position = \(after)) AS after_id,
                    (SELECT greatest(s.settled_at, (
                        SELECT l.recorded_at - interval '1 microsecond' FROM "disco".events l WHERE l.position = h.head))
                        FROM "disco".store s LIMIT 1) AS settled
                FROM (SELECT coalesce(max(position), 0) AS head FROM "disco".events) AS h)
            SELECT b.head, b.bound, b.bound_id, b.after_id, b.settled
            """
        guard read.limit > 0, !read.query.items.isEmpty else {
            return bounds + ", NULL FROM b"
        }
        let order = read.direction == .forward ? "ASC" : "DESC"
        let limit = bind(.int(Int64(read.limit)))
        let plans = IndexWalk.walks(of: read.query)
        let rows: String
        if plans.count == 1 {
            rows = walk(plans[0], "e.*", after, limit, order)
        } else {
            let walks = plans.map { "(\(walk($0, "e.position", after, limit, order)))" }.joined(
                separator: " UNION ")
            rows = """
                SELECT f.* FROM (SELECT u.position FROM (\(walks)) AS u ORDER BY u.position \(order) LIMIT \(limit)) AS p
                    JOIN "disco".events f ON f.position = p.position
                """
        }
        return """
            \(bounds), \(PostgresReading.columns)
            FROM b LEFT JOIN LATERAL (
                SELECT r.*, sum(r.payload_bytes) OVER (ORDER BY r.position \(order) ROWS UNBOUNDED PRECEDING) - r.payload_bytes AS bytes_before
                FROM (\(rows)) AS r
            ) AS e ON e.bytes_before < \(bind(.int(Int64(read.byteLimit))))
            """
    }

    private mutating func walk(
        _ plan: IndexWalk, _ columns: String, _ after: String, _ limit: String, _ order: String
    ) -> String {
        var tables = "\"disco\".events e"
        var place = "e.position"
        var ordering = place
        var conditions: [String] = []
        switch plan.driver {
        case .all: break
        case .stream(let stream):
            // Within a stream, versions and positions have the same order, and its index contains the versions.
            ordering = "e.version"
            conditions.append("e.stream = \(bind(.text(stream.name)))")
        case .tag(let tag):
            tables = "\"disco\".tags t JOIN \"disco\".events e ON e.position = t.position"
            place = "t.position"
            ordering = place
            conditions.append("t.tag = \(bind(.text(tag.name)))")
        // Only the index of types, or of categories, has this order: the index of positions leads through
        // everything else.
        case .type(let type):
            ordering = "e.type \(order), e.position"
            conditions.append("e.type = \(bind(.text(type)))")
        case .category(let category):
            ordering = "e.category \(order), e.position"
            conditions.append("e.category = \(bind(.text(category)))")
        }
        if !plan.tags.isEmpty {
            var tags = PostgresArray(.text)
            for tag in plan.tags { tags.append(tag.name) }
            conditions.append("e.tags @> \(bind(.array(tags)))")
        }
        if plan.types.count == 1 {
            conditions.append("e.type = \(bind(.text(plan.types[0])))")
        } else if !plan.types.isEmpty {
            var types = PostgresArray(.text)
            for type in plan.types { types.append(type) }
            conditions.append("e.type = ANY (\(bind(.array(types))))")
        }
        if let category = plan.category { conditions.append("e.category = \(bind(.text(category)))") }
        if let versions = read.versions {
            conditions.append(
                "e.version BETWEEN \(bind(.int(Int64(versions.lowerBound)))) AND \(bind(.int(Int64(versions.upperBound))))"
            )
        }
        if let slices = read.slices {
            conditions.append(
                "e.slice BETWEEN \(bind(.int(Int64(slices.lowerBound)))) AND \(bind(.int(Int64(slices.upperBound))))"
            )
        }
        if case .stream(let stream) = plan.driver {
            let name = bind(.text(stream.name))
            if read.after > .start {
                conditions.append("e.version > (SELECT \"disco\".version_at(\(name), \(after)))")
            }
            if read.upTo != nil {
                conditions.append("e.version <= (SELECT \"disco\".version_at(\(name), b.bound) FROM b)")
            }
        }
        conditions += ["\(place) > \(after)", "\(place) <= b.bound", PostgresReading.isShown]
        return """
            SELECT \(columns) FROM \(tables) WHERE \(conditions.joined(separator: " AND ")) ORDER BY \(ordering) \(order) LIMIT \(limit)
            """
    }
}
#endif
