/// Selects events: an OR of items, each of which requires any of its types AND all of its tags AND its stream or
/// category.
///
/// ```swift
/// EventQuery.types("StudentEnrolled", "CourseDefined").tagged("course:algebra")
/// EventQuery.category("wallet").or(.tags("student:ada"))
/// ```
public struct EventQuery: Hashable, Sendable {
    public struct Item: Hashable, Sendable {
        /// Matches any of these types; empty for all types.
        public var types: [String]
        /// Requires all of these tags; empty for no restriction.
        public var tags: [EventTag]
        public var category: String?
        public var stream: StreamID?

        public init(types: [String] = [], tags: [EventTag] = [], category: String? = nil, stream: StreamID? = nil) {
            self.types = types
            self.tags = tags
            self.category = category
            self.stream = stream
        }
    }

    /// The most types and tags that all items of a query may name together; an item that names none counts as one.
    public static let mostNames = 1000

    /// An event is selected if any of these items matches; an empty array selects nothing.
    public var items: [Item]

    public init(items: [Item]) { self.items = items }

    /// The number of types and tags named.
    var names: Int { items.reduce(0) { $0 + max(1, $1.types.count + $1.tags.count) } }

    /// Every event.
    public static let all = EventQuery(items: [Item()])
    public static func types(_ types: String...) -> EventQuery { EventQuery(items: [Item(types: types)]) }
    public static func types(_ types: [String]) -> EventQuery { EventQuery(items: [Item(types: types)]) }
    public static func tags(_ tags: EventTag...) -> EventQuery { EventQuery(items: [Item(tags: tags)]) }
    public static func category(_ category: String) -> EventQuery { EventQuery(items: [Item(category: category)]) }
    public static func stream(_ stream: StreamID) -> EventQuery { EventQuery(items: [Item(stream: stream)]) }

    /// Selects what either query selects.
    public func or(_ other: EventQuery) -> EventQuery { EventQuery(items: items + other.items) }

    /// Selects the same events, but only those that carry all of these tags.
    public func tagged(_ tags: EventTag...) -> EventQuery {
        EventQuery(
            items: items.map { item in
                var item = item
                item.tags += tags
                return item
            })
    }

    public func matches(_ event: NewEvent) -> Bool {
        items.contains { $0.matches(event.type, event.tags, event.stream) }
    }

    public func matches(_ event: RecordedEvent) -> Bool {
        items.contains { $0.matches(event.type, event.tags, event.stream) }
    }
}

extension EventQuery.Item {
    fileprivate func matches(_ eventType: String, _ eventTags: [EventTag], _ eventStream: StreamID) -> Bool {
        if let stream, stream != eventStream { return false }
        if let category, !ExactText.areEqual(category, eventStream.category) { return false }
        if !types.isEmpty, !types.contains(where: { ExactText.areEqual($0, eventType) }) { return false }
        return tags.allSatisfy(eventTags.contains)
    }
}

extension EventQuery.Item {
    // Types and categories are compared byte by byte, as stores compare them.
    public static func == (one: Self, other: Self) -> Bool {
        one.types.elementsEqual(other.types, by: ExactText.areEqual) && one.tags == other.tags
            && one.category.map { ExactText($0) } == other.category.map { ExactText($0) } && one.stream == other.stream
    }

    public func hash(into hasher: inout Hasher) {
        for type in types { ExactText.hash(type, into: &hasher) }
        hasher.combine(tags)
        hasher.combine(category.map { ExactText($0) })
        hasher.combine(stream)
    }
}
