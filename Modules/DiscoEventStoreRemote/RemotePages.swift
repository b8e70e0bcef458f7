#if HTTP
import DiscoCore
import DiscoEventStore

/// Reads pages, and the next page ahead for a caller who reads page after page.
///
/// A page read ahead is used only if more follows it, so that nothing recorded since could be in it, and within a second,
/// so that what others delete disappears. Deleting and erasing here drops all of them.
final class RemotePages: Sendable {
    private struct Ahead: Sendable {
        let page: Task<Page, any Error>
        let since: Duration
    }

    private struct State: Sendable {
        /// What comes next after pages that were read lately.
        var expected: [Read] = []
        var ahead: [Read: Ahead] = [:]
    }

    private static let most = 8
    private static let age = Duration.seconds(1)

    private let server: RemoteServer
    private let hub: WakeUpHub
    private let state = Locked(State())

    init(server: RemoteServer, hub: WakeUpHub) {
        self.server = server
        self.hub = hub
    }

    deinit { forget() }

    func page(_ read: Read) async throws -> Page {
        let (ahead, isNext) = state.withLock { state in
            let index = state.expected.firstIndex(of: read)
            if let index { state.expected.remove(at: index) }
            return (state.ahead.removeValue(forKey: read), index != nil)
        }
        let page = if let page = try await page(ahead) { page } else { try await Self.fetch(read, server) }
        if page.hasMore, let next = read.following(page) { expect(next, readsAhead: isNext) }
        return page
    }

    /// The page read ahead, if it may be used.
    private func page(_ ahead: Ahead?) async throws -> Page? {
        guard let ahead else { return nil }
        guard server.context.uptime() - ahead.since < Self.age else {
            ahead.page.cancel()
            return nil
        }
        let page = try? await withTaskCancellationHandler {
            try await ahead.page.value
        } onCancel: {
            ahead.page.cancel()
        }
        try Task.checkCancellation()
        guard var page, page.hasMore else { return nil }
        // What this store has recorded since is below the head.
        page.head = max(page.head, hub.head)
        return page
    }

    private func expect(_ next: Read, readsAhead: Bool) {
        state.withLock { state in
            if state.expected.count >= 4 * Self.most { state.expected.removeFirst() }
            state.expected.append(next)
            guard readsAhead, state.ahead[next] == nil else { return }
            let now = server.context.uptime()
            for (read, ahead) in state.ahead where now - ahead.since >= Self.age {
                ahead.page.cancel()
                state.ahead[read] = nil
            }
            guard state.ahead.count < Self.most else { return }
            // Not a child of the caller, which has its page and goes on. Cancelled when it is not used.
            state.ahead[next] = Ahead(page: Task { [server] in try await Self.fetch(next, server) }, since: now)
        }
    }

    /// Drops what was read ahead.
    func forget() {
        state.withLock { state in
            if state.ahead.isEmpty { return }
            for ahead in state.ahead.values { ahead.page.cancel() }
            state.ahead = [:]
        }
    }

    @concurrent private static func fetch(_ read: Read, _ server: RemoteServer) async throws -> Page {
        try Page(wire: try await server.send(.init(.post, ["pages"], body: read.wire)))
    }
}

extension Read {
    /// The request for the page after `page`; `nil` if it is not read ahead.
    fileprivate func following(_ page: Page) -> Read? {
        guard direction == .forward, !settles, page.through > after else { return nil }
        var next = self
        next.after = page.through
        return next
    }
}
#endif
