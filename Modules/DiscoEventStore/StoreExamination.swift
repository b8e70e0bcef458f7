public import DiscoCore
public import Foundation

/// Looks at the events of a store as they lie there, one after the other, and finds what is in no sound store: the rules
/// of `StoreVerification`.
///
/// ```swift
/// var examination = StoreExamination(after: position, recordedAt: time, head: head)
/// while let row = try rows.next() { examination.examine(StoreExamination.Row(…)) }
/// return examination.page
/// ```
public struct StoreExamination: Sendable {
    /// One event as it lies in the store, damaged or not, readable or not.
    public struct Row: Sendable {
        public var position: Position
        /// Nil where its name is lost.
        public var stream: StreamID?
        public var version: Int
        /// The highest version of its stream below its own, 0 where there is none.
        public var versionBefore: Int
        public var recordedAt: Date
        public var payload: JSONText
        /// Whether each tag that it carries leads to it.
        public var isFoundByTags: Bool
        /// Whether its type's name is lost.
        public var lacksType: Bool

        public init(
            position: Position, stream: StreamID?, version: Int, versionBefore: Int, recordedAt: Date,
            payload: JSONText, isFoundByTags: Bool = true, lacksType: Bool = false
        ) {
            self.position = position
            self.stream = stream
            self.version = version
            self.versionBefore = versionBefore
            self.recordedAt = recordedAt
            self.payload = payload
            self.isFoundByTags = isFoundByTags
            self.lacksType = lacksType
        }
    }

    /// What was examined so far, and what was found.
    public private(set) var page: VerifiedPage
    private var recordedAt: Date?

    /// - Parameters:
    ///   - position: where the examination begins.
    ///   - recordedAt: the time of the last event up to there, nil where there is none.
    ///   - head: the last position of the store.
    public init(after position: Position, recordedAt: Date?, head: Position) {
        page = VerifiedPage(findings: [], through: position, head: head)
        self.recordedAt = recordedAt
    }

    /// - Parameter row: the next one in the order of the positions.
    public mutating func examine(_ row: Row) {
        let position = row.position
        let stream = row.stream ?? StreamID("?")
        if row.stream == nil || row.lacksType { page.findings.append(.missingName(position)) }
        if position > page.through {
            // One less is still a position, since it lies beyond another.
            let before = Position(rawValue: position.rawValue - 1)
            if before > page.through {
                let first = Position(rawValue: page.through.rawValue + 1)
                page.findings.append(.missingPositions(first, through: before))
            }
            page.through = position
        }
        let (next, overflows) = row.versionBefore.addingReportingOverflow(1)
        let expected = overflows ? .max : next
        if row.version != expected {
            page.findings.append(
                .wrongVersion(position, stream: stream, version: row.version, expected: expected))
        }
        if let recordedAt, row.recordedAt < recordedAt { page.findings.append(.timeRunsBackwards(position)) }
        recordedAt = row.recordedAt
        do {
            try row.payload.check()
        } catch {
            page.findings.append(.damagedPayload(position, stream: stream, reason: "\(error)"))
        }
        if !row.isFoundByTags { page.findings.append(.wrongTags(position, stream: stream)) }
    }
}
