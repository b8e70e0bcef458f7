extension JSON {
    /// The members of a JSON object, in the order they were written. If two members have the same name, the later one
    /// counts.
    public struct Object: Sendable {
        private var members: [(name: String, value: JSON)] = []
        /// Built only for objects large enough that a linear search would be slow.
        private var index: [[UInt8]: Int]?
        private static let indexedFrom = 16

        public init() {}

        public init(_ members: some Sequence<(String, JSON)>) {
            for (name, value) in members { self[name] = value }
        }

        public subscript(name: String) -> JSON? {
            get { place(of: name).map { members[$0].value } }
            set {
                switch (place(of: name), newValue) {
                case (let place?, let value?):
                    members[place].value = value
                case (let place?, nil):
                    members.remove(at: place)
                    index = nil
                case (nil, let value?):
                    members.append((name, value))
                    index?[Array(name.utf8)] = members.count - 1
                case (nil, nil):
                    break
                }
                if index == nil, members.count >= Self.indexedFrom {
                    index = Dictionary(uniqueKeysWithValues: members.indices.map { (Array(members[$0].name.utf8), $0) })
                }
            }
        }

        public var names: [String] { members.map(\.name) }

        /// Compares bytes: Swift strings treat é and e with a combining accent as equal, but in JSON they are two
        /// names.
        private func place(of name: String) -> Int? {
            if let index { return index[Array(name.utf8)] }
            return members.firstIndex { $0.name.utf8.elementsEqual(name.utf8) }
        }
    }
}

extension JSON.Object: ExpressibleByDictionaryLiteral {
    public init(dictionaryLiteral elements: (String, JSON)...) { self.init(elements) }
}

extension JSON.Object: RandomAccessCollection {
    public var startIndex: Int { members.startIndex }
    public var endIndex: Int { members.endIndex }
    public subscript(position: Int) -> (name: String, value: JSON) { members[position] }
}

extension JSON.Object: Hashable {
    public static func == (one: Self, other: Self) -> Bool {
        one.count == other.count && one.allSatisfy { other[$0.name] == $0.value }
    }

    public func hash(into hasher: inout Hasher) {
        var sum = 0
        for member in self {
            var own = Hasher()
            ExactText.hash(member.name, into: &own)
            own.combine(member.value)
            sum &+= own.finalize()
        }
        hasher.combine(sum)
    }
}
