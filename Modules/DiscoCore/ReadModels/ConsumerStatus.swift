public import Foundation

/// How far a generation of a consumer has come, and what keeps it.
public struct ConsumerStatus: Hashable, Sendable {
    public enum Role: String, Hashable, Sendable {
        /// Queries see it, or it is a policy.
        case live
        /// It is being built, and will take the place of the live one.
        case building
        /// It was live before, and is kept for going back to it.
        case previous
    }

    public struct Partition: Hashable, Sendable {
        public var slices: ClosedRange<Int>
        public var position: Position
        /// Where the process runs that works on it; `nil` if none does.
        public var host: String?
        /// The build of that process.
        public var build: String?
        /// When its checkpoint was stored last.
        public var storedAt: Date?
        /// How often in a row its owner ended without any progress.
        public var crashes: Int
        public var held: Int
        public var parked: Int
    }

    public var consumer: String
    public var role: Role
    public var generation: Int
    /// The version of the code.
    public var version: Int
    public var partitions: [Partition]
    /// The last position of the store.
    public var head: Position
    /// How many events lie between the partition that is furthest behind and the head; `nil` if the store does not count
    /// them.
    public var lag: Int?
    /// The age of the oldest event that it has not passed, in seconds; 0 if there is none. By the store's clock.
    public var lagSeconds: Double?
    /// The highest number of attempts for an event that is held.
    public var attempts: Int
    /// The latest failure of an event that is held.
    public var failure: HeldFailure?
    public var pausedReason: String?
    /// Its partitions stop at this position, because they are about to be exchanged.
    public var runTo: Position?
    /// When the generation was begun, if it is being built.
    public var buildingSince: Date?

    /// The position of the partition that is furthest behind.
    public var position: Position { partitions.map(\.position).min() ?? .start }
    public var held: Int { partitions.reduce(0) { $0 + $1.held } }
    public var parked: Int { partitions.reduce(0) { $0 + $1.parked } }
    /// The number of partitions that a process works on.
    public var owned: Int { partitions.count { $0.host != nil } }

    /// The events a second since an earlier status; `nil` if no time has passed or the number is not known.
    ///
    /// - Parameters:
    ///   - earlier: a status of the same consumer.
    ///   - seconds: the time between the two.
    public func rate(since earlier: ConsumerStatus, seconds: Double) -> Double? {
        guard seconds > 0, earlier.generation == generation else { return nil }
        return Double(max(0, position.rawValue - earlier.position.rawValue)) / seconds
    }

    /// In a word: `working`, `catching up`, `paused`, `stopped` (no process works on it) or `exchanging`.
    public var state: String {
        if pausedReason != nil { return "paused" }
        if owned == 0, runTo == nil { return "stopped" }
        if runTo != nil { return "exchanging" }
        if owned < partitions.count { return "partly stopped" }
        return (lag ?? 0) > 1000 ? "catching up" : "working"
    }

    public var json: JSON {
        var object: JSON.Object = [
            "consumer": .string(consumer), "role": .string(role.rawValue), "generation": JSON(generation),
            "version": JSON(version), "state": .string(state), "position": JSON(position.rawValue),
            "head": JSON(head.rawValue), "lag": lag.map { JSON($0) } ?? .null,
            "lag_seconds": lagSeconds.map { JSON($0) } ?? .null, "held": JSON(held), "parked": JSON(parked),
            "attempts": JSON(attempts),
        ]
        object["reason"] = failure.map { .string($0.reason) } ?? .null
        object["paused"] = pausedReason.map { .string($0) } ?? .null
        object["partitions"] = .array(partitions.map(\.json))
        return .object(object)
    }
}

extension ConsumerStatus.Partition {
    fileprivate var json: JSON {
        [
            "from_slice": JSON(slices.lowerBound), "to_slice": JSON(slices.upperBound),
            "position": JSON(position.rawValue), "host": host.map(JSON.string) ?? .null,
            "build": build.map(JSON.string) ?? .null,
            "stored_at": storedAt.flatMap(Timestamp.text(of:)).map(JSON.string) ?? .null, "crashes": JSON(crashes),
            "held": JSON(held), "parked": JSON(parked),
        ]
    }
}

extension EventStoreClient {
    /// The status of consumers, ordered by name, the live generation first.
    ///
    /// - Parameters:
    ///   - checkpoints: the store of their checkpoints.
    ///   - names: the consumers; all that have run by default.
    public func status(of checkpoints: any CheckpointStore, _ names: [String]? = nil) async throws -> [ConsumerStatus] {
        let head = try await head()
        // In this order, so that whoever owns a partition is among the members.
        let partitions = try await checkpoints.partitions(of: nil)
            .filter { state in names.map { $0.contains(state.partition.consumer) } ?? true }
        let consumers = try await checkpoints.consumers()
        let members = try await checkpoints.members()
        var groups: [[PartitionState]] = []
        for state in partitions {
            if let last = groups.last?.last?.partition, last.consumer == state.partition.consumer,
                last.generation == state.partition.generation
            {
                groups[groups.count - 1].append(state)
            } else {
                groups.append([state])
            }
        }
        var result: [ConsumerStatus] = []
        for group in groups {
            let consumer = consumers.first { ExactText.areEqual($0.name, group[0].partition.consumer) }
            result.append(try await status(of: group, consumer, checkpoints, members, head))
        }
        return result.sorted {
            ($0.consumer, $0.role == .live ? 0 : $0.generation) < ($1.consumer, $1.role == .live ? 0 : $1.generation)
        }
    }

    private func status(
        of group: [PartitionState], _ consumer: ConsumerState?, _ checkpoints: any CheckpointStore,
        _ members: [MemberState], _ head: Position
    ) async throws -> ConsumerStatus {
        let first = group[0]
        var partitions: [ConsumerStatus.Partition] = []
        var (attempts, failure): (Int, HeldFailure?) = (0, nil)
        for state in group {
            let member = members.first { $0.member.id == state.owner }?.member
            let held = try await checkpoints.held(by: state.partition)
            partitions.append(
                ConsumerStatus.Partition(
                    slices: state.partition.slices, position: state.checkpoint.position, host: member?.host,
                    build: member?.build, storedAt: state.updatedAt, crashes: state.crashes, held: held.count,
                    parked: held.count(where: \.isParked)))
            attempts = max(attempts, held.map(\.attempts).max() ?? 0)
            let latest = held.compactMap(\.failure).max { $0.lastAt < $1.lastAt }
            if let latest, failure.map({ $0.lastAt < latest.lastAt }) ?? true { failure = latest }
        }
        let generation = first.partition.generation
        let role: ConsumerStatus.Role =
            first.isLive ? .live : generation == consumer?.building?.number ? .building : .previous
        let position = partitions.map(\.position).min() ?? .start
        var status = ConsumerStatus(
            consumer: first.partition.consumer, role: role, generation: generation,
            version: consumer?.generation(generation)?.version ?? 1, partitions: partitions, head: head, lag: nil,
            lagSeconds: position >= head ? 0 : nil, attempts: attempts, failure: failure,
            pausedReason: first.isPaused ? consumer?.pausedReason ?? "" : nil, runTo: first.runTo,
            buildingSince: role == .building ? consumer?.buildingSince : nil)
        status.lag = try await store.abilities.counting?.events(after: position, upTo: max(position, head))
        if position < head {
            var read = Read(after: position, limit: 1)
            read.showsFailures = true
            let page = try await store.page(read)
            // Without an event that this client may see, nothing is late.
            status.lagSeconds = page.events.first.map { max(0, context.now().timeIntervalSince($0.recordedAt)) } ?? 0
        }
        return status
    }
}
