import Foundation

/// The state of consumers, in tables beside the read models: written once, in SQL that every supported database
/// accepts.
///
/// The tables are `disco_consumers`, `disco_partitions`, `disco_held`, `disco_audit` and `disco_changes`, named without
/// a schema.
struct ConsumerTables {
    let connection: any SQLConnection
    let transaction: SQLTransaction

    init(_ connection: any SQLConnection) {
        self.connection = connection
        transaction = SQLTransaction(connection)
    }

    func partitions(of consumer: String?) throws -> [PartitionState] {
        try transaction.query(
            """
            SELECT p.consumer, p.generation, slice_from, slice_to, position, event_id, store, epoch, owner, fence, crashes,
                in_hand, updated_at, coalesce(c.live, 1) AS live, c.run_to, c.paused_at
            FROM disco_partitions p LEFT JOIN disco_consumers c ON c.name = p.consumer
            WHERE p.consumer = coalesce(\(consumer), p.consumer) ORDER BY p.consumer, p.generation, slice_from
            """
        ).map(Self.state)
    }

    private static func state(_ row: SQLRow) throws -> PartitionState {
        let (from, to): (Int, Int) = (try row.value("slice_from"), try row.value("slice_to"))
        let (generation, live): (Int, Int) = (try row.value("generation"), try row.value("live"))
        let store: UUID? = try row.value("store")
        let pausedAt: Int64? = try row.value("paused_at")
        return PartitionState(
            partition: ConsumerPartition(
                try row.value("consumer"), generation: generation, slices: from...max(from, to)),
            checkpoint: Checkpoint(
                position: try row.value("position"), eventID: try row.value("event_id"),
                store: try store.map { StoreIdentity(store: $0, epoch: try row.value("epoch")) }),
            owner: try row.value("owner"), fence: try row.value("fence"), isLive: generation == live,
            isPaused: pausedAt != nil, runTo: try row.value("run_to"), crashes: try row.value("crashes"),
            inHand: try row.value("in_hand"), updatedAt: Timestamp.date(microseconds: try row.value("updated_at")))
    }

    func held(by partition: ConsumerPartition) throws -> [HeldStream] {
        let slices = partition.slices
        return try transaction.query(
            """
            SELECT stream, first_position, through_position, attempts, retry_at, parked_at, type, code, reason,
                first_failed_at, last_failed_at, build FROM disco_held
            WHERE consumer = \(partition.consumer) AND generation = \(partition.generation)
                AND slice BETWEEN \(slices.lowerBound) AND \(slices.upperBound)
            ORDER BY first_position
            """
        ).map { row in
            HeldStream(
                try row.value("stream"), first: try row.value("first_position"),
                through: try row.value("through_position"), attempts: try row.value("attempts"),
                retryAt: try row.date("retry_at"), parkedAt: try row.date("parked_at"),
                failure: try row.date("first_failed_at").map { first in
                    HeldFailure(
                        type: try row.value("type"), code: try row.value("code"), reason: try row.value("reason"),
                        firstAt: first, lastAt: try row.date("last_failed_at"), build: try row.value("build"))
                })
        }
    }

    // MARK: A step

    /// Moves the checkpoint if it is the one that the step starts from: the first statement of the transaction, which
    /// locks the row. Of two concurrent steps, one waits here and then finds the checkpoint moved.
    func move(_ step: ConsumerStep, at now: Date) throws {
        let (partition, from, to) = (step.partition, step.from, step.to)
        let updated = Timestamp.microseconds(of: now)
        let changed: Int
        if from == .start, step.lease == nil {
            // A row at the start is equivalent to no row.
            changed = try transaction.changed(
                """
                INSERT INTO disco_partitions (consumer, generation, slice_from, slice_to, store, epoch, position, event_id,
                    updated_at)
                VALUES (\(partition.consumer), \(partition.generation), \(partition.slices.lowerBound),
                    \(partition.slices.upperBound), \(to.store?.store), \(to.store?.epoch), \(to.position), \(to.eventID),
                    \(updated))
                ON CONFLICT (consumer, generation, slice_from, slice_to) DO UPDATE
                SET store = excluded.store, epoch = excluded.epoch, position = excluded.position,
                    event_id = excluded.event_id, updated_at = excluded.updated_at
                WHERE disco_partitions.position = 0 AND disco_partitions.store IS NULL
                    AND disco_partitions.event_id IS NULL
                """)
        } else {
            changed = try transaction.changed(
                """
                UPDATE disco_partitions SET store = \(to.store?.store), epoch = \(to.store?.epoch),
                    position = \(to.position), event_id = \(to.eventID), updated_at = \(updated),
                    in_hand = \(step.inHand), crashes = CASE WHEN position = \(to.position) THEN crashes ELSE 0 END
                WHERE consumer = \(partition.consumer) AND generation = \(partition.generation)
                    AND slice_from = \(partition.slices.lowerBound) AND slice_to = \(partition.slices.upperBound)
                    AND position = \(from.position)
                    AND coalesce(store, '') = coalesce(\(from.store?.store), '')
                    AND coalesce(epoch, -1) = coalesce(CAST(\(from.store?.epoch) AS bigint), -1)
                    AND coalesce(event_id, '') = coalesce(\(from.eventID), '')
                    AND coalesce(owner, '') = coalesce(\(step.lease?.owner), owner, '')
                    AND fence = coalesce(CAST(\(step.lease?.fence) AS bigint), fence)
                """)
        }
        if changed != 1 { throw EventStoreError.checkpointMoved(partition.consumer) }
    }

    /// Stores what is held from now on and deletes what is done; called after the body, which may fail.
    func hold(_ step: ConsumerStep) throws {
        let (consumer, generation) = (step.partition.consumer, step.partition.generation)
        for stream in step.release {
            let changed = try transaction.changed(
                "DELETE FROM disco_held WHERE consumer = \(consumer) AND generation = \(generation) AND stream = \(stream)"
            )
            if changed != 1 { throw EventStoreError.checkpointMoved(consumer) }
        }
        for held in step.hold { try hold(held, consumer, generation) }
    }

    func hold(_ held: HeldStream, _ consumer: String, _ generation: Int) throws {
        let (failure, retryAt, parkedAt) = (held.failure, held.retryAt.map(Self.time), held.parkedAt.map(Self.time))
        try transaction.execute(
            """
            INSERT INTO disco_held (consumer, generation, stream, slice, first_position, through_position, attempts,
                retry_at, parked_at, type, code, reason, first_failed_at, last_failed_at, build)
            VALUES (\(consumer), \(generation), \(held.stream), \(held.stream.slice), \(held.first), \(held.through),
                \(held.attempts), \(retryAt), \(parkedAt), \(failure?.type), \(failure?.code), \(failure?.reason),
                \(failure.map { Self.time($0.firstAt) }), \(failure.map { Self.time($0.lastAt) }), \(failure?.build))
            ON CONFLICT (consumer, generation, stream) DO UPDATE
            SET first_position = excluded.first_position, through_position = excluded.through_position,
                attempts = excluded.attempts, retry_at = excluded.retry_at, parked_at = excluded.parked_at,
                type = excluded.type, code = excluded.code, reason = excluded.reason,
                first_failed_at = excluded.first_failed_at, last_failed_at = excluded.last_failed_at,
                build = excluded.build
            """)
    }

    static func time(_ date: Date) -> Int64 { Timestamp.microseconds(of: date) }

    // MARK: Changes that others must notice

    func change() throws { try transaction.execute("UPDATE disco_changes SET revision = revision + 1") }

    /// How often something was changed that running consumers must notice.
    func revision() throws -> Int64 {
        try transaction.query("SELECT revision FROM disco_changes").first?.value("revision") ?? 0
    }
}

extension SQLTransaction {
    func changed(_ sql: SQLStatement) throws -> Int { try run(sql).changed }
}

extension SQLRow {
    /// A time in microseconds since 1970.
    func date(_ column: String) throws -> Date? {
        let microseconds: Int64? = try value(column)
        return microseconds.map(Timestamp.date(microseconds:))
    }
}
