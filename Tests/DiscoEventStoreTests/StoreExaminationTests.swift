import DiscoCore
import DiscoEventStore
import Foundation
import Testing

@Suite struct StoreExaminationTests {
    private func row(
        _ position: Position, _ stream: StreamID? = "a-1", version: Int, before: Int? = nil, at seconds: Double = 0,
        payload: String = "{}", isFoundByTags: Bool = true, lacksType: Bool = false
    ) -> StoreExamination.Row {
        .init(
            position: position, stream: stream, version: version, versionBefore: before ?? version - 1,
            recordedAt: Date(timeIntervalSince1970: seconds), payload: JSONText(unchecked: Array(payload.utf8)),
            isFoundByTags: isFoundByTags, lacksType: lacksType)
    }

    private func examined(
        after position: Position = 0, recordedAt: Date? = nil, _ rows: StoreExamination.Row...
    ) -> VerifiedPage {
        var examination = StoreExamination(after: position, recordedAt: recordedAt, head: 9)
        for row in rows { examination.examine(row) }
        return examination.page
    }

    @Test func aSoundStoreHasNoFindings() {
        let page = examined(row(1, version: 1), row(2, "b-1", version: 1, at: 1), row(3, version: 2, at: 1))
        #expect(page == VerifiedPage(findings: [], through: 3, head: 9))
        #expect(examined(after: 4) == VerifiedPage(findings: [], through: 4, head: 9))
    }

    @Test func missingEventsAreFound() {
        #expect(examined(row(3, version: 1)).findings == [.missingPositions(1, through: 2)])
        let page = examined(after: 4, row(5, version: 1), row(7, version: 2))
        #expect(page.findings == [.missingPositions(6, through: 6)])
        #expect(page.through == 7)
    }

    @Test func aVersionThatDoesNotFollowIsFound() {
        let page = examined(row(1, version: 3, before: 0), row(2, version: 4, before: 3))
        #expect(page.findings == [.wrongVersion(1, stream: "a-1", version: 3, expected: 1)])
    }

    @Test func aTimeBeforeThePreviousEventsIsFound() {
        #expect(examined(row(1, version: 1, at: 5), row(2, version: 2, at: 4)).findings == [.timeRunsBackwards(2)])
        let before = Date(timeIntervalSince1970: 9)
        #expect(examined(recordedAt: before, row(1, version: 1, at: 5)).findings == [.timeRunsBackwards(1)])
    }

    @Test func lostNamesWrongTagsAndDamagedPayloadsAreFound() {
        #expect(examined(row(1, nil, version: 1)).findings == [.missingName(1)])
        #expect(examined(row(1, version: 1, lacksType: true)).findings == [.missingName(1)])
        #expect(examined(row(1, version: 1, isFoundByTags: false)).findings == [.wrongTags(1, stream: "a-1")])
        let findings = examined(row(1, version: 1, payload: "{")).findings
        guard case .damagedPayload(1, stream: "a-1", let reason)? = findings.first else {
            Issue.record("\(findings)")
            return
        }
        #expect(reason.hasPrefix("not JSON"))
    }

    /// Any damage in a store is reported and never traps.
    @Test func extremeNumbersAreFindings() {
        let edges: [Int64] = [.min, .min + 1, -1, 0, 1, .max - 1, .max]
        for after in edges {
            for position in edges {
                for version in edges {
                    let at = Position(rawValue: position)
                    let page = examined(
                        after: Position(rawValue: after),
                        row(at, version: Int(version), before: Int(position)))
                    #expect(page.through == max(at, Position(rawValue: after)))
                }
            }
        }
    }
}
