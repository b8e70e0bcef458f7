import DiscoCore
import DiscoEventStore
import Foundation
import Testing

@Suite struct UnseenTests {
    private struct Broken: Error {}

    private func store() async throws -> InMemoryEventStore {
        let store = InMemoryEventStore()
        let events = (0..<5).map { _ in NewEvent(stream: "a-1", type: "T", payload: "{}") }
        _ = try await store.append(Append(events))
        return store
    }

    private let conflict = VersionConflict(streams: [
        .init(stream: "a-1", expected: .exactly(3), actual: 5),
        .init(stream: "b-1", expected: .streamExists, actual: 0),
    ])

    @Test func aConflictIsGivenItsUnseenEvents() async throws {
        let store = try await store()
        let reads = Locked<[Read]>([])
        let full = await conflict.readingUnseen { read in
            reads.withLock { $0.append(read) }
            return try await store.page(read).events
        }
        #expect(full.streams.map { $0.unseen.map(\.version) } == [[4, 5], []])
        #expect(full.streams.map(\.complete) == [true, false])
        // The last seen event is read too: if it is gone, the caller must not continue from it.
        #expect(reads.withLock { $0.map(\.versions) } == [3...5])
        let events = try await store.page(Read()).events
        let blocking = self.conflict.withUnseen { read in events.filter { read.versions?.contains($0.version) == true }
        }
        #expect(blocking == full)
    }

    @Test func aConflictHasNoUnseenEventsIfTheyCannotBeRead() async throws {
        #expect(await conflict.readingUnseen { _ in throw Broken() } == conflict)
        let blocking: (Read) throws -> [RecordedEvent] = { _ in throw Broken() }
        #expect(conflict.withUnseen(blocking) == conflict)
    }
}
