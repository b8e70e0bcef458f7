import DiscoCore

/// Which partitions a member claims and which it gives up, so that all members come to equal shares without a leader:
/// everyone computes the same shares from the same rows.
///
/// A pure function of what is stored.
struct LeasePlan {
    /// The partitions to claim.
    private(set) var claims: [PartitionState] = []
    /// Owned partitions to give up, for members that have fewer.
    private(set) var givesUp: [ConsumerPartition] = []

    private let me: String
    private let members: [ConsumerMember]
    /// The code that works on a generation.
    private let definitions: [ConsumerPartition: String]
    /// How many partitions of a generation of a consumer a member owns.
    private var shares: [ConsumerPartition: [String: Int]] = [:]
    private var totals: [String: Int] = [:]

    /// - Parameters:
    ///   - me: the member that decides.
    ///   - members: all whose lease is valid.
    ///   - partitions: those of the consumers that this member can run.
    ///   - running: the partitions that this member works on.
    ///   - definition: the code that works on a partition; `nil` if any does.
    ///   - isOverdue: whether a partition has been without an owner for so long that anyone takes it.
    init(
        me: String, members: [ConsumerMember], partitions: [PartitionState], running: Set<ConsumerPartition>,
        definition: (ConsumerPartition) -> String? = { _ in nil }, isOverdue: (ConsumerPartition) -> Bool
    ) {
        self.me = me
        self.members = members
        let known = partitions.compactMap { state in definition(state.partition).map { (state.partition.whole, $0) } }
        definitions = Dictionary(known) { $1 }
        let ids = Set(members.map(\.id))
        var free: [PartitionState] = []
        for state in partitions {
            if let owner = state.owner, ids.contains(owner) {
                add(state.partition.whole, to: owner)
                // Claimed, but the answer did not come: claimed again, because nobody else will.
                if owner == me, !running.contains(state.partition) { claims.append(state) }
            } else {
                free.append(state)
            }
        }
        for state in free {
            let consumer = state.partition.whole
            guard let preferred = preferred(for: consumer) else { continue }
            if preferred == me || isOverdue(state.partition) {
                claims.append(state)
                add(consumer, to: me)
            } else {
                add(consumer, to: preferred)
            }
        }
        giveUp(partitions.filter { $0.owner == me && running.contains($0.partition) }.map(\.partition))
    }

    private mutating func add(_ consumer: ConsumerPartition, to member: String, _ count: Int = 1) {
        shares[consumer, default: [:]][member, default: 0] += count
        totals[member, default: 0] += count
    }

    private func share(_ consumer: ConsumerPartition, _ member: String) -> Int { shares[consumer]?[member] ?? 0 }
    private func total(_ member: String) -> Int { totals[member] ?? 0 }

    private func able(_ consumer: ConsumerPartition) -> [ConsumerMember] {
        members.filter { member in
            guard let runs = member.consumers[consumer.consumer] else { return false }
            return definitions[consumer].map { ExactText.areEqual($0, runs) } ?? true
        }
    }

    /// The member that should take a free partition: the one with the fewest of the consumer, then with the fewest of
    /// all; a hash decides between equals.
    private func preferred(for consumer: ConsumerPartition) -> String? {
        able(consumer).map { member in
            (share(consumer, member.id), total(member.id), FNV1a.hash(consumer.consumer + "/" + member.id), member.id)
        }.min { $0 < $1 }?.3
    }

    private mutating func giveUp(_ mine: [ConsumerPartition]) {
        var left = mine
        for consumer in Set(mine.map(\.whole)).sorted(by: {
            ($0.consumer, $0.generation) < ($1.consumer, $1.generation)
        }) {
            let able = able(consumer)
            guard let least = able.map({ share(consumer, $0.id) }).min() else { continue }
            let own = share(consumer, me)
            if own - least < 2 { continue }
            let all = able.reduce(0) { $0 + share(consumer, $1.id) }
            let fair = (all + able.count - 1) / able.count
            for _ in 0..<max(1, own - fair) {
                guard let place = left.lastIndex(where: { $0.whole == consumer }) else { break }
                givesUp.append(left.remove(at: place))
                add(consumer, to: me, -1)
            }
        }
        if !givesUp.isEmpty { return }
        // Each consumer is balanced by itself, but one member may have more of all of them.
        for partition in left.reversed() {
            let (consumer, own) = (partition.whole, total(me))
            let isGiven = able(consumer).contains { other in
                own - total(other.id) >= 2 && share(consumer, me) - share(consumer, other.id) >= 1
                    && preferredWithout(partition, other.id)
            }
            guard isGiven else { continue }
            givesUp.append(partition)
            add(consumer, to: me, -1)
            guard let taker = preferred(for: consumer) else { continue }
            add(consumer, to: taker)
        }
    }

    /// Whether that member would take the partition if this one gave it up.
    private func preferredWithout(_ partition: ConsumerPartition, _ other: String) -> Bool {
        var without = self
        without.add(partition.whole, to: me, -1)
        return without.preferred(for: partition.whole) == other
    }
}

extension ConsumerPartition {
    /// All partitions of the generation.
    fileprivate var whole: ConsumerPartition { ConsumerPartition(consumer, generation: generation) }
}
