/// Carries out commands later, while whoever sent them goes on: a bounded queue in memory.
///
/// ```swift
/// let queue = CommandQueue(orchestrator)                      // queue.run() is a service of the app
/// let ticket = try queue.enqueue(DepositMoney(id: id, amount: 5))
/// try await ticket.outcome().state                            // where the outcome is wanted
/// ```
///
/// Commands for one aggregate are carried out in the order in which they came; others beside each other. **What waits
/// here is lost when the process is killed.** A graceful shutdown carries it out first. Commands are taken before
/// ``run()`` begins, and wait for it.
public final class CommandQueue: Sendable {
    private struct Item: Sendable {
        /// Those of one lane go one after the other; nil for those that may go at once.
        let lane: StreamID?
        let carryOut: @Sendable () async -> Void
        let cancel: @Sendable (any Error) -> Void
    }

    private struct State: Sendable {
        var ready: [Item] = []
        /// What waits behind another of its lane, by the lane.
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
    ///   - orchestrator: carries out the commands.
    ///   - capacity: how many commands may wait or be carried out at once, at least 1; one more is refused with
    ///     ``DispatchError/queueFull(capacity:)``.
    ///   - width: how many are carried out beside each other, from 1 to 1000.
    public init(_ orchestrator: Orchestrator, capacity: Int = 1000, width: Int = 32) {
        self.orchestrator = orchestrator
        self.capacity = max(1, capacity)
        self.width = min(max(1, width), 1000)
    }

    deinit { close(DispatchError.queueClosed) }

    /// How many commands wait or are being carried out.
    public var count: Int { state.withLock { $0.count } }

    /// - Throws: ``DispatchError/queueFull(capacity:)`` or ``DispatchError/queueClosed``; nothing was taken then.
    public func enqueue<C: AggregateCommand>(
        _ command: C, metadata: Metadata = .none, key: String? = nil
    ) throws -> Ticket<Dispatched<C.State>> {
        try enqueue(in: command.target.id.map(C.State.streamID)) { orchestrator in
            try await orchestrator.dispatch(command, metadata: metadata, key: key)
        }
    }

    /// - Throws: ``DispatchError/queueFull(capacity:)`` or ``DispatchError/queueClosed``; nothing was taken then.
    public func enqueue<C: ModelCommand>(
        _ command: C, metadata: Metadata = .none, key: String? = nil
    ) throws -> Ticket<Dispatched<C.Model>> {
        try enqueue(in: nil) { orchestrator in
            try await orchestrator.dispatch(command, metadata: metadata, key: key)
        }
    }

    /// - Throws: ``DispatchError/queueFull(capacity:)`` or ``DispatchError/queueClosed``; nothing was taken then.
    public func enqueue<C: ActionCommand>(
        _ command: C, metadata: Metadata = .none, key: String? = nil
    ) throws -> Ticket<Dispatched<C.Output>> {
        try enqueue(in: nil) { orchestrator in
            try await orchestrator.dispatch(command, metadata: metadata, key: key)
        }
    }

    /// A command by name.
    ///
    /// - Throws: ``DispatchError/unknownCommand(_:known:)``, ``DispatchError/queueFull(capacity:)`` or
    ///   ``DispatchError/queueClosed``; nothing was taken then.
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

    /// To one that is idle, who is returned, or to whoever becomes so.
    private static func hand(_ item: Item, _ state: inout State) -> Waiter<Item?>? {
        while let waiter = state.idle.popLast() {
            if waiter.take() { return waiter }
        }
        state.ready.append(item)
        return nil
    }

    /// Carries out what comes, until ``drain()`` was called and nothing waits any more, or its task is cancelled: then
    /// what waits is refused with ``DispatchError/queueClosed``.
    public func run() async throws {
        state.withLock { state in
            precondition(!state.isRunning, "The queue is running already. Run it once.")
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

    /// Nil at the end.
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

    /// Takes no more commands; ``run()`` returns when those that wait have been carried out.
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
