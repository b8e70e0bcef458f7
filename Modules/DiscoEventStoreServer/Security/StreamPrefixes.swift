#if HTTP
import DiscoCore

/// The beginnings of the names of the streams that a caller may use. Names are compared by bytes: for Swift's strings,
/// `wallet-é` begins like `wallet-e` with a combining accent, but they are different streams.
struct StreamPrefixes: Sendable {
    /// The most prefixes of a token: each may become a part of every query.
    static let most = 100

    /// Sorted, and none begins with another.
    private let prefixes: [[UInt8]]

    init(_ texts: [String]) {
        var kept: [[UInt8]] = []
        for bytes in texts.map({ Array($0.utf8) }).sorted(by: { $0.lexicographicallyPrecedes($1) })
        where kept.last.map({ !bytes.starts(with: $0) }) ?? true {
            kept.append(bytes)
        }
        prefixes = kept
    }

    /// Whether all streams are allowed.
    var isEmpty: Bool { prefixes.isEmpty }

    func contains(_ stream: StreamID) -> Bool {
        isEmpty || prefixes.contains { stream.name.utf8.starts(with: $0) }
    }

    /// Whether every stream of the category is allowed.
    func covers(category: String) -> Bool { contains(StreamID(category: category, id: "")) }

    /// Whether the query can select nothing but events of streams that are allowed.
    func covers(_ query: EventQuery) -> Bool {
        isEmpty
            || query.items.allSatisfy { item in
                if let stream = item.stream { return contains(stream) }
                return item.category.map(covers) ?? false
            }
    }

    /// The query without what is certainly not allowed, and whether it selects nothing else that is not.
    func narrowed(_ query: EventQuery) -> (query: EventQuery, isExact: Bool) {
        if isEmpty { return (query, true) }
        var items: [EventQuery.Item] = []
        var isExact = true
        for item in query.items {
            if let stream = item.stream {
                if contains(stream) { items.append(item) }
            } else if let category = item.category {
                if covers(category: category) {
                    items.append(item)
                } else if prefixes.contains(where: { $0.starts(with: (category + "-").utf8) }) {
                    items.append(item)
                    isExact = false
                }
            } else if let categories {
                for category in categories {
                    var narrow = item
                    narrow.category = category
                    items.append(narrow)
                    if !covers(category: category) { isExact = false }
                }
            } else {
                items.append(item)
                isExact = false
            }
        }
        // A store limits the names of a query, and the caller's query is within the limit.
        let names = items.reduce(0) { $0 + max(1, $1.types.count + $1.tags.count) }
        return names > EventQuery.mostNames ? (query, false) : (EventQuery(items: items), isExact)
    }

    /// The only categories that are allowed; `nil` if a prefix does not name one.
    private var categories: [String]? {
        var categories: [String] = []
        for prefix in prefixes {
            guard let hyphen = prefix.firstIndex(of: UInt8(ascii: "-")) else { return nil }
            let category = String(decoding: prefix[..<hyphen], as: UTF8.self)
            if !categories.contains(where: { ExactText.areEqual($0, category) }) { categories.append(category) }
        }
        return categories
    }

    /// The prefixes of all streams that are allowed and begin with `prefix`, in the order of their bytes.
    func narrowed(_ prefix: String?) -> [String?] {
        if isEmpty { return [prefix] }
        let wanted = Array((prefix ?? "").utf8)
        // The longer of the two, if one begins with the other.
        return prefixes.filter { wanted.starts(with: $0) || $0.starts(with: wanted) }
            .map { String(decoding: $0.count > wanted.count ? $0 : wanted, as: UTF8.self) }
    }

    /// What is wrong with a prefix, to complete a sentence.
    static func fault(_ prefix: String) -> String? {
        let bytes = prefix.utf8
        if bytes.isEmpty { return "a prefix is empty; leave it out to allow all streams" }
        if bytes.count > 512 { return "a prefix is longer than the name of a stream can be, which is 512 bytes" }
        if bytes.contains(0) { return "a prefix contains a NUL, which no stream name does" }
        let isCategory = bytes.prefix { $0 != UInt8(ascii: "-") }.allSatisfy { byte in
            (UInt8(ascii: "a")...UInt8(ascii: "z")).contains(byte | 0x20)
                || (UInt8(ascii: "0")...UInt8(ascii: "9")).contains(byte) || byte == UInt8(ascii: "_")
                || byte == UInt8(ascii: ".")
        }
        guard isCategory, bytes.first != UInt8(ascii: "-") else {
            return "a prefix must begin as stream names do: with a category of letters, digits, _ and ."
        }
        return nil
    }
}
#endif
