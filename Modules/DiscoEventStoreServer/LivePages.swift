#if HTTP
import DiscoCore
import NIOCore

/// A page as followers are sent it.
struct LivePage: Sendable {
    /// Its events, in the form that the followers want.
    let bytes: ByteBuffer
    /// The position of its last event; the start if it has none.
    let last: Position
    let through: Position
    let head: Position
    let hasMore: Bool

    init(_ page: Page, isEventStream: Bool) {
        var bytes = ByteBuffer()
        for event in page.events {
            if isEventStream {
                bytes.writeString("id: \(event.position.rawValue)\nevent: event\ndata: ")
                bytes.writeLine(event.wire)
                bytes.writeString("\n")
            } else {
                bytes.writeString("{\"event\":")
                bytes.writeBytes(event.wire.bytes)
                bytes.writeString("}\n")
            }
        }
        self.bytes = bytes
        last = page.events.last?.position ?? .start
        (through, head, hasMore) = (page.through, page.head, page.hasMore)
    }
}

/// Reads and encodes a page once for all followers that need the same one: at each new event they come at once.
final class LivePages: Sendable {
    /// What a page depends on.
    struct Key: Hashable, Sendable {
        var after: Position
        var query: EventQuery
        /// The beginnings of the names of the streams that the follower may see.
        var prefixes: [ExactText]
        var isEventStream: Bool
    }

    private struct State: Sendable {
        /// Those who wait for a page that another follower reads.
        var waiting: [Key: [Waiter<LivePage?>]] = [:]
        /// The pages just read, for those who come a little later.
        var kept: [Key: LivePage] = [:]
        var keptBytes = 0
        var keptSince = Duration.zero

        mutating func forget(at now: Duration) {
            guard now - keptSince > keepingTime, !kept.isEmpty else { return }
            kept = [:]
            keptBytes = 0
        }

        mutating func keep(_ page: LivePage, _ key: Key, _ now: Duration) {
            forget(at: now)
            guard keptBytes + page.bytes.readableBytes <= mostKeptBytes, kept.count < 1000 else { return }
            if kept.isEmpty { keptSince = now }
            kept[key] = page
            keptBytes += page.bytes.readableBytes
        }
    }

    private enum Turn: Sendable {
        case taken(LivePage)
        case waits(Waiter<LivePage?>)
        case reads
    }

    /// For so long only: an event that is erased from the store must not be found here.
    private static let keepingTime = Duration.milliseconds(100)
    private static let mostKeptBytes = 8 << 20

    private let state = Locked(State())

    /// The page of a key, from `read` or from another follower that has just read it.
    @concurrent func page(
        _ key: Key, _ context: StoreContext, _ read: @concurrent @Sendable () async throws -> LivePage
    ) async throws -> LivePage {
        while true {
            switch turn(key, context.uptime()) {
            case .taken(let page): return page
            // Without a page, the one who reads has failed or gone.
            case .waits(let waiter): if let page = try await waiter.value() { return page }
            case .reads:
                do {
                    let page = try await read()
                    finish(key, page, context.uptime())
                    return page
                } catch {
                    finish(key, nil, context.uptime())
                    throw error
                }
            }
        }
    }

    private func turn(_ key: Key, _ now: Duration) -> Turn {
        state.withLock { state in
            state.forget(at: now)
            if let page = state.kept[key] { return .taken(page) }
            guard state.waiting[key] != nil else {
                state.waiting[key] = []
                return .reads
            }
            let waiter = Waiter<LivePage?>()
            state.waiting[key]?.append(waiter)
            return .waits(waiter)
        }
    }

    private func finish(_ key: Key, _ page: LivePage?, _ now: Duration) {
        let waiting = state.withLock { state in
            // A page without news would hide the news that come next.
            if let page, page.through > key.after { state.keep(page, key, now) }
            return state.waiting.removeValue(forKey: key) ?? []
        }
        for waiter in waiting { waiter.settle(.success(page)) }
    }
}

#endif
