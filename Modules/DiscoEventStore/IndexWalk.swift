public import DiscoCore

/// One walk along one index of a store's events, in the order of their positions: what a query is answered with.
///
/// A walk reads only as many rows as the page has room for, if the index that it follows gives them in order. The walks
/// of a query together select what the query does; an event that several of them select is one event of the page.
public struct IndexWalk: Hashable, Sendable {
    /// What the index leads by.
    public enum Driver: Hashable, Sendable {
        /// The positions themselves.
        case all
        /// The stream: its versions have the order of the positions.
        case stream(StreamID)
        case tag(EventTag)
        case type(String)
        case category(String)
    }

    public var driver: Driver
    /// An event must also carry all of these; of a driver ``Driver/tag(_:)`` they are the others.
    public var tags: [EventTag]
    /// An event must also have one of these types; empty for every type.
    public var types: [String]
    /// An event's stream must also be of this category, unless nil.
    public var category: String?

    public init(_ driver: Driver, tags: [EventTag] = [], types: [String] = [], category: String? = nil) {
        self.driver = driver
        self.tags = tags
        self.types = types
        self.category = category
    }

    /// The walks that a query is answered with: for each of its items one, and for an item of several types alone one
    /// for each, since no index gives the events of several types in order.
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
