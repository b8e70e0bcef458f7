import DiscoCore
import DiscoEventStore
import Testing

@Suite struct IndexWalkTests {
    private static let table: [(EventQuery, [IndexWalk])] = [
        (.all, [IndexWalk(.all)]),
        (EventQuery(items: []), []),
        (.category("a"), [IndexWalk(.category("a"))]),
        (.types("T"), [IndexWalk(.type("T"))]),
        // An index of types returns the events of one type in order, but not those of two.
        (.types("T", "U"), [IndexWalk(.type("T")), IndexWalk(.type("U"))]),
        (
            EventQuery(items: [.init(types: ["T", "U"], category: "a")]),
            [IndexWalk(.type("T"), category: "a"), IndexWalk(.type("U"), category: "a")]
        ),
        (.tags("x", "y", "z"), [IndexWalk(.tag("x"), tags: ["y", "z"])]),
        // Along the tag, the events of several types are in order.
        (
            EventQuery(items: [.init(types: ["T", "U"], tags: ["x"], category: "a")]),
            [IndexWalk(.tag("x"), types: ["T", "U"], category: "a")]
        ),
        (.stream("a-1"), [IndexWalk(.stream("a-1"))]),
        (
            EventQuery(items: [.init(types: ["T", "U"], tags: ["x", "y"], category: "a", stream: "a-1")]),
            [IndexWalk(.stream("a-1"), tags: ["x", "y"], types: ["T", "U"], category: "a")]
        ),
        (
            EventQuery.stream("a-1").or(.types("T", "U")).or(.all),
            [IndexWalk(.stream("a-1")), IndexWalk(.type("T")), IndexWalk(.type("U")), IndexWalk(.all)]
        ),
    ]

    @Test(arguments: table) func aQueryIsAnsweredByWalks(query: EventQuery, walks: [IndexWalk]) {
        #expect(IndexWalk.walks(of: query) == walks)
    }

    /// For any query, a selected event is on exactly one of its walks, and any other event on none.
    @Test func theWalksSelectTheSameEventsAsTheQuery() {
        let events = (0..<64).map { number in
            NewEvent(
                stream: number & 1 == 0 ? "a-1" : "b-1", type: number & 2 == 0 ? "T" : "U", payload: "{}",
                tags: (number & 4 == 0 ? ["x"] : []) + (number & 8 == 0 ? ["y"] : []))
        }
        for types in [[], ["T"], ["T", "U"]] {
            for tags in [[], ["x"], ["x", "y"]] as [[EventTag]] {
                for category in [nil, "a", "c"] {
                    for stream in [nil, "a-1", "b-1"] as [StreamID?] {
                        let item = EventQuery.Item(types: types, tags: tags, category: category, stream: stream)
                        let query = EventQuery(items: [item]).or(.types("None"))
                        for event in events {
                            let isOnWalk = IndexWalk.walks(of: query).contains { selects($0, event) }
                            #expect(isOnWalk == query.matches(event), "\(query)")
                        }
                    }
                }
            }
        }
    }

    private func selects(_ walk: IndexWalk, _ event: NewEvent) -> Bool {
        let isLed =
            switch walk.driver {
            case .all: true
            case .stream(let stream): event.stream == stream
            case .tag(let tag): event.tags.contains(tag)
            case .type(let type): event.type == type
            case .category(let category): event.stream.category == category
            }
        return isLed && walk.tags.allSatisfy(event.tags.contains)
            && (walk.types.isEmpty || walk.types.contains(event.type))
            && walk.category.map { $0 == event.stream.category } ?? true
    }
}
