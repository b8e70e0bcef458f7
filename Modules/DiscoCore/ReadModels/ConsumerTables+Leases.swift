import Foundation

extension ConsumerTables {
    // MARK: Leases

    func claim(_ states: [PartitionState], for member: String) throws -> [PartitionState] {
        var claimed: [PartitionState] = []
        for state in states {
            let partition = state.partition
            // A transaction of the previous owner may hold the row for long; others must not wait for it.
            let isFree = try !transaction.query(
                SQLStatement(
                    """
                    SELECT 1 AS free FROM disco_partitions
                    WHERE consumer = \(partition.consumer) AND generation = \(partition.generation)
                        AND slice_from = \(partition.slices.lowerBound) AND slice_to = \(partition.slices.upperBound)
                    """, ending: connection.skippingLocked)
            ).isEmpty
            guard isFree else { continue }
            let changed = try transaction.changed(
                """
                UPDATE disco_partitions SET owner = \(member), fence = fence + 1,
                    crashes = CASE WHEN owner IS NULL THEN 0 ELSE crashes + 1 END
                WHERE consumer = \(partition.consumer) AND generation = \(partition.generation)
                    AND slice_from = \(partition.slices.lowerBound) AND slice_to = \(partition.slices.upperBound)
                    AND fence = \(state.fence) AND coalesce(owner, '') = coalesce(\(state.owner), '')
                """)
            if changed != 1 { continue }
            claimed += try partitions(of: partition.consumer).filter { $0.partition == partition }
        }
        if !claimed.isEmpty { try change() }
        return claimed
    }

    func release(_ partition: ConsumerPartition, _ lease: PartitionLease) throws {
        let changed = try transaction.changed(
            """
            UPDATE disco_partitions SET owner = NULL, in_hand = NULL
            WHERE consumer = \(partition.consumer) AND generation = \(partition.generation)
                AND slice_from = \(partition.slices.lowerBound) AND slice_to = \(partition.slices.upperBound)
                AND owner = \(lease.owner) AND fence = \(lease.fence)
            """)
        if changed == 1 { try change() }
    }

    // MARK: Administration

    func decide(_ decision: HeldDecision, at now: Date) throws -> [HeldStream] {
        var decided: [HeldStream] = []
        for state in try partitions(of: decision.consumer) where state.isLive {
            let (partition, generation) = (state.partition, state.partition.generation)
            if try held(by: partition).contains(where: decision.filter.matches) == false { continue }
            // Locks the row, and makes the owner read again what it holds.
            try transaction.execute(
                """
                UPDATE disco_partitions SET fence = fence + 1
                WHERE consumer = \(partition.consumer) AND generation = \(generation)
                    AND slice_from = \(partition.slices.lowerBound) AND slice_to = \(partition.slices.upperBound)
                """)
            for stream in try held(by: partition) where decision.filter.matches(stream) {
                try carryOut(decision.action, stream, partition)
                try note(decision, stream, at: now)
                decided.append(stream)
            }
        }
        if !decided.isEmpty { try change() }
        return decided
    }

    private func carryOut(
        _ action: HeldDecision.Action, _ held: HeldStream, _ partition: ConsumerPartition
    ) throws {
        var held = held
        held.attempts = 0
        // At once, whatever the clock of the owner says.
        held.retryAt = Date(timeIntervalSince1970: 0)
        held.parkedAt = nil
        if action == .discardFirst {
            held.first = Position(rawValue: held.first.rawValue + 1)
            held.failure = nil
        }
        if action == .discardAll || held.first > held.through {
            try transaction.execute(
                """
                DELETE FROM disco_held WHERE consumer = \(partition.consumer) AND generation = \(partition.generation)
                    AND stream = \(held.stream)
                """)
        } else {
            try hold(held, partition.consumer, partition.generation)
        }
    }

    private func note(_ decision: HeldDecision, _ held: HeldStream, at now: Date) throws {
        let last = decision.action == .discardFirst ? held.first : held.through
        try transaction.execute(
            """
            INSERT INTO disco_audit (at, action, consumer, stream, first_position, through_position, attempts, failure,
                reason, decided_by)
            VALUES (\(Self.time(now)), \(decision.action.description), \(decision.consumer), \(held.stream),
                \(held.first), \(last), \(held.attempts), \(held.failure?.reason ?? ""), \(decision.reason),
                \(decision.by))
            """)
    }

    func audit(of consumer: String, limit: Int) throws -> [HeldAudit] {
        try transaction.query(
            """
            SELECT at, action, consumer, stream, first_position, through_position, attempts, failure, reason, decided_by
            FROM disco_audit WHERE consumer = \(consumer) ORDER BY at DESC, stream LIMIT \(max(0, limit))
            """
        ).map { row in
            let (first, last): (Position, Position) = (
                try row.value("first_position"), try row.value("through_position")
            )
            let action: String = try row.value("action")
            guard let action = HeldDecision.Action(action) else {
                throw EventStoreError(.database, "The audit log of \(consumer) has an unknown action, \(action).")
            }
            return HeldAudit(
                at: try row.date("at") ?? .distantPast, action: action, consumer: try row.value("consumer"),
                stream: try row.value("stream"), positions: first...max(first, last),
                attempts: try row.value("attempts"), failure: try row.value("failure"),
                reason: try row.value("reason"), by: try row.value("decided_by"))
        }
    }
}
