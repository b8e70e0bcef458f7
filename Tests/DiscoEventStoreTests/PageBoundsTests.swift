import DiscoCore
import DiscoEventStore
import Foundation
import Testing

@Suite struct PageBoundsTests {
    private func event(_ position: Int64, bytes: Int = 2) -> RecordedEvent {
        RecordedEvent(
            position: Position(rawValue: position), stream: "a-1", version: Int(position), id: UUID(), type: "T",
            payload: JSONText(.string(String(repeating: "x", count: bytes - 2))), recordedAt: Date())
    }

    @Test func aPageThatIsNotFullEndsAtItsBound() {
        let forward = PageBounds(Read(after: 2, limit: 3), upTo: 9).collect([event(4), event(5)])
        #expect(forward.events.map(\.position) == [4, 5])
        #expect(forward.through == 9)
        #expect(!forward.hasMore)
        let backward = PageBounds(Read(direction: .backward, after: 2, limit: 3), upTo: 9).collect([event(5)])
        #expect(backward.through == 2)
        #expect(!backward.hasMore)
    }

    @Test func aFullPageEndsAtItsLastEvent() {
        let forward = PageBounds(Read(limit: 2), upTo: 9).collect((1...9).map { event($0) })
        #expect(forward.events.map(\.position) == [1, 2])
        #expect(forward.through == 2)
        #expect(forward.hasMore)
        #expect(!PageBounds(Read(limit: 2), upTo: 2).collect((1...2).map { event($0) }).hasMore)
        let heavy = PageBounds(Read(byteLimit: 10), upTo: 9).collect((1...9).map { event($0, bytes: 8) })
        #expect(heavy.events.map(\.position) == [1, 2])
        let backward = PageBounds(Read(direction: .backward, after: 3, limit: 2), upTo: 9).collect([event(9), event(4)])
        #expect(backward.through == 4)
        #expect(!backward.hasMore)
    }

    @Test func eventsBeyondAFullPageAreLeftOut() {
        var page = PageBounds(Read(limit: 1), upTo: 9)
        #expect(!page.isFull)
        page.take(event(1))
        #expect(page.isFull)
        page.take(event(2))
        #expect(page.events.map(\.position) == [1])
        #expect(page.page().through == 1)
    }

    /// Also for a read that was not validated.
    @Test func extremeBoundsDoNotTrap() {
        let edges = [Int64.min, -1, 0, 1, .max].map(Position.init(rawValue:))
        for direction in [Read.Direction.forward, .backward] {
            for after in edges {
                for upTo in edges {
                    for limit in [0, 1, .max] {
                        let read = Read(direction: direction, after: after, limit: limit)
                        #expect(PageBounds(read, upTo: upTo).collect([]).events == [])
                    }
                }
            }
        }
    }

    @Test func unseenEventsAreBounded() {
        #expect((1...150).map { event($0) }.boundedAsUnseen().count == VersionConflict.mostUnseen)
        let heavy = (1...5).map { event($0, bytes: 100 << 10) }
        #expect(heavy.boundedAsUnseen().count == 2)
        #expect([event(1, bytes: 300 << 10)].boundedAsUnseen().count == 1)
    }
}
