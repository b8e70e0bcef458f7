public import Foundation

/// What the code of a program says about a consumer.
public struct ConsumerDefinition: Hashable, Sendable {
    public var name: String
    /// The version of the consumer's code, at least 1: a higher one replaces it.
    public var version: Int
    /// Distinguishes the events that it selects: the same version with other events is a mistake.
    public var fingerprint: String
    /// How many partitions it gets at first.
    public var partitions: Int
    /// Whether it writes a read model, of which a second generation can be built beside the first.
    public var isProjection: Bool

    public init(_ name: String, version: Int = 1, query: EventQuery = .all, partitions: Int = 1, isProjection: Bool) {
        self.name = name
        self.version = min(max(1, version), Int(Int32.max))
        fingerprint = String(FNV1a.hash(query.canonicalText), radix: 16)
        self.partitions = partitions
        self.isProjection = isProjection
    }

    /// As it is stored: version and fingerprint, as in `2:5f0c`.
    public var text: String { "\(version):\(fingerprint)" }

    static func version(of text: String) -> Int { Int(text.prefix { $0 != ":" }) ?? 0 }
}

extension EventQuery {
    /// The same text for the same query, whatever the order of its types and tags.
    fileprivate var canonicalText: String {
        items.map { item in
            [
                item.types.sorted { $0.utf8.lexicographicallyPrecedes($1.utf8) }.joined(separator: "\u{1}"),
                item.tags.map(\.name).sorted { $0.utf8.lexicographicallyPrecedes($1.utf8) }.joined(separator: "\u{1}"),
                item.category ?? "\u{4}", item.stream?.name ?? "\u{4}",
            ].joined(separator: "\u{2}")
        }.sorted { $0.utf8.lexicographicallyPrecedes($1.utf8) }.joined(separator: "\u{3}")
    }
}

/// What a store records about a consumer.
public struct ConsumerState: Hashable, Sendable {
    /// One generation of a consumer: its own partitions and, for a projection, its own tables.
    public struct Generation: Hashable, Sendable {
        public var number: Int
        /// The version and fingerprint of the code that works on it, as in `2:5f0c`; `nil` if none has run yet.
        public var definition: String?

        public init(_ number: Int, definition: String?) {
            self.number = number
            self.definition = definition
        }

        /// Whether this code works on it.
        public func belongs(to definition: ConsumerDefinition) -> Bool {
            self.definition.map { ExactText.areEqual($0, definition.text) } ?? true
        }

        /// The version of the code that works on it.
        public var version: Int { definition.map(ConsumerDefinition.version(of:)) ?? 1 }
    }

    public var name: String
    /// How many partitions it should have.
    public var partitions: Int
    /// The one that queries see.
    public var live: Generation
    /// One that is being built beside it.
    public var building: Generation?
    public var buildingSince: Date?
    /// The one that queries saw before, which is kept for a while.
    public var previous: Generation?
    public var switchedAt: Date?
    /// All its partitions stop at this position, because they are about to be exchanged.
    public var runTo: Position?
    public var pausedAt: Date?
    public var pausedReason: String?

    public init(_ name: String, partitions: Int = 1, live: Generation = Generation(1, definition: nil)) {
        self.name = name
        self.partitions = partitions
        self.live = live
    }

    public func generation(_ number: Int) -> Generation? {
        [live, building, previous].compactMap(\.self).first { $0.number == number }
    }
}

/// A change to a consumer that its running processes carry out.
public enum ConsumerAction: Hashable, Sendable {
    /// Stops it until it is resumed; the reason is shown.
    case pause(reason: String)
    case resume
    /// Divides its events into another number of partitions, from 1 to 1,024.
    case partition(Int)
    /// Builds a new generation of the read model beside the live one, which then takes its place.
    case rebuild
    /// Gives up the generation that is being built.
    case cancelRebuild
    /// Goes back to the generation that was live before.
    case revert
    /// Deletes the tables and checkpoints of the generation that was live before.
    case dropPrevious
    /// Empties the tables of the live generation, and starts over.
    case reset
    /// Exchanges partitions or generations, if everything that is necessary for that has been done.
    case exchange
    /// Stores how far it has come, because somebody waits for it.
    case store
}
