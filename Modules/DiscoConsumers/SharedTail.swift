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

    private struct State: Sendable {
        /// The newest pages, without gaps, the oldest first.
        var segments: [Segment] = []
        /// Those who wait for the page that somebody reads.
        var waiting: [Waiter<Void>]?
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
        let waiting = state.withLock { state -> [Waiter<Void>] in
            if let segment, segment.page.through > segment.after {
                // Without a gap: a consumer that comes from further behind finds what it needs here, or in the store.
                if state.segments.last.map({ $0.page.through != segment.after }) ?? false { state.segments = [] }
                state.segments.append(segment)
                if state.segments.count > Self.mostPages { state.segments.removeFirst() }
            }
            defer { state.waiting = nil }
            return state.waiting ?? []
        }
        for waiter in waiting { waiter.settle(.success(())) }
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
