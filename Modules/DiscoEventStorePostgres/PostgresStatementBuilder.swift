#if Postgres
    import DiscoCore

    /// The SQL of a page: for each item of the query one walk along one index, in order, cut off at the limit; then the
    /// rows, cut off at the bytes. One statement, so that all of it is of one moment.
    ///
    /// The rows come in the order of the sum over their bytes, which is that of the page: ordering them once more would
    /// sort their payloads for nothing. Whoever reads them checks it.
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
                        (SELECT id FROM "disco".events WHERE position = \(after)) AS after_id
                    FROM (SELECT coalesce(max(position), 0) AS head FROM "disco".events) AS h)
                SELECT b.head, b.bound, b.bound_id, b.after_id
                """
            guard read.limit > 0, !read.query.items.isEmpty else {
                return bounds + ", NULL FROM b"
            }
            let order = read.direction == .forward ? "ASC" : "DESC"
            let limit = bind(.int(Int64(read.limit)))
            let items = read.query.items.flatMap(Self.single)
            let rows: String
            if items.count == 1 {
                rows = walk(items[0], "e.*", after, limit, order)
            } else {
                let walks = items.map { "(\(walk($0, "e.position", after, limit, order)))" }.joined(
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

        /// An item with several types walks along each of them: only so does an index give them in order.
        private static func single(_ item: EventQuery.Item) -> [EventQuery.Item] {
            guard item.stream == nil, item.tags.isEmpty, item.types.count > 1 else { return [item] }
            return item.types.map { .init(types: [$0], category: item.category) }
        }

        private mutating func walk(
            _ item: EventQuery.Item, _ columns: String, _ after: String, _ limit: String, _ order: String
        ) -> String {
            var tables = "\"disco\".events e"
            var place = "e.position"
            var conditions: [String] = []
            if let stream = item.stream { conditions.append("e.stream = \(bind(.text(stream.name)))") }
            if item.stream == nil, let tag = item.tags.first {
                tables = "\"disco\".tags t JOIN \"disco\".events e ON e.position = t.position"
                place = "t.position"
                conditions.append("t.tag = \(bind(.text(tag.name)))")
            }
            let further = item.tags.dropFirst(item.stream == nil ? 1 : 0)
            if !further.isEmpty {
                var tags = PostgresArray(.text)
                for tag in further { tags.append(tag.name) }
                conditions.append("e.tags @> \(bind(.array(tags)))")
            }
            if item.types.count == 1 {
                conditions.append("e.type = \(bind(.text(item.types[0])))")
            } else if !item.types.isEmpty {
                var types = PostgresArray(.text)
                for type in item.types { types.append(type) }
                conditions.append("e.type = ANY (\(bind(.array(types))))")
            }
            if let category = item.category { conditions.append("e.category = \(bind(.text(category)))") }
            if let versions = read.versions {
                conditions.append(
                    "e.version BETWEEN \(bind(.int(Int64(versions.lowerBound)))) AND \(bind(.int(Int64(versions.upperBound))))"
                )
            }
            if let stream = item.stream {
                // Within one stream versions and positions have one order, and its index has the versions.
                let name = bind(.text(stream.name))
                if read.after > .start {
                    conditions.append("e.version > (SELECT \"disco\".version_at(\(name), \(after)))")
                }
                if read.upTo != nil {
                    conditions.append("e.version <= (SELECT \"disco\".version_at(\(name), b.bound) FROM b)")
                }
            }
            conditions += ["\(place) > \(after)", "\(place) <= b.bound", PostgresReading.isShown]
            var ordering = item.stream == nil ? place : "e.version"
            // The index of types, or categories, alone has this order: that of positions leads through everything else.
            if item.stream == nil, item.tags.isEmpty {
                if item.types.count == 1 {
                    ordering = "e.type \(order), " + ordering
                } else if item.types.isEmpty, item.category != nil {
                    ordering = "e.category \(order), " + ordering
                }
            }
            return """
                SELECT \(columns) FROM \(tables) WHERE \(conditions.joined(separator: " AND ")) ORDER BY \(ordering) \(order) LIMIT \(limit)
                """
        }
    }
#endif
