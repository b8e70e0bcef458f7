import DiscoCore
import Foundation

/// The newest pages of a store, which the consumers of a process that have caught up read from memory: each page is
/// read from the store once, for all of them.
final class SharedTail: Sendable {
    /// What a consumer gets: the events that it selects, and how far it has come with them.
    struct Answer: Sendable {
        var news = ConsumerLoop.News()
        var through: Position
        var throughID: UUID?
        var head: Position
        var hasMore: Bool
    }

    private static let mostPages = 8
    static let pageSize = 500

    private struct Segment: Sendable {
        let after: Position
        let page: Page
        let groups: [Recorded]
    }

    /// A consumer that has read everything, and what would concern it.
    struct Idler: Sendable {
        let query: EventQuery
        let slices: ClosedRange<Int>?
        let waiter: Waiter<Void>
        /// Told each time that it passes something.
        let onPass: @Sendable (Position) -> Void
        /// Everything up to here does not concern it.
        var passed: Passed
        var isWoken = false
    }

    /// How far a consumer has come without doing anything.
    struct Passed: Sendable {
        var position: Position
        var id: UUID?
    }

    private struct State: Sendable {
        /// The newest pages, without gaps, the oldest first.
        var segments: [Segment] = []
        /// Those who wait for the page that somebody reads.
        var waiting: [Waiter<Void>]?
        /// Everything up to here was read.
        var end: Position?
        var idlers: [Int: Idler] = [:]
        var next = 0
        /// Those who watch the store for everyone, and wait until something was read.
        var starting: [Waiter<Void>] = []
        var watchers = 0
    }

    private let store: any EventStore
    private let state = Locked(State())

    init(_ store: any EventStore) { self.store = store }

    /// What a consumer that has caught up to `after` gets next.
    func next(_ query: EventQuery, _ slices: ClosedRange<Int>?, after: Position) async throws -> Answer? {
        while true {
            let (found, waiter, reads) = state.withLock { state -> (Segment?, Waiter<Void>?, Bool) in
                if let segment = state.segments.last(where: { $0.after <= after && $0.page.through > after }) {
                    return (segment, nil, false)
                }
                if state.waiting == nil {
                    state.waiting = []
                    return (nil, nil, true)
                }
                let waiter = Waiter<Void>()
                state.waiting?.append(waiter)
                return (nil, waiter, false)
            }
            if let found { return Self.answer(found, query, slices, after) }
            if let waiter {
                try await waiter.value()
                continue
            }
            precondition(reads)
            return try await read(query, slices, after)
        }
    }

    /// Reads the page after `after` for everyone.
    private func read(_ query: EventQuery, _ slices: ClosedRange<Int>?, _ after: Position) async throws -> Answer? {
        let segment: Segment
        do {
            var read = Read(after: after, limit: Self.pageSize)
            read.showsFailures = true
            let page = try await store.page(read)
            segment = Segment(after: after, page: page, groups: Recorded.grouped(page.events))
        } catch {
            finish(nil)
            throw error
        }
        finish(segment)
        return Self.answer(segment, query, slices, after)
    }

    private func finish(_ segment: Segment?) {
        var passing: [(@Sendable (Position) -> Void)] = []
        let waiting = state.withLock { state -> [Waiter<Void>] in
            var woken: [Waiter<Void>] = []
            if let segment {
                state.end = max(state.end ?? .start, max(segment.after, segment.page.through))
                woken = state.starting
                state.starting = []
            }
            if let segment, segment.page.through > segment.after {
                for (number, idler) in state.idlers where !idler.isWoken {
                    if Self.concerns(segment, idler) {
                        woken.append(idler.waiter)
                        state.idlers[number]?.isWoken = true
                    } else if segment.page.through > idler.passed.position {
                        state.idlers[number]?.passed = Passed(
                            position: segment.page.through, id: segment.page.throughID)
                        passing.append(idler.onPass)
                    }
                }
                // Without a gap: a consumer that comes from further behind finds what it needs here, or in the store.
                if state.segments.last.map({ $0.page.through != segment.after }) ?? false { state.segments = [] }
                state.segments.append(segment)
                if state.segments.count > Self.mostPages { state.segments.removeFirst() }
            }
            defer { state.waiting = nil }
            return woken + (state.waiting ?? [])
        }
        for waiter in waiting { waiter.settle(.success(())) }
        if let segment { for pass in passing { pass(segment.page.through) } }
    }

    /// Whether a consumer must look at a page.
    private static func concerns(_ segment: Segment, _ idler: Idler) -> Bool {
        // It comes from further behind, or only the store can tell.
        if segment.after > idler.passed.position || !segment.page.failures.isEmpty { return true }
        return segment.groups.contains { group in
            if group.position <= idler.passed.position { return false }
            if let slices = idler.slices, !slices.contains(group.stream.slice) { return false }
            return group.filtered(idler.query) != nil
        }
    }

    // MARK: Watching

    /// Reads what is appended, for all who wait with ``wait(_:_:after:onPass:)``, until the task is cancelled.
    func watch() async throws {
        state.withLock { $0.watchers += 1 }
        defer {
            // From now on, everyone waits for the store on their own.
            let woken = state.withLock { state -> [Waiter<Void>] in
                state.watchers -= 1
                if state.watchers > 0 { return [] }
                return state.idlers.values.map(\.waiter)
            }
            for waiter in woken { waiter.settle(.success(())) }
        }
        while true {
            let waiter = Waiter<Void>()
            let end = state.withLock { state -> Position? in
                if state.end == nil { state.starting.append(waiter) }
                return state.end
            }
            guard let end else {
                try await waiter.value()
                continue
            }
            try await store.wait(beyond: end)
            let reads = state.withLock { state -> Bool in
                if state.waiting != nil { return false }
                state.waiting = []
                return true
            }
            if reads {
                _ = try await read(.all, nil, end)
            } else {
                let waiter = Waiter<Void>()
                let isReading = state.withLock { state -> Bool in
                    if state.waiting == nil { return false }
                    state.waiting?.append(waiter)
                    return true
                }
                if isReading { try await waiter.value() }
            }
        }
    }

    /// Waits until something beyond a position concerns a consumer, or may do so.
    ///
    /// - Returns: how far it has come when the wait ends, also when the task is cancelled; `nil` if nobody watches the
    ///   store for it.
    func wait(
        _ query: EventQuery, _ slices: ClosedRange<Int>?, after: Position,
        onPass: @escaping @Sendable (Position) -> Void
    ) async -> Passed? {
        let waiter = Waiter<Void>()
        let number = state.withLock { state -> Int? in
            // Otherwise it has not seen what was read meanwhile.
            guard state.watchers > 0, state.end == after else { return nil }
            state.next += 1
            state.idlers[state.next] = Idler(
                query: query, slices: slices, waiter: waiter, onPass: onPass,
                passed: Passed(position: after, id: nil))
            return state.next
        }
        guard let number else { return nil }
        try? await waiter.value()
        return state.withLock { state in
            defer { state.idlers[number] = nil }
            return state.idlers[number]?.passed ?? Passed(position: after, id: nil)
        }
    }

    /// `nil` if only the store can tell: an event that cannot be upcast may be selected or not.
    private static func answer(
        _ segment: Segment, _ query: EventQuery, _ slices: ClosedRange<Int>?, _ after: Position
    ) -> Answer? {
        let page = segment.page
        if !page.failures.isEmpty { return nil }
        var answer = Answer(
            through: max(after, page.through), throughID: page.throughID, head: page.head, hasMore: page.hasMore)
        for group in segment.groups where group.position > after {
            if let slices, !slices.contains(group.stream.slice) { continue }
            if let group = group.filtered(query) { answer.news.events.append(group) }
        }
        return answer
    }
}
