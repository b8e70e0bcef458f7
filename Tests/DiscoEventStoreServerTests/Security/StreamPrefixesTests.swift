#if HTTP
import DiscoCore
@testable import DiscoEventStoreServer
import Foundation
import Testing

/// Which streams, categories and queries prefixes allow.
@Suite struct StreamPrefixesTests {
    @Test(arguments: [
        (["wallet-"], "wallet-1", true), (["wallet-"], "wallets-1", false), (["wallet-"], "wallet", false),
        (["wallet-"], "Wallet-1", false), (["wallet"], "wallets-1", true), (["wallet-a"], "wallet-ab", true),
        (["wallet-a"], "wallet-b", false), (["a-", "b-"], "b-1", true), ([], "anything-1", true),
        // By bytes: for Swift's strings, the first two are equal, and the third has no such prefix.
        (["a-\u{E9}"], "a-e\u{301}", false), (["a-e\u{301}"], "a-\u{E9}", false), (["a-e"], "a-e\u{301}", true),
        (["a-\u{212B}"], "a-\u{C5}", false), (["a-"], "a-\u{301}", true), (["a-\u{AC00}"], "a-\u{1100}\u{1161}", false),
        (["a-%20"], "a- ", false), (["a-%"], "a-%20", true), (["a-\u{202E}x"], "a-x", false),
        (["a-x"], "a-\u{200B}x", false),
    ])
    func streamsAreComparedByBytes(prefixes: [String], stream: String, isAllowed: Bool) {
        #expect(StreamPrefixes(prefixes).contains(StreamID(stream)) == isAllowed)
    }

    @Test func aConditionMustLieInside() {
        let prefixes = StreamPrefixes(["wallet-", "order-eu", "acc"])
        func covers(_ items: EventQuery.Item...) -> Bool { prefixes.covers(EventQuery(items: items)) }
        #expect(covers())
        #expect(covers(.init(category: "wallet")))
        #expect(covers(.init(types: ["T"], tags: ["x"], category: "account")))
        #expect(covers(.init(stream: "order-eu1"), .init(stream: "wallet-1"), .init(category: "wallet")))
        #expect(!covers(.init()))
        #expect(!covers(.init(types: ["T"])))
        #expect(!covers(.init(tags: ["x"])))
        #expect(!covers(.init(category: "order")))
        #expect(!covers(.init(category: "wallets")))
        #expect(!covers(.init(category: "")))
        #expect(!covers(.init(stream: "order-us1")))
        #expect(!covers(.init(stream: "wallet-1"), .init(tags: ["x"])))
        #expect(!covers(.init(category: "wallet", stream: "other-1")))
    }

    @Test func aQueryIsNarrowedToWhatIsAllowed() {
        let prefixes = StreamPrefixes(["wallet-", "order-eu"])
        let (all, allIsExact) = prefixes.narrowed(.all)
        #expect(all.items == [.init(category: "order"), .init(category: "wallet")])
        #expect(!allIsExact)
        let (wallets, walletsAreExact) = prefixes.narrowed(.category("wallet").or(.category("x")).or(.stream("x-1")))
        #expect(wallets.items == [.init(category: "wallet")])
        #expect(walletsAreExact)
        #expect(prefixes.narrowed(EventQuery(items: [])).query.items.isEmpty)
        #expect(StreamPrefixes(["wallet-"]).narrowed(.types("A")).isExact)
        #expect(!StreamPrefixes(["wallet"]).narrowed(.types("A")).isExact)
        #expect(StreamPrefixes([]).narrowed(.all).query == .all)
        // A query that would name too much stays as it is, and its events are picked.
        let many = EventQuery.types((0..<900).map { "T\($0)" })
        let (kept, keptIsExact) = prefixes.narrowed(many)
        #expect(kept == many)
        #expect(!keptIsExact)
    }

    @Test func aListingIsNarrowedToWhatIsAllowed() {
        let prefixes = StreamPrefixes(["b-", "a-", "a-1", "a-", "c-x"])
        #expect(prefixes.narrowed(nil) == ["a-", "b-", "c-x"])
        #expect(prefixes.narrowed("") == ["a-", "b-", "c-x"])
        #expect(prefixes.narrowed("a-12") == ["a-12"])
        #expect(prefixes.narrowed("c") == ["c-x"])
        #expect(prefixes.narrowed("d") == [])
        #expect(StreamPrefixes([]).narrowed(nil) == [nil])
        #expect(StreamPrefixes([]).narrowed("x") == ["x"])
    }
}
#endif
