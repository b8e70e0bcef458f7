/// Shares the partitions of consumers between processes.
///
/// Each process is a *member* for as long as it renews its lease in time. A member owns the partitions that it has
/// claimed; when its lease expires, others may claim them. The id of an expired member is never valid again, so a
/// process that was suspended comes back as a new member that owns nothing.
///
/// All times are those of the database, so the clocks of the members do not matter.
public protocol LeaseStore: Sendable {
    /// Registers a member, whose lease ends after this time unless it is renewed.
    func join(_ member: ConsumerMember, for lease: Duration) async throws

    /// Extends a member's lease.
    ///
    /// - Returns: false if the lease has expired. The process must then join with a new id.
    func renew(_ member: String, for lease: Duration) async throws -> Bool

    /// Ends a member's lease; it also completes in a cancelled task. The partitions it owns can be claimed at once.
    func leave(_ member: String) async throws

    /// The members whose leases are valid, sorted by id. Those whose leases have expired are deleted first.
    func members() async throws -> [MemberState]

    /// Makes a member the owner of partitions and increments their fences, so that steps of the previous owner are
    /// refused.
    ///
    /// - Parameters:
    ///   - partitions: as they were read.
    ///   - member: the id of the member.
    /// - Returns: those that had not changed meanwhile, and whose previous owner is not in a transaction; they belong
    ///   to the member now.
    func claim(_ partitions: [PartitionState], for member: String) async throws -> [PartitionState]

    /// Ends the ownership of a partition, if the lease is still the one that counts; it also completes in a cancelled
    /// task.
    func release(_ partition: ConsumerPartition, _ lease: PartitionLease) async throws
}

/// A process that runs consumers.
public struct ConsumerMember: Hashable, Sendable {
    /// Unique among all members there have ever been.
    public var id: String
    /// Where it runs, for people.
    public var host: String
    /// Which build of the program it is, for people.
    public var build: String
    /// The consumers that it can run, by name, each with the version and fingerprint of its code.
    public var consumers: [String: String]

    public init(id: String, host: String = "", build: String = "", consumers: [String: String]) {
        self.id = id
        self.host = host
        self.build = build
        self.consumers = consumers
    }
}

/// A member whose lease is valid.
public struct MemberState: Hashable, Sendable {
    public var member: ConsumerMember
    /// The time until its lease ends.
    public var remaining: Duration

    public init(_ member: ConsumerMember, remaining: Duration) {
        self.member = member
        self.remaining = remaining
    }
}

/// The right to move a partition's checkpoint.
public struct PartitionLease: Hashable, Sendable {
    /// The id of the member that owns the partition.
    public var owner: String
    /// Incremented by each claim and by administration; a step with an older fence is refused.
    public var fence: Int

    public init(owner: String, fence: Int) {
        self.owner = owner
        self.fence = fence
    }
}
