import Foundation

/// The state of consumers, in tables beside the read models: written once, in SQL that every supported database
/// accepts.
///
/// The tables are `disco_partitions`, `disco_held` and `disco_changes`, named without a schema.
struct ConsumerTables {
    private let transaction: SQLTransaction

    init(_ connection: any SQLConnection) { transaction = SQLTransaction(connection) }

    func partitions(of consumer: String?) throws -> [PartitionState] {
        try transaction.query(
            """
            SELECT consumer, slice_from, slice_to, position, event_id, store, epoch, owner, fence FROM disco_partitions
            WHERE consumer = coalesce(\(consumer), consumer) ORDER BY consumer, slice_from
            """
        ).map(Self.state)
    }

    private static func state(_ row: SQLRow) throws -> PartitionState {
        let (from, to): (Int, Int) = (try row.value("slice_from"), try row.value("slice_to"))
        let store: UUID? = try row.value("store")
        return PartitionState(
            partition: ConsumerPartition(try row.value("consumer"), slices: from...max(from, to)),
            checkpoint: Checkpoint(
                position: try row.value("position"), eventID: try row.value("event_id"),
                store: try store.map { StoreIdentity(store: $0, epoch: try row.value("epoch")) }),
            owner: try row.value("owner"), fence: try row.value("fence"))
    }

    func held(by partition: ConsumerPartition) throws -> [HeldEvent] {
        let slices = partition.slices
        return try transaction.query(
            """
            SELECT position, stream, attempts, retry_at, parked_at, reason FROM disco_held
            WHERE consumer = \(partition.consumer) AND slice BETWEEN \(slices.lowerBound) AND \(slices.upperBound)
            ORDER BY position
            """
        ).map { row in
            let (retryAt, parkedAt): (Int64?, Int64?) = (try row.value("retry_at"), try row.value("parked_at"))
            return HeldEvent(
                position: try row.value("position"), stream: try row.value("stream"),
                attempts: try row.value("attempts"), retryAt: retryAt.map(Timestamp.date(microseconds:)),
                parkedAt: parkedAt.map(Timestamp.date(microseconds:)), reason: try row.value("reason"))
        }
    }

    // MARK: A step

    /// Moves the checkpoint if it is the one that the step starts from: the first statement of the transaction, which
    /// locks the row. Of two concurrent steps, one waits here and then finds the checkpoint moved.
    func move(_ step: ConsumerStep, at now: Date) throws {
        let (partition, from, to) = (step.partition, step.from, step.to)
        let updated = Timestamp.microseconds(of: now)
        let changed: Int
        if from == .start {
            // A row at the start is equivalent to no row.
            changed = try transaction.changed(
                """
                INSERT INTO disco_partitions (consumer, slice_from, slice_to, store, epoch, position, event_id, updated_at)
                VALUES (\(partition.consumer), \(partition.slices.lowerBound), \(partition.slices.upperBound),
                    \(to.store?.store), \(to.store?.epoch), \(to.position), \(to.eventID), \(updated))
                ON CONFLICT (consumer, slice_from, slice_to) DO UPDATE
                SET store = excluded.store, epoch = excluded.epoch, position = excluded.position,
                    event_id = excluded.event_id, updated_at = excluded.updated_at
                WHERE disco_partitions.position = 0 AND disco_partitions.store IS NULL
                    AND disco_partitions.event_id IS NULL
                    AND disco_partitions.fence = coalesce(CAST(\(step.fence) AS bigint), disco_partitions.fence)
                """)
        } else {
            changed = try transaction.changed(
                """
                UPDATE disco_partitions SET store = \(to.store?.store), epoch = \(to.store?.epoch),
                    position = \(to.position), event_id = \(to.eventID), updated_at = \(updated)
                WHERE consumer = \(partition.consumer) AND slice_from = \(partition.slices.lowerBound)
                    AND slice_to = \(partition.slices.upperBound) AND position = \(from.position)
                    AND coalesce(store, '') = coalesce(\(from.store?.store), '')
                    AND coalesce(epoch, -1) = coalesce(CAST(\(from.store?.epoch) AS bigint), -1)
                    AND coalesce(event_id, '') = coalesce(\(from.eventID), '')
                    AND fence = coalesce(CAST(\(step.fence) AS bigint), fence)
                """)
        }
        if changed != 1 { throw EventStoreError.checkpointMoved(partition.consumer) }
    }

    /// Stores what is held from now on and deletes what is done; called after the body, which may fail.
    func hold(_ step: ConsumerStep) throws {
        let consumer = step.partition.consumer
        func one(_ sql: SQLStatement) throws {
            if try transaction.changed(sql) != 1 { throw EventStoreError.checkpointMoved(consumer) }
        }
        for position in step.release {
            try one("DELETE FROM disco_held WHERE consumer = \(consumer) AND position = \(position)")
        }
        for held in step.hold {
            let retryAt = held.retryAt.map(Timestamp.microseconds(of:))
            let parkedAt = held.parkedAt.map(Timestamp.microseconds(of:))
            if held.position <= step.from.position {
                try one(
                    """
                    UPDATE disco_held SET attempts = \(held.attempts), retry_at = \(retryAt), parked_at = \(parkedAt),
                        reason = \(held.reason)
                    WHERE consumer = \(consumer) AND position = \(held.position) AND attempts = \(held.attempts) - 1
                    """)
            } else {
                try one(
                    """
                    INSERT INTO disco_held (consumer, position, stream, slice, attempts, retry_at, parked_at, reason)
                    VALUES (\(consumer), \(held.position), \(held.stream), \(held.stream.slice), \(held.attempts),
                        \(retryAt), \(parkedAt), \(held.reason))
                    ON CONFLICT DO NOTHING
                    """)
            }
        }
    }

    // MARK: Administration

    func claim(_ partition: ConsumerPartition, by owner: String, at now: Date) throws -> PartitionState {
        let updated = Timestamp.microseconds(of: now)
        try transaction.execute(
            """
            INSERT INTO disco_partitions (consumer, slice_from, slice_to, position, owner, fence, updated_at)
            VALUES (\(partition.consumer), \(partition.slices.lowerBound), \(partition.slices.upperBound), 0, \(owner), 1,
                \(updated))
            ON CONFLICT (consumer, slice_from, slice_to) DO UPDATE
            SET owner = excluded.owner, fence = disco_partitions.fence + 1, updated_at = excluded.updated_at
            """)
        try change()
        guard let state = try partitions(of: partition.consumer).first(where: { $0.partition == partition }) else {
            throw EventStoreError(.database, "The claimed partition of \(partition.consumer) was not found.")
        }
        return state
    }

    func reset(_ consumer: String) throws {
        try transaction.execute("DELETE FROM disco_partitions WHERE consumer = \(consumer)")
        try transaction.execute("DELETE FROM disco_held WHERE consumer = \(consumer)")
        try change()
    }

    private func change() throws { try transaction.execute("UPDATE disco_changes SET revision = revision + 1") }

    /// How often consumers have been claimed or reset.
    func revision() throws -> Int64 {
        try transaction.query("SELECT revision FROM disco_changes").first?.value("revision") ?? 0
    }
}

extension SQLTransaction {
    fileprivate func changed(_ sql: SQLStatement) throws -> Int { try run(sql).changed }
}
