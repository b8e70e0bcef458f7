import DiscoCore
import Logging

/// The consumers of this process whose checkpoints are in the same store: one member among the processes that share
/// them.
struct ConsumerGroup: Sendable {
    let consumers: [EventConsumer]
    let checkpoints: any CheckpointStore
    let store: any EventStore
    let settings: Consumers.Settings

    var context: StoreContext { store.context }

    static func groups(
        of consumers: [EventConsumer], _ store: any EventStore, _ settings: Consumers.Settings
    ) -> [ConsumerGroup] {
        var groups: [[EventConsumer]] = []
        for consumer in consumers {
            if let place = groups.firstIndex(where: { isSame($0[0].checkpoints, consumer.checkpoints) }) {
                groups[place].append(consumer)
            } else {
                groups.append([consumer])
            }
        }
        return groups.map {
            ConsumerGroup(consumers: $0, checkpoints: $0[0].checkpoints, store: store, settings: settings)
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
        return ConsumerGroup(consumers: projections, checkpoints: checkpoints, store: store, settings: settings)
    }

    func newMembership() -> Membership {
        Membership(checkpoints, context, settings, consumers: consumers.map(\.name))
    }

    func loop(_ state: PartitionState, _ membership: Membership) -> ConsumerLoop? {
        guard let consumer = consumers.first(where: { $0.name == state.partition.consumer }), let lease = state.lease
        else { return nil }
        return ConsumerLoop(
            consumer: consumer, store: store, partition: state.partition, lease: lease, membership: membership,
            build: settings.build, signal: LoopSignal(state))
    }

    // MARK: Preparing

    /// Creates the read model's tables and the partitions of a new consumer.
    ///
    /// - Returns: false if its start time has not come, so that it has no partitions yet.
    func prepare(_ consumer: EventConsumer) async throws -> Bool {
        if case .projection(let projection, let readModels) = consumer.work {
            try await readModels.setUp { transaction in try projection.setUp(transaction) }
        }
        return try await define(consumer)
    }

    /// Creates the partitions of a consumer that has none; false if its start time has not come.
    func define(_ consumer: EventConsumer) async throws -> Bool {
        if try await !checkpoints.partitions(of: consumer.name).isEmpty { return true }
        guard case .at(let checkpoint) = try await consumer.start.place(in: store) else { return false }
        _ = try await checkpoints.define(consumer.name, partitions: consumer.partitions, at: checkpoint)
        return true
    }

    /// The partitions that this group can work on, as stored.
    func partitions() async throws -> [PartitionState] {
        let names = Set(consumers.map(\.name))
        return try await checkpoints.partitions(of: nil).filter { names.contains($0.partition.consumer) }
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
        var undefined: Set<String> = []
        for consumer in consumers where try await !prepare(consumer) { undefined.insert(consumer.name) }
        // Consumers whose start time has not come have nothing to do.
        let names = consumers.map(\.name).filter { !undefined.contains($0) }
        if names.isEmpty { return }
        try await membership.join()
        do {
            try await withThrowingTaskGroup(of: Void.self) { group in
                group.addTask { try await membership.keep() }
                defer { group.cancelAll() }
                try await catchUp(membership, to: head)
            }
        } catch {
            await membership.leave()
            throw error
        }
        await membership.leave()
    }

    private func catchUp(_ membership: Membership, to head: Position) async throws {
        var mine: [ConsumerPartition: (loop: ConsumerLoop, memory: ConsumerLoop.Memory)] = [:]
        func giveBack() async {
            for partition in mine.keys {
                if let loop = mine[partition]?.loop { await loop.giveBack(&mine[partition]!.memory) }
            }
        }
        var waiting = (since: context.uptime(), places: [Position]())
        do {
            while true {
                let states = try await partitions()
                let members = Set(try await checkpoints.members().map(\.member.id))
                let free = states.filter { state in
                    mine[state.partition] == nil && !state.isPaused
                        && !(state.owner.map { $0 != membership.id && members.contains($0) } ?? false)
                }
                for state in free.isEmpty ? [] : try await checkpoints.claim(free, for: membership.id) {
                    guard let loop = loop(state, membership) else { continue }
                    var memory = loop.newMemory()
                    memory.pauses = false
                    mine[state.partition] = (loop, memory)
                }
                for consumer in consumers {
                    for partition in mine.keys where partition.consumer == consumer.name {
                        guard let loop = mine[partition]?.loop else { continue }
                        do {
                            while try await loop.step(&mine[partition]!.memory).next == .more {
                                // Shutting down, a consumer leaves the rest for the next run.
                                if Shutdown.isAsked { throw CancellationError() }
                            }
                            try await loop.flush(&mine[partition]!.memory)
                        } catch is ConsumerLoop.LeaseLost {
                            mine[partition] = nil
                        } catch let outage as Outage {
                            throw outage.underlying
                        }
                    }
                }
                let others = try await partitions().filter { state in
                    mine[state.partition] == nil && !state.isPaused && state.checkpoint.position < head
                }
                guard let other = others.first else { break }
                if Shutdown.isAsked { throw CancellationError() }
                let (now, places) = (context.uptime(), others.map(\.checkpoint.position))
                if places != waiting.places { waiting = (now, places) }
                if now - waiting.since > Self.waitsForOthers { throw Self.stuck(other) }
                try await context.sleep(for: .milliseconds(20))
            }
        } catch {
            await giveBack()
            throw error
        }
        await giveBack()
    }
}
