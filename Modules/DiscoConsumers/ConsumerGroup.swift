import DiscoCore
import Logging

/// The consumers of this process whose checkpoints are in the same store: one member among the processes that share
/// them.
struct ConsumerGroup: Sendable {
    let consumers: [EventConsumer]
    let checkpoints: any CheckpointStore
    let store: any EventStore
    let tail: SharedTail
    let settings: Consumers.Settings
    let reports: HealthReports

    var context: StoreContext { store.context }

    static func groups(
        of consumers: [EventConsumer], _ store: any EventStore, _ settings: Consumers.Settings,
        _ reports: HealthReports
    ) -> [ConsumerGroup] {
        let tail = SharedTail(store)
        var groups: [[EventConsumer]] = []
        for consumer in consumers {
            if let place = groups.firstIndex(where: { isSame($0[0].checkpoints, consumer.checkpoints) }) {
                groups[place].append(consumer)
            } else {
                groups.append([consumer])
            }
        }
        return groups.map {
            ConsumerGroup(
                consumers: $0, checkpoints: $0[0].checkpoints, store: store, tail: tail, settings: settings,
                reports: reports)
        }
    }

    private static func isSame(_ one: any CheckpointStore, _ other: any CheckpointStore) -> Bool {
        guard type(of: one) is AnyClass, type(of: other) is AnyClass else { return false }
        return one as AnyObject === other as AnyObject
    }

    /// The group without its policies; `nil` if nothing is left.
    var projections: ConsumerGroup? {
        let projections = consumers.filter(\.isProjection)
        if projections.isEmpty { return nil }
        return ConsumerGroup(
            consumers: projections, checkpoints: checkpoints, store: store, tail: tail, settings: settings,
            reports: reports)
    }

    func newMembership() -> Membership {
        Membership(checkpoints, context, settings, consumers)
    }

    func loop(_ state: PartitionState, _ membership: Membership) -> ConsumerLoop? {
        guard let consumer = consumers.first(where: { $0.name == state.partition.consumer }), let lease = state.lease
        else { return nil }
        return ConsumerLoop(
            consumer: consumer, store: store, tail: tail, partition: state.partition, lease: lease,
            membership: membership,
            settings: settings, signal: LoopSignal(state))
    }

    // MARK: Preparing

    /// Records that this process runs a consumer, and creates its partitions if it has none.
    ///
    /// - Returns: false if its start time has not come, so that it has no partitions yet.
    func define(_ consumer: EventConsumer) async throws -> Bool {
        var start = Checkpoint.start
        if try await checkpoints.partitions(of: consumer.name).isEmpty {
            guard case .at(let place) = try await consumer.start.place(in: store) else { return false }
            start = place
        }
        try await checkpoints.define(consumer.definition, at: start)
        return true
    }

    /// Creates the tables of a generation of a read model.
    func setUp(_ consumer: EventConsumer, _ generation: Int) async throws {
        guard case .projection(let projection, let readModels) = consumer.work else { return }
        try await readModels.setUp(consumer.name, generation: generation) { transaction in
            try projection.setUp(transaction)
        }
    }

    /// What is stored about the consumers of this group.
    struct Stored {
        var consumers: [ConsumerState]
        /// The partitions that belong to the code of this process.
        var partitions: [PartitionState]
        /// All partitions of the consumers, also those that only other versions of the code work on.
        var all: [PartitionState]

        func state(_ consumer: String) -> ConsumerState? { consumers.first { $0.name == consumer } }

        /// The code that works on a partition.
        func definition(_ partition: ConsumerPartition) -> String? {
            state(partition.consumer)?.generation(partition.generation)?.definition
        }
    }

    func stored() async throws -> Stored {
        let own = Dictionary(consumers.map { ($0.name, $0.definition) }) { $1 }
        let states = try await checkpoints.consumers().filter { own[$0.name] != nil }
        let all = try await checkpoints.partitions(of: nil).filter { own[$0.partition.consumer] != nil }
        var stored = Stored(consumers: states, partitions: [], all: all)
        stored.partitions = all.filter { partition in
            guard let definition = own[partition.partition.consumer],
                let state = stored.state(partition.partition.consumer)
            else { return false }
            return state.generation(partition.partition.generation)?.belongs(to: definition) ?? false
        }
        return stored
    }

    /// Frees partitions that are about to be exchanged and whose owners have died.
    ///
    /// - Parameter members: read after `stored`, so that it has everyone who had claimed something by then.
    func releaseDead(_ stored: Stored, _ members: [MemberState]) async throws {
        let ids = Set(members.map(\.member.id))
        for partition in stored.all where partition.runTo != nil {
            guard let lease = partition.lease, !ids.contains(lease.owner) else { continue }
            try await checkpoints.release(partition.partition, lease)
        }
    }

    /// Exchanges the partitions or the generation of a consumer that have come to where they must stop.
    ///
    /// - Returns: whether anything was tried.
    func exchange(_ stored: Stored) async throws -> Bool {
        var hasTried = false
        for state in stored.consumers {
            let all = stored.all.filter { $0.partition.consumer == state.name }
            let live = all.filter(\.isLive)
            let building = all.filter { $0.partition.generation == state.building?.number }
            let isReady: Bool
            if let end = state.runTo {
                isReady = (building.isEmpty ? live : building + live).allSatisfy { partition in
                    partition.owner == nil && (partition.checkpoint.position == end || !building.isEmpty)
                }
            } else {
                let behind = live.map(\.checkpoint.position).min() ?? .start
                isReady = !building.isEmpty && building.allSatisfy { $0.checkpoint.position >= behind }
            }
            if !isReady { continue }
            try await checkpoints.administer(state.name, .exchange)
            hasTried = true
        }
        return hasTried
    }

    // MARK: Catching up

    /// How long another process may own a partition without any progress.
    private static let waitsForOthers = Duration.seconds(30)

    private static func stuck(_ state: PartitionState) -> EventStoreError {
        EventStoreError(
            .busy,
            "\(state.partition.consumer) is run by another process, which has been at position \(state.checkpoint.position) for \(waitsForOthers). See what it is waiting for, or end it."
        )
    }

    /// Works on the partitions that nobody owns and waits for the others, until all have passed `head`.
    func catchUp(to head: Position) async throws {
        let membership = newMembership()
        var defined: [EventConsumer] = []
        // Consumers whose start time has not come have nothing to do.
        for consumer in consumers where try await define(consumer) { defined.append(consumer) }
        if defined.isEmpty { return }
        try await membership.join()
        do {
            try await withThrowingTaskGroup(of: Void.self) { group in
                group.addTask { try await membership.keep() }
                defer { group.cancelAll() }
                var catching = CatchingUp(group: self, membership: membership, defined: defined, head: head)
                try await catching.run()
            }
        } catch {
            await membership.leave()
            throw error
        }
        await membership.leave()
    }
}

/// One run of ``ConsumerGroup/catchUp(to:)``.
private struct CatchingUp {
    /// How long another process may own a partition without any progress.
    private static let waitsForOthers = Duration.seconds(30)

    let group: ConsumerGroup
    let membership: Membership
    let defined: [EventConsumer]
    let head: Position
    private var mine: [ConsumerPartition: (loop: ConsumerLoop, memory: ConsumerLoop.Memory)] = [:]
    private var isSetUp: Set<ConsumerPartition> = []

    init(group: ConsumerGroup, membership: Membership, defined: [EventConsumer], head: Position) {
        self.group = group
        self.membership = membership
        self.defined = defined
        self.head = head
    }

    mutating func run() async throws {
        do {
            try await work()
        } catch {
            await giveBackAll()
            throw error
        }
        await giveBackAll()
    }

    private mutating func giveBackAll() async {
        for partition in mine.keys { await giveBack(partition) }
    }

    private mutating func giveBack(_ partition: ConsumerPartition) async {
        guard let (loop, last) = mine.removeValue(forKey: partition) else { return }
        var memory = last
        await loop.giveBack(&memory)
    }

    private mutating func work() async throws {
        var waiting = (since: group.context.uptime(), places: [Position]())
        while true {
            let stored = try await group.stored()
            try check(stored)
            for state in stored.partitions { mine[state.partition]?.loop.signal.notice(state) }
            if try await group.exchange(stored) { continue }
            try await claim(stored)
            for consumer in defined {
                for partition in mine.keys where partition.consumer == consumer.name { try await step(partition) }
            }
            let now = try await group.stored()
            let others = now.partitions.filter { state in
                mine[state.partition] == nil && !state.isPaused && state.checkpoint.position < head
            }
            let isExchanging = now.consumers.contains { state in
                (state.runTo != nil || state.building != nil) && defined.contains { $0.name == state.name }
            }
            if others.isEmpty, !isExchanging { return }
            if Shutdown.isAsked { throw CancellationError() }
            let (uptime, places) = (group.context.uptime(), now.all.map(\.checkpoint.position))
            if places != waiting.places { waiting = (uptime, places) }
            if uptime - waiting.since > Self.waitsForOthers {
                // A generation that others build, or that cannot take over yet, is left to them.
                guard let other = others.first else { return }
                throw Self.stuck(other)
            }
            if isExchanging, others.isEmpty, waiting.since < uptime - .seconds(1) { return }
            try await group.context.sleep(for: .milliseconds(others.isEmpty ? 2 : 20))
        }
    }

    /// A program whose code does not work on any generation would never catch up.
    private func check(_ stored: ConsumerGroup.Stored) throws {
        for consumer in defined {
            guard let state = stored.state(consumer.name) else { continue }
            if let problem = ConsumerGroup.mismatch(consumer, state) {
                throw EventStoreError(.configuration, problem)
            }
        }
    }

    private mutating func claim(_ stored: ConsumerGroup.Stored) async throws {
        let members = Set(try await group.checkpoints.members().map(\.member.id))
        let free = stored.partitions.filter { state in
            mine[state.partition] == nil && !state.isPaused && !(state.hasArrived && state.owner == nil)
                && !(state.owner.map { $0 != membership.id && members.contains($0) } ?? false)
                && defined.contains { $0.name == state.partition.consumer }
        }
        if free.isEmpty { return }
        for state in free {
            let all = ConsumerPartition(state.partition.consumer, generation: state.partition.generation)
            guard isSetUp.insert(all).inserted else { continue }
            for consumer in defined where consumer.name == all.consumer {
                try await group.setUp(consumer, all.generation)
            }
        }
        for state in try await group.checkpoints.claim(free, for: membership.id) {
            guard let loop = group.loop(state, membership) else { continue }
            var memory = loop.newMemory()
            memory.pauses = false
            mine[state.partition] = (loop, memory)
        }
    }

    private mutating func step(_ partition: ConsumerPartition) async throws {
        guard let loop = mine[partition]?.loop else { return }
        do {
            var next = ConsumerLoop.Step.Next.more
            while next == .more {
                // Shutting down, a consumer leaves the rest for the next run.
                if Shutdown.isAsked { throw CancellationError() }
                next = try await loop.step(&mine[partition]!.memory).next
            }
            try await loop.flush(&mine[partition]!.memory)
            if next == .stop { await giveBack(partition) }
        } catch is ConsumerLoop.LeaseLost {
            mine[partition] = nil
        } catch let outage as Outage {
            throw outage.underlying
        }
    }

    private static func stuck(_ state: PartitionState) -> EventStoreError {
        EventStoreError(
            .busy,
            "\(state.partition.consumer) is run by another process, which has been at position \(state.checkpoint.position) for \(waitsForOthers). See what it is waiting for, or end it."
        )
    }
}

extension ConsumerGroup {
    /// Why the code of this process works on no generation of the consumer; `nil` if it does.
    static func mismatch(_ consumer: EventConsumer, _ state: ConsumerState) -> String? {
        let generations = [state.live, state.building, state.previous].compactMap(\.self)
        if generations.contains(where: { $0.belongs(to: consumer.definition) }) { return nil }
        let (name, version) = (consumer.name, consumer.definition.version)
        if state.live.version == version {
            return
                "The query of \(name) has changed, but its version has not. Raise its version above \(version), or reset it."
        }
        return "\(name) has version \(version) in this program, but version \(state.live.version) has run."
    }
}

extension PartitionState {
    /// Whether it has come to where it must stop, so that nobody works on it.
    var hasArrived: Bool { runTo.map { checkpoint.position >= $0 } ?? false }
}
