import DiscoCore
import Foundation
import Logging

extension ConsumerGroup {
    /// How often the stored leases are looked at, when nothing tells that they have changed.
    private static let lookInterval = Duration.seconds(2)
    /// After this time without an owner, anyone takes a partition, whoever should have taken it.
    private static let patience = Duration.seconds(2)

    /// What a part of the group reports.
    private enum Report: Sendable {
        case look
        case ended(ConsumerPartition, ConsumerLoop.Ending)
        /// The lease of this member has expired: it joins again under a new id.
        case expired
    }

    /// What the group knows while it runs.
    private struct State {
        var running: [ConsumerPartition: ConsumerLoop] = [:]
        /// Consumers that are set up; the partitions of others are not claimed.
        var prepared: Set<String> = []
        /// Consumers whose partitions exist.
        var defined: Set<String> = []
        /// The uptime since which partitions have no owner.
        var freeSince: [ConsumerPartition: Duration] = [:]
        /// Consumers that this process stands by for, so that it is logged once.
        var standingBy: Set<String> = []
        var changes: ConsumerChanges.Iterator?
        var nextLook = Duration.zero
        var failedLooks = 0
    }

    /// Claims a fair share of the partitions and runs them until the task is cancelled or shut down.
    func run() async throws {
        let membership = newMembership()
        var state = State()
        try await prepareAll(&state)
        context.logger?.info(
            "Consumers have started: \(names)", metadata: ["build": "\(settings.build)", "host": "\(HostName.current)"])
        do {
            try await withThrowingTaskGroup(of: Report.self) { group in
                group.addTask { .look }
                while let report = try await group.next() {
                    try await handle(report, &state, membership, &group)
                    if Shutdown.isAsked, state.running.isEmpty { break }
                }
                group.cancelAll()
            }
        } catch {
            await membership.leave()
            throw error
        }
        await membership.leave()
        context.logger?.info("Consumers have ended: \(names)")
    }

    private var names: String { consumers.map(\.name).joined(separator: ", ") }

    /// Finds errors that do not pass by themselves before any consumer starts.
    private func prepareAll(_ state: inout State) async throws {
        for consumer in consumers {
            do {
                if try await prepare(consumer) { state.defined.insert(consumer.name) }
                state.prepared.insert(consumer.name)
            } catch let error as EventStoreError where FailurePolicy.isOutage(error) {
                // One that waits for a store does not delay the others.
                continue
            }
        }
    }

    private func handle(
        _ report: Report, _ state: inout State, _ membership: Membership,
        _ group: inout ThrowingTaskGroup<Report, any Error>
    ) async throws {
        switch report {
        case .look:
            if !Shutdown.isAsked {
                do {
                    try await look(&state, membership, &group)
                    membership.trouble.ends("leases")
                    state.failedLooks = 0
                } catch let error as EventStoreError where FailurePolicy.isOutage(error) {
                    membership.trouble.begins("leases", error)
                    let pause = FailurePolicy.pause(attempts: state.failedLooks, random: context.random())
                    state.nextLook = min(pause, Self.lookInterval)
                    state.failedLooks += 1
                } catch is CancellationError where Shutdown.isAsked {}
            }
            if Shutdown.isAsked { return }
            let (changes, limit) = (state.changes, state.nextLook)
            group.addTask { await waitForLook(changes, limit, membership) }
        case .ended(let partition, let ending):
            state.running[partition] = nil
            switch ending {
            case .ended: log(.info, "gave back", partition)
            case .lost: log(.warning, "lost", partition)
            }
            // It may be free for this process, too.
            membership.poke()
        case .expired:
            context.logger?.warning(
                "The lease of this process has expired: others may have taken its partitions",
                metadata: ["consumers": "\(names)"])
            for loop in state.running.values { loop.signal.stop() }
            membership.expired()
            membership.poke()
        }
    }

    private func log(_ level: Logger.Level, _ verb: String, _ partition: ConsumerPartition) {
        let slices = partition.slices
        let part = slices.count == StreamID.slices ? "" : " (slices \(slices.lowerBound) to \(slices.upperBound))"
        context.logger?.log(
            level: level, "\(partition.consumer) \(verb) its lease\(part)",
            metadata: ["consumer": "\(partition.consumer)", "slices": "\(slices)"])
    }

    // MARK: Looking

    /// Returns when something may have changed.
    private func waitForLook(
        _ changes: ConsumerChanges.Iterator?, _ limit: Duration, _ membership: Membership
    ) async -> Report {
        let context = context
        try? await Shutdown.ending {
            try await withThrowingTaskGroup(of: Void.self) { group in
                if var changes {
                    group.addTask {
                        do {
                            try await changes.next()
                        } catch is CancellationError {
                        } catch {
                            // Without notifications, looking from time to time is enough.
                            try await context.sleep(for: limit)
                        }
                    }
                }
                group.addTask { try await context.sleep(for: limit) }
                group.addTask { try await membership.poked() }
                defer { group.cancelAll() }
                try await group.next()
            }
        }
        return .look
    }

    /// Reads the stored leases, and claims, begins and gives up partitions accordingly.
    private func look(
        _ state: inout State, _ membership: Membership, _ group: inout ThrowingTaskGroup<Report, any Error>
    ) async throws {
        membership.takePoke()
        var changes = checkpoints.changes().makeAsyncIterator()
        // Returns at once, and before anything is read, so that changes from now on are noticed.
        try await changes.next()
        state.changes = changes
        if !membership.isJoined {
            try await membership.join()
            group.addTask {
                try await membership.keep()
                return .expired
            }
        }
        let me = membership.id
        let members = try await checkpoints.members()
        try await defineMissing(&state)
        let partitions = try await partitions()
        notice(partitions, &state, me)
        let runnable = partitions.filter { state.prepared.contains($0.partition.consumer) && !$0.isPaused }
        let free = noteFree(runnable, members, &state)
        let uptime = context.uptime()
        let plan = LeasePlan(
            me: me, members: members.map(\.member), partitions: runnable, running: Set(state.running.keys)
        ) { partition in state.freeSince[partition].map { uptime - $0 >= Self.patience } ?? false }
        for partition in plan.givesUp { state.running[partition]?.signal.stop() }
        // A loop that is about to end gives its partition back first.
        let claims = plan.claims.filter { state.running[$0.partition] == nil }
        if !claims.isEmpty {
            for claimed in try await checkpoints.claim(claims, for: me) {
                guard let loop = loop(claimed, membership) else { continue }
                state.running[claimed.partition] = loop
                log(.info, "took", claimed.partition)
                group.addTask { .ended(claimed.partition, try await loop.run()) }
            }
        }
        logStandBy(runnable, &state, members)
        // A member that is due to expire is looked at when it does.
        let soonest = members.filter { $0.member.id != me }.map(\.remaining).min()
        let jitter = 0.75 + context.random() / 2
        var next = min(soonest.map { $0 + .milliseconds(5) } ?? Self.lookInterval, Self.lookInterval) * jitter
        if !free.isEmpty { next = min(next, Self.patience / 4) }
        state.nextLook = max(.milliseconds(5), next)
    }

    /// Creates the partitions of consumers that have none: they were reset, or their start time has come.
    private func defineMissing(_ state: inout State) async throws {
        for consumer in consumers {
            if !state.prepared.contains(consumer.name) {
                let isDefined = try await prepare(consumer)
                state.prepared.insert(consumer.name)
                if isDefined { state.defined.insert(consumer.name) }
            } else if !state.defined.contains(consumer.name), try await define(consumer) {
                state.defined.insert(consumer.name)
            }
        }
    }

    /// Tells running loops what has happened to their partitions.
    private func notice(_ partitions: [PartitionState], _ state: inout State, _ me: String) {
        let known = Dictionary(partitions.map { ($0.partition, $0) }) { $1 }
        for (partition, loop) in state.running {
            guard let stored = known[partition], stored.owner == me, !stored.isPaused else {
                loop.signal.stop()
                continue
            }
            loop.signal.notice(stored)
        }
        let consumers = Set(partitions.map(\.partition.consumer))
        state.defined.formIntersection(consumers)
    }

    /// Notes since when partitions have no owner.
    private func noteFree(
        _ partitions: [PartitionState], _ members: [MemberState], _ state: inout State
    ) -> [PartitionState] {
        let ids = Set(members.map(\.member.id))
        let free = partitions.filter { state in !(state.owner.map(ids.contains) ?? false) }
        let uptime = context.uptime()
        let before = state.freeSince
        state.freeSince = Dictionary(free.map { ($0.partition, before[$0.partition] ?? uptime) }) { $1 }
        return free
    }

    private func logStandBy(_ partitions: [PartitionState], _ state: inout State, _ members: [MemberState]) {
        let working = Set(state.running.keys.map(\.consumer))
        for consumer in consumers.map(\.name) {
            let owners = partitions.filter { $0.partition.consumer == consumer }.map(\.owner)
            guard !working.contains(consumer), !owners.isEmpty, !owners.contains(nil) else {
                state.standingBy.remove(consumer)
                continue
            }
            if !state.standingBy.insert(consumer).inserted { continue }
            let hosts = members.filter { owners.contains($0.member.id) }.map(\.member.host)
            context.logger?.info(
                "\(consumer) stands by: another process works on it",
                metadata: ["consumer": "\(consumer)", "host": "\(hosts.joined(separator: ", "))"])
        }
    }
}
