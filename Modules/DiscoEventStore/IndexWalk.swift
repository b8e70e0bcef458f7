public import DiscoCore

/// A walk along one index of a store's events, in position order. A store answers a query with one or more walks.
///
/// If its index yields rows in order, a walk reads only as many rows as fit in the page. Together, the walks of a query
/// select what the query selects; an event that several walks select appears once in the page.
public struct IndexWalk: Hashable, Sendable {
    /// The leading key of the index.
    public enum Driver: Hashable, Sendable {
        /// No key: the positions themselves.
        case all
        /// The stream, whose versions have the same order as the positions.
        case stream(StreamID)
        case tag(EventTag)
        case type(String)
        case category(String)
    }

    public var driver: Driver
    /// The tags that an event must also carry, all of them; for the driver ``Driver/tag(_:)``, the tags other than its
    /// own.
    public var tags: [EventTag]
    /// The types of which an event must have one; empty for any type.
    public var types: [String]
    /// The category that an event's stream must have; `nil` for any category.
    public var category: String?

    public init(_ driver: Driver, tags: [EventTag] = [], types: [String] = [], category: String? = nil) {
        self.driver = driver
        self.tags = tags
        self.types = types
        self.category = category
    }

    /// Returns the walks that answer a query: one for each item. An item that has types but neither a stream nor tags
    /// gets one walk per type, because no index yields the events of several types in order.
    public static func walks(of query: EventQuery) -> [IndexWalk] { query.items.flatMap(walks) }

    private static func walks(of item: EventQuery.Item) -> [IndexWalk] {
        if let stream = item.stream {
            return [IndexWalk(.stream(stream), tags: item.tags, types: item.types, category: item.category)]
        }
        if let tag = item.tags.first {
            let others = Array(item.tags.dropFirst())
            return [IndexWalk(.tag(tag), tags: others, types: item.types, category: item.category)]
        }
        if !item.types.isEmpty { return item.types.map { IndexWalk(.type($0), category: item.category) } }
        return [IndexWalk(item.category.map(Driver.category) ?? .all)]
    }
}
