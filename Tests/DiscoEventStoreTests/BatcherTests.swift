import DiscoCore
import Testing

@testable import DiscoEventStore

@Suite struct BatcherTests {
    private func append(
        _ stream: StreamID, expect: [StreamID: ExpectedVersion] = [:], condition: AppendCondition? = nil,
        key: String? = nil, tags: [EventTag] = []
    ) -> Append {
        Append(
            [NewEvent(stream: stream, type: "T", payload: "{}", tags: tags)], expect: expect, condition: condition,
            key: key.map { IdempotencyKey($0, fingerprint: "f") })
    }

    private func admitted(_ appends: Append...) -> [Bool] {
        var batcher = Batcher()
        return appends.map { batcher.admit($0) }
    }

    @Test func appendsToDifferentStreamsShareABatch() {
        #expect(
            admitted(append("a-1", expect: ["a-1": .noStream]), append("b-1", expect: ["b-1": .exactly(3)])) == [
                true, true,
            ])
    }

    @Test func appendsWithoutExpectationsShareTheirStream() {
        #expect(admitted(append("a-1"), append("a-1", expect: ["a-1": .any])) == [true, true])
    }

    @Test func aStreamWithAnExpectedVersionIsNotShared() {
        #expect(admitted(append("a-1"), append("a-1", expect: ["a-1": .exactly(1)])) == [true, false])
        #expect(admitted(append("a-1", expect: ["a-1": .exactly(1)]), append("a-1")) == [true, false])
        #expect(admitted(append("a-1"), append("b-1", expect: ["a-1": .streamExists])) == [true, false])
    }

    @Test func aRepeatedKeyOrIDWaits() {
        let first = append("a-1")
        #expect(admitted(first, first) == [true, false])
        #expect(admitted(append("a-1", key: "k"), append("b-1", key: "k")) == [true, false])
    }

    @Test func aConditionThatMatchesAnEarlierEventOfTheBatchWaits() {
        let condition = AppendCondition(noneMatch: .tags("x"))
        #expect(admitted(append("a-1", tags: ["x"]), append("b-1", condition: condition)) == [true, false])
        #expect(admitted(append("a-1", tags: ["y"]), append("b-1", condition: condition)) == [true, true])
    }

    @Test func aBatchIsBoundedInNumberAndBytes() {
        var batcher = Batcher()
        let taken = (0..<600).filter { batcher.admit(append(StreamID("s-\($0)"))) }
        #expect(taken == Array(0..<512))
        var heavy = Batcher()
        let payload = JSONText(.string(String(repeating: "x", count: 3 << 20)))
        let big = { (stream: StreamID) in Append([NewEvent(stream: stream, type: "T", payload: payload)]) }
        let admitted = [heavy.admit(big("a-1")), heavy.admit(big("b-1"))]
        #expect(admitted == [true, false])
    }
}
