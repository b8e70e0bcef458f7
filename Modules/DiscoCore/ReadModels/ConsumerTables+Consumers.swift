import Foundation

extension ConsumerTables {
    // MARK: What is recorded

    func consumers() throws -> [ConsumerState] {
        try transaction.query(
            """
            SELECT name, partitions, live, live_definition, building, building_definition, building_since, previous,
                previous_definition, switched_at, run_to, paused_at, paused_reason
            FROM disco_consumers ORDER BY name
            """
        ).map { row in
            func generation(_ name: String) throws -> ConsumerState.Generation? {
                let number: Int? = try row.value(name)
                let definition: String? = try row.value(name + "_definition")
                return number.map { ConsumerState.Generation($0, definition: definition) }
            }
            let name: String = try row.value("name")
            guard let live = try generation("live") else {
                throw EventStoreError(.database, "The consumer \(name) has no live generation.")
            }
            var state = ConsumerState(name, partitions: try row.value("partitions"), live: live)
            state.building = try generation("building")
            state.buildingSince = try row.date("building_since")
            state.previous = try generation("previous")
            state.switchedAt = try row.date("switched_at")
            state.runTo = try row.value("run_to")
            state.pausedAt = try row.date("paused_at")
            state.pausedReason = try row.value("paused_reason")
            return state
        }
    }

    private func known(_ consumer: String) throws -> ConsumerState? {
        try consumers().first { ExactText.areEqual($0.name, consumer) }
    }

    // MARK: Defining

    func define(_ definition: ConsumerDefinition, _ checkpoint: Checkpoint, at now: Date) throws {
        let (consumer, slices) = (definition.name, ConsumerPartition.slices(of: definition.partitions))
        // Locks the row: of two processes that define the same consumer, the second finds what the first has done.
        try transaction.execute(
            """
            INSERT INTO disco_consumers (name, partitions, live_definition)
            VALUES (\(consumer), \(slices.count), \(definition.text))
            ON CONFLICT (name) DO UPDATE SET name = excluded.name
            """)
        guard let state = try known(consumer) else { return }
        if try partitions(of: consumer).isEmpty {
            try transaction.execute(
                "UPDATE disco_consumers SET live_definition = \(definition.text) WHERE name = \(consumer)")
            // Higher than any that was given before a reset, because every claim raises the revision.
            return try add(consumer, state.live.number, slices, checkpoint, fence: Int(revision()), at: now)
        }
        guard let text = state.live.definition, !ExactText.areEqual(text, definition.text) else {
            return try transaction.execute(
                """
                UPDATE disco_consumers SET live_definition = \(definition.text)
                WHERE name = \(consumer) AND live_definition IS NULL
                """)
        }
        guard definition.version > state.live.version else { return }
        if definition.isProjection {
            if state.building?.definition == definition.text || state.previous?.definition == definition.text { return }
            if let building = state.building {
                if building.version >= definition.version { return }
                try drop(building.number, of: consumer)
            }
            try build(state, definition.text, at: now)
        } else {
            // The lower version notices it, finishes the event in hand, and gives its partitions back.
            try transaction.execute(
                "UPDATE disco_consumers SET live_definition = \(definition.text) WHERE name = \(consumer)")
            try change()
        }
    }

    private func add(
        _ consumer: String, _ generation: Int, _ slices: [ClosedRange<Int>], _ checkpoint: Checkpoint, fence: Int,
        at now: Date
    ) throws {
        for slices in slices {
            try transaction.execute(
                """
                INSERT INTO disco_partitions (consumer, generation, slice_from, slice_to, store, epoch, position, event_id,
                    fence, updated_at)
                VALUES (\(consumer), \(generation), \(slices.lowerBound), \(slices.upperBound),
                    \(checkpoint.store?.store), \(checkpoint.store?.epoch), \(checkpoint.position), \(checkpoint.eventID),
                    \(fence), \(Self.time(now)))
                """)
        }
        try change()
    }

    // MARK: Generations

    /// Begins a generation beside the live one.
    private func build(_ state: ConsumerState, _ definition: String?, at now: Date) throws {
        let numbers = try partitions(of: state.name).map(\.partition.generation)
        let number = (numbers.max() ?? state.live.number) + 1
        try transaction.execute(
            """
            UPDATE disco_consumers SET building = \(number), building_definition = \(definition),
                building_since = \(Self.time(now)), run_to = NULL
            WHERE name = \(state.name)
            """)
        try add(
            state.name, number, ConsumerPartition.slices(of: state.partitions), .start, fence: Int(revision()), at: now)
    }

    private func drop(_ generation: Int, of consumer: String) throws {
        for name in try tables(of: consumer) {
            try transaction.execute(
                SQLStatement(stringLiteral: "DROP TABLE IF EXISTS \(TableName.of(name, generation))"))
        }
        for table in ["disco_partitions", "disco_held"] {
            try transaction.execute(
                SQLStatement(
                    beginning: "DELETE FROM \(table)", "WHERE consumer = \(consumer) AND generation = \(generation)"))
        }
    }

    func tables(of consumer: String) throws -> [String] {
        try transaction.query("SELECT name FROM disco_tables WHERE consumer = \(consumer) ORDER BY name")
            .map { try $0.value("name") }
    }

    /// The live generation of each table, as of this transaction.
    func liveTables() throws -> [String: Int] {
        let rows = try transaction.query(
            """
            SELECT t.name, coalesce(c.live, 1) AS live FROM disco_tables t
            LEFT JOIN disco_consumers c ON c.name = t.consumer
            """)
        return Dictionary(try rows.map { (try $0.value("name"), try $0.value("live")) }) { $1 }
    }

    /// Records the tables that a projection has set up, and creates the view of the live ones.
    func register(_ names: [String], of consumer: String, _ generation: Int) throws {
        let live = try known(consumer)?.live.number ?? 1
        for name in names {
            let added = try transaction.changed(
                "INSERT INTO disco_tables (name, consumer) VALUES (\(name), \(consumer)) ON CONFLICT DO NOTHING")
            if added == 1, generation == live { try createView(name, generation) }
            let owner: String? = try transaction.query("SELECT consumer FROM disco_tables WHERE name = \(name)").first?
                .value("consumer")
            if let owner, !ExactText.areEqual(owner, consumer) {
                throw EventStoreError(
                    .configuration, "The table \(name) of \(consumer) belongs to \(owner). Give it another name.")
            }
        }
        if names.isEmpty, generation != live {
            throw EventStoreError(
                .configuration,
                "A generation of \(consumer) cannot be built beside the live one, because both would use the same tables. Write their names as \\(table: \"name\")."
            )
        }
    }

    private func createView(_ name: String, _ generation: Int) throws {
        try transaction.execute(
            SQLStatement(stringLiteral: "CREATE VIEW \(name) AS SELECT * FROM \(TableName.of(name, generation))"))
    }

    // MARK: Administration

    func administer(_ consumer: String, _ action: ConsumerAction, at now: Date) throws {
        // Locks the row.
        try transaction.execute("UPDATE disco_consumers SET name = name WHERE name = \(consumer)")
        let stored = try partitions(of: consumer)
        guard let state = try known(consumer) ?? (stored.isEmpty ? nil : ConsumerState(consumer)) else {
            let names = try Set(consumers().map(\.name) + partitions(of: nil).map(\.partition.consumer)).sorted()
            let others = names.isEmpty ? "None has run yet." : "Known: \(names.joined(separator: ", "))."
            throw EventStoreError(.unknownConsumer, "There is no consumer \(consumer). \(others)")
        }
        switch action {
        case .pause(let reason):
            try transaction.execute(
                """
                UPDATE disco_consumers SET paused_at = \(Self.time(now)), paused_reason = \(reason)
                WHERE name = \(consumer)
                """)
        case .resume:
            try transaction.execute(
                "UPDATE disco_consumers SET paused_at = NULL, paused_reason = NULL WHERE name = \(consumer)")
        case .partition(let count): try partition(state, count, at: now)
        case .rebuild: try rebuild(state, at: now)
        case .cancelRebuild:
            guard let building = state.building else { throw Self.invalid("No rebuild of \(consumer) is running.") }
            try drop(building.number, of: consumer)
            try transaction.execute(
                """
                UPDATE disco_consumers SET building = NULL, building_definition = NULL, building_since = NULL,
                    run_to = NULL
                WHERE name = \(consumer)
                """)
        case .revert: try revert(state, at: now)
        case .dropPrevious:
            guard let previous = state.previous else { return }
            try drop(previous.number, of: consumer)
            try transaction.execute(
                """
                UPDATE disco_consumers SET previous = NULL, previous_definition = NULL WHERE name = \(consumer)
                """)
        case .reset: try reset(state)
        case .exchange: return try exchange(state, stored, at: now)
        case .store: break
        }
        try change()
    }

    private static func invalid(_ message: String) -> EventStoreError { EventStoreError(.invalidArgument, message) }

    private func partition(_ state: ConsumerState, _ count: Int, at now: Date) throws {
        guard (1...StreamID.slices).contains(count) else {
            throw Self.invalid("A consumer can have 1 to \(StreamID.slices) partitions, not \(count).")
        }
        if state.building != nil || state.runTo != nil {
            throw Self.invalid("\(state.name) is being rebuilt or divided. Try again when that is done.")
        }
        try transaction.execute("UPDATE disco_consumers SET partitions = \(count) WHERE name = \(state.name)")
        let live = try partitions(of: state.name).filter(\.isLive)
        if live.map(\.partition.slices) == ConsumerPartition.slices(of: count) { return }
        try stop(state.name)
    }

    /// Lets all partitions run to the position of the furthest one, and stop there.
    private func stop(_ consumer: String) throws {
        // Waits for steps that are being stored, and refuses those that do not know the end yet.
        try transaction.execute("UPDATE disco_partitions SET fence = fence + 1 WHERE consumer = \(consumer)")
        let end = try partitions(of: consumer).map(\.checkpoint.position).max() ?? .start
        try transaction.execute("UPDATE disco_consumers SET run_to = \(end) WHERE name = \(consumer)")
    }

    private func rebuild(_ state: ConsumerState, at now: Date) throws {
        if state.building != nil { throw Self.invalid("\(state.name) is being rebuilt already.") }
        if state.runTo != nil { throw Self.invalid("\(state.name) is being divided. Try again when that is done.") }
        if try tables(of: state.name).isEmpty {
            throw Self.invalid(
                "\(state.name) cannot be rebuilt beside its running version: only projections can that write the names of their tables as \\(table: \"name\"). Reset it instead."
            )
        }
        if state.previous != nil { try administer(state.name, .dropPrevious, at: now) }
        try build(state, state.live.definition, at: now)
    }

    private func revert(_ state: ConsumerState, at now: Date) throws {
        guard let previous = state.previous else {
            throw Self.invalid("There is no earlier generation of \(state.name) to go back to.")
        }
        if state.building != nil { throw Self.invalid("\(state.name) is being rebuilt. Cancel that first.") }
        try transaction.execute(
            """
            UPDATE disco_consumers SET building = \(previous.number), building_definition = \(previous.definition),
                building_since = \(Self.time(now)), previous = NULL, previous_definition = NULL
            WHERE name = \(state.name)
            """)
    }

    private func reset(_ state: ConsumerState) throws {
        let consumer = state.name
        for name in try tables(of: consumer) {
            for generation in [state.building, state.previous].compactMap({ $0?.number }) {
                try transaction.execute(
                    SQLStatement(stringLiteral: "DROP TABLE IF EXISTS \(TableName.of(name, generation))"))
            }
            try transaction.execute(SQLStatement(stringLiteral: "DELETE FROM \(TableName.of(name, state.live.number))"))
        }
        for table in ["disco_partitions", "disco_held"] {
            try transaction.execute(SQLStatement(beginning: "DELETE FROM \(table)", "WHERE consumer = \(consumer)"))
        }
        // The live generation keeps its number, because its tables have it.
        try transaction.execute(
            """
            UPDATE disco_consumers SET live_definition = NULL, building = NULL, building_definition = NULL,
                building_since = NULL, previous = NULL, previous_definition = NULL, run_to = NULL
            WHERE name = \(consumer)
            """)
    }

    // MARK: Exchanging

    /// Exchanges the partitions, or the live generation, once they have come to where they must stop.
    private func exchange(_ state: ConsumerState, _ stored: [PartitionState], at now: Date) throws {
        let (building, live) = (
            stored.filter { $0.partition.generation == state.building?.number }, stored.filter(\.isLive)
        )
        guard let end = state.runTo else {
            // A generation that has caught up takes the place of the live one, unless it holds what that one has done.
            guard !building.isEmpty, let behind = live.map(\.checkpoint.position).min(),
                building.allSatisfy({ $0.checkpoint.position >= behind })
            else { return }
            if try !blocking(state).isEmpty { return }
            try stop(state.name)
            return try change()
        }
        // Loops give their partitions back when they have come to the end.
        let mustArrive = building.isEmpty ? live : building
        guard mustArrive.allSatisfy({ $0.checkpoint.position == end && $0.owner == nil }) else { return }
        if building.isEmpty {
            try divide(state, live, at: now)
        } else {
            guard live.allSatisfy({ $0.checkpoint.position <= end && $0.owner == nil }) else { return }
            if try !blocking(state).isEmpty {
                try transaction.execute("UPDATE disco_consumers SET run_to = NULL WHERE name = \(state.name)")
                return try change()
            }
            try switchGeneration(state, at: now)
        }
    }

    /// The streams that the generation being built holds, although the live one has processed them.
    func blocking(_ state: ConsumerState) throws -> [StreamID] {
        guard let building = state.building else { return [] }
        let all = 0...StreamID.slices - 1
        let live = Set(
            try held(by: ConsumerPartition(state.name, generation: state.live.number, slices: all)).map(\.stream))
        return try held(by: ConsumerPartition(state.name, generation: building.number, slices: all)).map(\.stream)
            .filter { !live.contains($0) }
    }

    private func divide(_ state: ConsumerState, _ live: [PartitionState], at now: Date) throws {
        guard let checkpoint = live.first?.checkpoint else { return }
        let fence = (live.map(\.fence).max() ?? 0) + 1
        // The earlier generation keeps its partitions.
        try transaction.execute(
            """
            DELETE FROM disco_partitions WHERE consumer = \(state.name) AND generation = \(state.live.number)
            """)
        try transaction.execute("UPDATE disco_consumers SET run_to = NULL WHERE name = \(state.name)")
        try add(
            state.name, state.live.number, ConsumerPartition.slices(of: state.partitions), checkpoint, fence: fence,
            at: now)
    }

    private func switchGeneration(_ state: ConsumerState, at now: Date) throws {
        guard let building = state.building else { return }
        try transaction.execute(
            """
            UPDATE disco_consumers SET live = \(building.number), live_definition = \(building.definition),
                previous = \(state.live.number), previous_definition = \(state.live.definition),
                switched_at = \(Self.time(now)), building = NULL, building_definition = NULL, building_since = NULL,
                run_to = NULL
            WHERE name = \(state.name)
            """)
        try transaction.execute("UPDATE disco_partitions SET fence = fence + 1 WHERE consumer = \(state.name)")
        for name in try tables(of: state.name) {
            try transaction.execute(SQLStatement(stringLiteral: "DROP VIEW IF EXISTS \(name)"))
            try createView(name, building.number)
        }
        try change()
    }
}

/// The tables of projections, which exist once for each generation.
enum TableName {
    static func of(_ name: String, _ generation: Int) -> String { "\(name)__\(generation)" }

    /// What is wrong with a name, or `nil`.
    static func fault(of name: String) -> String? {
        let isPlain = name.utf8.enumerated().allSatisfy { place, byte in
            (UInt8(ascii: "a")...UInt8(ascii: "z")).contains(byte) || byte == UInt8(ascii: "_")
                || place > 0 && (UInt8(ascii: "0")...UInt8(ascii: "9")).contains(byte)
        }
        if isPlain, (1...50).contains(name.utf8.count), !name.hasPrefix("disco_") { return nil }
        return
            "\"\(name.cut(to: 80))\" cannot be the name of a table: use 1 to 50 lower-case letters, digits and _, and do not begin with a digit or disco_."
    }
}
