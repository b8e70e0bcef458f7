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
        /// `wished`: something has changed; otherwise only time has passed.
        case look(wished: Bool)
        case ended(ConsumerPartition, ConsumerLoop.Ending)
        /// The lease of this member has expired: it joins again under a new id.
        case expired
    }

    /// What the group knows while it runs.
    private struct State {
        var running: [ConsumerPartition: ConsumerLoop] = [:]
        /// Consumers whose partitions exist, as this process knows them.
        var defined: Set<String> = []
        /// Generations whose tables exist; the partitions of others are not claimed.
        var prepared: Set<ConsumerPartition> = []
        /// What is wrong with consumers, so that it is logged once.
        var mismatches: [String: String] = [:]
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
        tell(["The consumers \(names) are starting."])
        defer { reports.ended(names) }
        do {
            try await withThrowingTaskGroup(of: Report.self) { group in
                group.addTask { .look(wished: false) }
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
        do {
            try await prepare(try await stored(), &state)
        } catch let error as EventStoreError where FailurePolicy.isOutage(error) {
            // It is tried again while the group runs.
        }
    }

    /// Defines consumers that are not, and creates the tables of generations that have none.
    ///
    /// - Returns: whether anything was done.
    @discardableResult
    private func prepare(_ before: Stored, _ state: inout State) async throws -> Bool {
        var stored = before
        var hasChanged = false
        for consumer in consumers where !state.defined.contains(consumer.name) {
            guard try await define(consumer) else { continue }
            state.defined.insert(consumer.name)
            stored = try await self.stored()
            hasChanged = true
        }
        for consumer in consumers {
            let generations = Set(
                stored.partitions.map(\.partition).filter { $0.consumer == consumer.name }.map(\.generation))
            for generation in generations.sorted() {
                let all = ConsumerPartition(consumer.name, generation: generation)
                if state.prepared.contains(all) { continue }
                try await setUp(consumer, generation)
                state.prepared.insert(all)
            }
            let problem = stored.state(consumer.name).flatMap { Self.mismatch(consumer, $0) }
            if problem != state.mismatches[consumer.name], let problem {
                context.logger?.warning(
                    "\(consumer.name) stands by: \(problem)", metadata: ["consumer": "\(consumer.name)"])
            }
            state.mismatches[consumer.name] = problem
        }
        return hasChanged
    }

    private func handle(
        _ report: Report, _ state: inout State, _ membership: Membership,
        _ group: inout ThrowingTaskGroup<Report, any Error>
    ) async throws {
        switch report {
        case .look(let wished):
            // Somebody may be waiting for what is not stored yet.
            if wished { for loop in state.running.values { loop.signal.flush() } }
            if !Shutdown.isAsked {
                do {
                    try await look(&state, membership, &group)
                    membership.trouble.ends("leases")
                    state.failedLooks = 0
                } catch let error as EventStoreError where FailurePolicy.isOutage(error) {
                    tell(["The stores of \(names) cannot be used: \(error.message)"])
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
        let part = slices.count == StreamID.slices ? "" : " on the slices \(slices.lowerBound) to \(slices.upperBound)"
        let generation = partition.generation == 1 ? "" : " of generation \(partition.generation)"
        context.logger?.log(
            level: level, "\(partition.consumer) \(verb) its lease\(generation)\(part)",
            metadata: ["consumer": "\(partition.consumer)"])
    }

    // MARK: Health

    private func tell(_ problems: [String]) {
        let late = max(.seconds(60), settings.lease * 6)
        reports.report(.init(names: names, lookedAt: context.uptime(), late: late, problems: problems))
    }

    /// Why this process is not ready.
    private func problems(_ stored: Stored, _ state: State) -> [String] {
        var problems = state.mismatches.sorted { $0.key < $1.key }.map(\.value)
        for consumer in consumers {
            guard let stored = stored.state(consumer.name) else { continue }
            if !stored.live.belongs(to: consumer.definition), stored.building?.belongs(to: consumer.definition) == true
            {
                problems.append("Version \(consumer.definition.version) of \(consumer.name) is being built.")
            }
        }
        return problems
    }

    // MARK: Looking

    /// Returns when something may have changed.
    private func waitForLook(
        _ changes: ConsumerChanges.Iterator?, _ limit: Duration, _ membership: Membership
    ) async -> Report {
        let context = context
        let wished = Locked(false)
        try? await Shutdown.ending {
            try await withThrowingTaskGroup(of: Void.self) { group in
                if var changes {
                    group.addTask {
                        do {
                            try await changes.next()
                            wished.withLock { $0 = true }
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
        return .look(wished: wished.withLock { $0 })
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
        var stored = try await stored()
        if try await prepare(stored, &state) { stored = try await self.stored() }
        if try await exchange(stored) { stored = try await self.stored() }
        // Read after the partitions, so that it has everyone who had claimed one by then.
        let members = try await checkpoints.members()
        try await releaseDead(stored, members)
        if try await dropPrevious(stored, members) { membership.poke() }
        notice(stored, &state, me)
        let runnable = stored.partitions.filter { partition in
            let all = ConsumerPartition(partition.partition.consumer, generation: partition.partition.generation)
            return state.prepared.contains(all) && !partition.isPaused
                && !(partition.hasArrived && partition.owner == nil)
        }
        let free = noteFree(runnable, members, &state)
        let uptime = context.uptime()
        let plan = LeasePlan(
            me: me, members: members.map(\.member), partitions: runnable, running: Set(state.running.keys),
            definition: stored.definition
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
        tell(problems(stored, state))
        // A member that is due to expire is looked at when it does.
        let soonest = members.filter { $0.member.id != me }.map(\.remaining).min()
        let random = context.random()
        let expiry = soonest.map { $0 + .milliseconds(5 + 20 * random) } ?? Self.lookInterval
        var next = min(expiry, Self.lookInterval * (0.75 + random / 2))
        if !free.isEmpty { next = min(next, Self.patience / 4) }
        state.nextLook = max(.milliseconds(5), next)
    }

    /// Deletes the generation that was live before, after a while, once no process runs its code.
    private func dropPrevious(_ stored: Stored, _ members: [MemberState]) async throws -> Bool {
        var hasDropped = false
        for state in stored.consumers {
            guard let previous = state.previous, let switchedAt = state.switchedAt, state.building == nil,
                context.now() >= switchedAt.addingTimeInterval(settings.keepsPrevious / .seconds(1))
            else { continue }
            let isRun = members.contains { member in
                previous.definition != state.live.definition
                    && member.member.consumers[state.name] == previous.definition
            }
            if isRun { continue }
            try await checkpoints.administer(state.name, .dropPrevious)
            hasDropped = true
        }
        return hasDropped
    }

    /// Tells running loops what has happened to their partitions.
    private func notice(_ stored: Stored, _ state: inout State, _ me: String) {
        let known = Dictionary(stored.partitions.map { ($0.partition, $0) }) { $1 }
        for (partition, loop) in state.running {
            guard let stored = known[partition], stored.owner == me, !stored.isPaused else {
                loop.signal.stop()
                continue
            }
            loop.signal.notice(stored)
        }
        // They were reset: they start over.
        state.defined.formIntersection(Set(stored.all.map(\.partition.consumer)))
        state.prepared = state.prepared.filter { all in
            stored.all.contains { $0.partition.consumer == all.consumer && $0.partition.generation == all.generation }
        }
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
