/// Runs commands later, while their sender continues: a bounded queue in memory.
///
/// ```swift
/// let queue = CommandQueue(orchestrator)                      // queue.run() is a service of the app
/// let ticket = try queue.enqueue(DepositMoney(id: id, amount: 5))
/// try await ticket.outcome().state                            // if you need the outcome
/// ```
///
/// Commands for one aggregate run in the order in which they were enqueued; other commands run concurrently. **Waiting
/// commands are lost when the process is killed.** A graceful shutdown runs them first. Commands can be enqueued before
/// ``run()`` starts; they wait for it.
public final class CommandQueue: Sendable {
    private struct Item: Sendable {
        /// Items in one lane run one after the other; `nil` for items that may run at once.
        let lane: StreamID?
        let carryOut: @Sendable () async -> Void
        let cancel: @Sendable (any Error) -> Void
    }

    private struct State: Sendable {
        var ready: [Item] = []
        /// Items waiting behind another in their lane, by lane.
        var behind: [StreamID: [Item]] = [:]
        var count = 0
        var isClosed = false
        var isRunning = false
        var idle: [Waiter<Item?>] = []
    }

    private let orchestrator: Orchestrator
    private let capacity: Int
    private let width: Int
    private let state = Locked(State())

    /// - Parameters:
    ///   - orchestrator: runs the commands.
    ///   - capacity: how many commands may be waiting or running at once, at least 1; further commands are refused with
    ///     ``DispatchError/queueFull(capacity:)``.
    ///   - width: how many commands run concurrently, from 1 to 1000.
    public init(_ orchestrator: Orchestrator, capacity: Int = 1000, width: Int = 32) {
        self.orchestrator = orchestrator
        self.capacity = max(1, capacity)
        self.width = min(max(1, width), 1000)
    }

    deinit { close(DispatchError.queueClosed) }

    /// How many commands are waiting or running.
    public var count: Int { state.withLock { $0.count } }

    /// - Throws: ``DispatchError/queueFull(capacity:)`` or ``DispatchError/queueClosed``; the command is then not
    ///   enqueued.
    public func enqueue<C: AggregateCommand>(
        _ command: C, metadata: Metadata = .none, key: String? = nil
    ) throws -> Ticket<Dispatched<C.State>> {
        try enqueue(in: command.target.id.map(C.State.streamID)) { orchestrator in
            try await orchestrator.dispatch(command, metadata: metadata, key: key)
        }
    }

    /// - Throws: ``DispatchError/queueFull(capacity:)`` or ``DispatchError/queueClosed``; the command is then not
    ///   enqueued.
    public func enqueue<C: ModelCommand>(
        _ command: C, metadata: Metadata = .none, key: String? = nil
    ) throws -> Ticket<Dispatched<C.Model>> {
        try enqueue(in: nil) { orchestrator in
            try await orchestrator.dispatch(command, metadata: metadata, key: key)
        }
    }

    /// - Throws: ``DispatchError/queueFull(capacity:)`` or ``DispatchError/queueClosed``; the command is then not
    ///   enqueued.
    public func enqueue<C: ActionCommand>(
        _ command: C, metadata: Metadata = .none, key: String? = nil
    ) throws -> Ticket<Dispatched<C.Output>> {
        try enqueue(in: nil) { orchestrator in
            try await orchestrator.dispatch(command, metadata: metadata, key: key)
        }
    }

    /// Enqueues a command by name.
    ///
    /// - Throws: ``DispatchError/unknownCommand(_:known:)``, ``DispatchError/queueFull(capacity:)`` or
    ///   ``DispatchError/queueClosed``; the command is then not enqueued.
    public func enqueue(
        _ name: String, _ fields: JSON, metadata: Metadata = .none, key: String? = nil
    ) throws -> Ticket<Dispatched<JSON>> {
        let command = try orchestrator.command(name, fields)
        return try enqueue(in: command.lane) { _ in
            try await command.carryOut(
                DispatchOptions(metadata: metadata, key: key, consumers: [], limit: .zero))
        }
    }

    private func enqueue<Outcome: Sendable>(
        in lane: StreamID?, _ dispatch: @escaping @Sendable (Orchestrator) async throws -> Outcome
    ) throws -> Ticket<Outcome> {
        let ticket = Ticket<Outcome>()
        let orchestrator = orchestrator
        let item = Item(lane: lane) {
            do {
                ticket.settle(.success(try await dispatch(orchestrator)))
            } catch {
                ticket.settle(.failure(error))
            }
        } cancel: {
            ticket.settle(.failure($0))
        }
        let woken = try state.withLock { state -> Waiter<Item?>? in
            if state.isClosed { throw DispatchError.queueClosed }
            if state.count >= capacity { throw DispatchError.queueFull(capacity: capacity) }
            state.count += 1
            if let lane {
                guard state.behind[lane] == nil else {
                    state.behind[lane]?.append(item)
                    return nil
                }
                state.behind[lane] = []
            }
            return Self.hand(item, &state)
        }
        woken?.settle(.success(item))
        return ticket
    }

    /// Hands the item to an idle worker, which is returned, or leaves it to the next free one.
    private static func hand(_ item: Item, _ state: inout State) -> Waiter<Item?>? {
        while let waiter = state.idle.popLast() {
            if waiter.take() { return waiter }
        }
        state.ready.append(item)
        return nil
    }

    /// Runs commands until ``drain()`` was called and none are left, or until its task is cancelled: waiting commands
    /// are then refused with ``DispatchError/queueClosed``.
    public func run() async throws {
        state.withLock { state in
            precondition(!state.isRunning, "The queue is already running. Call `run()` once.")
            state.isRunning = true
        }
        defer { close(DispatchError.queueClosed) }
        try await withThrowingTaskGroup(of: Void.self) { group in
            for _ in 0..<width { group.addTask { try await self.work() } }
            try await group.waitForAll()
        }
    }

    private func work() async throws {
        while let item = try await next() {
            await item.carryOut()
            let woken = state.withLock { state -> [Waiter<Item?>] in
                state.count -= 1
                var woken: [Waiter<Item?>] = []
                if let lane = item.lane, var behind = state.behind[lane] {
                    if behind.isEmpty {
                        state.behind[lane] = nil
                    } else {
                        state.ready.append(behind.removeFirst())
                        state.behind[lane] = behind
                    }
                }
                if state.isClosed, state.count == 0 {
                    woken = state.idle
                    state.idle = []
                }
                return woken
            }
            for waiter in woken { waiter.settle(.success(nil)) }
        }
    }

    /// The next item; `nil` at the end.
    private func next() async throws -> Item? {
        try Task.checkCancellation()
        let waiter = Waiter<Item?>()
        let item = state.withLock { state -> Item?? in
            if !state.ready.isEmpty { return state.ready.removeFirst() }
            if state.isClosed, state.count == 0 { return .some(nil) }
            state.idle.append(waiter)
            return nil
        }
        if let item { return item }
        return try await waiter.value()
    }

    /// Stops accepting commands; ``run()`` returns once the waiting ones have run.
    public func drain() {
        let woken = state.withLock { state -> [Waiter<Item?>] in
            state.isClosed = true
            guard state.count == 0 else { return [] }
            defer { state.idle = [] }
            return state.idle
        }
        for waiter in woken { waiter.settle(.success(nil)) }
    }

    private func close(_ error: any Error) {
        let left = state.withLock { state -> [Item] in
            state.isClosed = true
            let left = state.ready + state.behind.values.flatMap(\.self)
            state.ready = []
            state.behind = [:]
            state.count -= left.count
            return left
        }
        for item in left { item.cancel(error) }
    }
}
