/// Delivers all recorded events and then new ones as they are recorded, without gaps or repeats.
///
/// It is pulled, so a follower that does not read holds one page and slows nobody down. It retries after transient
/// errors. It throws when its task is cancelled (`CancellationError`) or the store is closed.
public struct Subscription: AsyncSequence, Sendable {
    public enum Element: Hashable, Sendable {
        case event(RecordedEvent)
        /// Every matching event up to this position was delivered. Sent when the position advances past events that do
        /// not match.
        case progress(Position)
        /// Every matching event in the store at the time of the last read was delivered.
        case caughtUp
    }

    let store: any EventStore
    let query: EventQuery
    let after: Position

    public func makeAsyncIterator() -> Iterator { Iterator(store: store, query: query, position: after) }

    public struct Iterator: AsyncIteratorProtocol {
        private let store: any EventStore
        private let query: EventQuery
        private var position: Position
        private var pending: ArraySlice<Element> = []
        private var behind = true
        private var failures = 0

        init(store: any EventStore, query: EventQuery, position: Position) {
            self.store = store
            self.query = query
            self.position = position
        }

        public mutating func next() async throws -> Element? {
            while true {
                if let element = pending.popFirst() { return element }
                if !behind { try await patiently { store, position in try await store.wait(beyond: position) } }
                let query = query
                let page = try await patiently { store, position in
                    try await store.page(Read(query, after: position, limit: 500))
                }
                guard let page else { continue }
                pending = page.events.map(Element.event)[...]
                if page.through > (page.events.last?.position ?? position) { pending.append(.progress(page.through)) }
                if page.through > position { behind = true }
                position = page.through
                if behind, !page.hasMore, page.through >= page.head {
                    pending.append(.caughtUp)
                    behind = false
                }
            }
        }

        /// Returns `nil` after a transient error and a delay that grows with each failure.
        @discardableResult
        private mutating func patiently<Result: Sendable>(
            _ body: (any EventStore, Position) async throws -> Result
        ) async throws -> Result? {
            do {
                let result = try await body(store, position)
                failures = 0
                return result
            } catch let error as EventStoreError where [.busy, .unavailable].contains(error.code) {
                failures += 1
                try await store.context.sleep(for: .milliseconds(Swift.min(5000, 20 << Swift.min(failures, 8))))
                return nil
            }
        }
    }
}
