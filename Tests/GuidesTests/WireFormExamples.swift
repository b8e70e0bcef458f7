import DiscoCore
import DiscoEventStore
import Foundation
import Testing

/// The code of the guide "The wire form", and its JSON.
@Suite struct WireFormExamples {
    @Test func anEventIsReadFromItsLine() async throws {
        let client = EventStoreClient(InMemoryEventStore())
        try await client.emit("DoorOpened", ["by": "ada"])
        let event = try await client.events(.types("DoorOpened")).collect()[0]
        let line = event.wire.string
        let same = try RecordedEvent(wire: JSONText(line))
        #expect(same == event)
    }

    /// The JSON blocks of the guide, in order.
    private func blocks() throws -> [String] {
        let guide = URL(filePath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
            .deletingLastPathComponent().appending(path: "Modules/DiscoCore/DiscoCore.docc/Wire-form.md")
        return try String(contentsOf: guide, encoding: .utf8).components(separatedBy: "```json\n").dropFirst()
            .map { $0.components(separatedBy: "```")[0] }
    }

    @Test func theJSONOfTheGuideIsTheWireForm() throws {
        let blocks = try blocks()
        try #require(blocks.count == 4)
        let event = try RecordedEvent(wire: JSONText(blocks[0]))
        #expect(event.wire.string + "\n" == blocks[0])
        let append = try Append(wire: JSONText(blocks[1]))
        #expect(append.events.map(\.stream) == ["wallet-1"])
        #expect(append.expect == ["wallet-1": .exactly(3), "wallet-2": .noStream])
        #expect(append.condition?.after == 7)
        #expect(append.key?.key == "deposit-1")
        let read = try Read(wire: JSONText(blocks[2]))
        #expect(read.slices == 0...511)
        #expect(read.limit == 100)
        let conflict = try #require(try WireError(wire: JSONText(blocks[3])).error as? VersionConflict)
        #expect(conflict.streams.map(\.actual) == [3])
        // The guide omits nothing: encoding the values again gives the same members.
        #expect(try read.wire.value()["byte_limit"] == 1_000_000)
        let error = try JSONText(blocks[3]).value()
        #expect(try WireError(conflict).wire.value() == error)
    }
}
