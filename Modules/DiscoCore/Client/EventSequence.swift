import Foundation

/// Events read page by page, each page in its own short transaction, so that memory use stays constant.
public struct EventSequence: AsyncSequence, Sendable {
    public typealias Element = RecordedEvent
    let store: any EventStore
    let read: Read
    let limit: Int?

    public func makeAsyncIterator() -> Iterator { Iterator(store: store, read: read, remaining: limit ?? .max) }

    /// Reads all events into memory.
    public func collect() async throws -> [RecordedEvent] {
        var events: [RecordedEvent] = []
        for try await event in self { events.append(event) }
        return events
    }

    public struct Iterator: AsyncIteratorProtocol {
        let store: any EventStore
        var read: Read
        var remaining: Int
        private var page: ArraySlice<RecordedEvent> = []
        private var last: UUID?
        private var done = false

        init(store: any EventStore, read: Read, remaining: Int) {
            self.store = store
            self.read = read
            self.remaining = remaining
        }

        public mutating func next() async throws -> RecordedEvent? {
            // Return all parts of a split event, even beyond the limit: resuming after the first part would never get
            // past it.
            while remaining > 0 || (last != nil && page.first?.id == last) {
                if let event = page.popFirst() {
                    if remaining > 0 { remaining -= 1 }
                    last = event.id
                    return event
                }
                if done { return nil }
                read.limit = Swift.max(1, Swift.min(read.limit, remaining))
                let next = try await store.page(read)
                page = next.events[...]
                done = !next.hasMore
                switch read.direction {
                case .forward: read.after = next.through
                case .backward: read.upTo = Position(rawValue: next.through.rawValue - 1)
                }
                if let last = next.events.last { goOn(from: last.version) }
            }
            return nil
        }

        /// Within one stream, a store finds a version directly but a position only by scanning the stream.
        private mutating func goOn(from version: Int) {
            guard read.query.items.count == 1, read.query.items[0].stream != nil else { return }
            let versions = read.versions ?? 1...(.max)
            switch read.direction {
            case .forward where version < versions.upperBound: read.versions = version + 1...versions.upperBound
            case .backward where version > versions.lowerBound: read.versions = versions.lowerBound...version - 1
            default: done = true
            }
        }
    }
}
