import DiscoCore
import Foundation

/// Threads of their own for calls that block, and a state that they share with whoever gives them something to do.
///
/// Calls that block must not sit on Swift's cooperative pool: a few of them can stop the program. Each thread runs a
/// loop that waits until the state has something to do, does it, and waits again.
///
/// ```swift
/// let letters = Worker(name: "letters", state: [Letter]()) { loop in
///     while let letter = loop.wait({ $0.isEmpty ? nil : $0.removeFirst() }) { post(letter) }
/// }
/// letters.update { $0.append(letter) }
/// await letters.end()
/// ```
///
/// The threads do not keep the worker alive. They are to end when ``end()`` is called or the last reference to the
/// worker is gone; what the state still has is done before that.
public final class Worker<State: Sendable>: Sendable {
    fileprivate struct Shared: Sendable {
        var state: State
        var isEnding = false
        /// How many threads have not ended yet.
        var running: Int
        /// Who waits for them.
        var waiting: [CheckedContinuation<Void, Never>] = []
    }

    private let shared: Locked<Shared>

    /// - Parameters:
    ///   - name: that of the thread; of several, with a hyphen and a number from 1 behind it. Linux shows 15 characters.
    ///   - threads: how many threads run the loop.
    ///   - state: what they share at first.
    ///   - run: the loop, called once on each thread, which ends with it. It returns when ``Loop/wait(for:_:)`` gives
    ///     nothing more, or ``Loop/isEnding`` is true.
    public convenience init(
        name: String, threads: Int = 1, state: State, run: @escaping @Sendable (Loop) -> Void
    ) {
        precondition(threads > 0, "A worker needs a thread.")
        self.init(
            names: threads == 1 ? [name] : (1...threads).map { "\(name)-\($0)" }, state: state, run: run)
    }

    /// - Parameters:
    ///   - names: a thread for each, in the order of their ``Loop/index``.
    ///   - state: what they share at first.
    ///   - run: the loop, called once on each thread.
    public init(names: [String], state: State, run: @escaping @Sendable (Loop) -> Void) {
        precondition(!names.isEmpty, "A worker needs a thread.")
        let shared = Locked(Shared(state: state, running: names.count))
        self.shared = shared
        for (index, name) in names.enumerated() {
            Thread.start(name: name) {
                run(Loop(index: index, shared: shared))
                Self.threadEnded(shared)
            }
        }
    }

    deinit { stop() }

    /// Reads or changes the state, and wakes nobody.
    public func withState<Result>(_ body: (inout State) throws -> sending Result) rethrows -> sending Result {
        try shared.withLock { try body(&$0.state) }
    }

    /// Changes the state and wakes the threads; nil, with nothing changed, where they are to end.
    @discardableResult
    public func update<Result>(_ body: (inout State) throws -> sending Result) rethrows -> sending Result? {
        let result = try shared.withLock { shared in
            if shared.isEnding { return nil as Result? }
            return try body(&shared.state)
        }
        if result != nil { wake() }
        return result
    }

    /// Has every thread that waits look at the state again.
    public func wake() { shared.signal() }

    /// Tells the threads that they are to end, and returns when all of them have.
    public func end() async {
        stop()
        await withCheckedContinuation { continuation in
            let haveEnded = shared.withLock { shared in
                if shared.running > 0 { shared.waiting.append(continuation) }
                return shared.running == 0
            }
            if haveEnded { continuation.resume() }
        }
    }

    private func stop() {
        shared.withLock { $0.isEnding = true }
        shared.signal()
    }

    private static func threadEnded(_ shared: Locked<Shared>) {
        let waiting = shared.withLock { shared -> [CheckedContinuation<Void, Never>] in
            shared.running -= 1
            return shared.running == 0 ? shared.waiting : []
        }
        for continuation in waiting { continuation.resume() }
    }
}

extension Worker where State == Void {
    /// For a thread that is given nothing to do, but does something at intervals: see ``Loop/pause(for:)``.
    public convenience init(name: String, run: @escaping @Sendable (Loop) -> Void) {
        self.init(name: name, state: (), run: run)
    }
}

extension Worker {
    /// What one of the threads works with. Its calls block, and are for that thread alone.
    public struct Loop: Sendable {
        /// Which of the threads this is, from 0.
        public let index: Int
        fileprivate let shared: Locked<Shared>

        /// Whether the threads are to end.
        public var isEnding: Bool { shared.withLock { $0.isEnding } }

        /// Reads or changes the state, and wakes nobody.
        public func withState<Result>(_ body: (inout State) throws -> sending Result) rethrows -> sending Result {
            try shared.withLock { try body(&$0.state) }
        }

        /// Has every thread that waits look at the state again.
        public func wake() { shared.signal() }

        /// Blocks until `body` makes something of the state, tried anew whenever the threads are woken.
        ///
        /// - Parameters:
        ///   - limit: how long to wait, nil for as long as it takes.
        ///   - body: takes what there is to do from the state; nil where there is nothing.
        /// - Returns: nil where `body` still makes nothing of the state and the time is over, or the threads are to end:
        ///   so what was given to the worker before is done first.
        public func wait<Result>(
            for limit: Duration? = nil, _ body: (inout State) -> sending Result?
        ) -> sending Result? {
            let result: Result?? = shared.waiting(for: limit) { shared in
                if let result = body(&shared.state) { return .some(result) }
                return shared.isEnding ? .some(nil) : nil
            }
            return result ?? nil
        }

        /// Blocks until the time is over, or the threads are to end, which may be long before that.
        ///
        /// - Returns: whether the loop may go on.
        @discardableResult
        public func pause(for time: Duration) -> Bool {
            shared.waiting(for: time) { $0.isEnding ? true : nil } == nil
        }
    }
}
