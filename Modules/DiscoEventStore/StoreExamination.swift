public import DiscoCore
public import Foundation

/// Examines the stored events of a store one by one, and finds damage by the rules of `StoreVerification`.
///
/// ```swift
/// var examination = StoreExamination(after: position, recordedAt: time, head: head)
/// while let row = try rows.next() { examination.examine(StoreExamination.Row(…)) }
/// return examination.page
/// ```
public struct StoreExamination: Sendable {
    /// One event as it is stored, damaged or not, readable or not.
    public struct Row: Sendable {
        public var position: Position
        /// The event's stream; `nil` if its name is lost.
        public var stream: StreamID?
        public var version: Int
        /// The highest version of its stream below its own; 0 if there is none.
        public var versionBefore: Int
        public var recordedAt: Date
        public var payload: JSONText
        /// Whether the event can be found by every tag that it carries.
        public var isFoundByTags: Bool
        /// Whether the name of its type is lost.
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

    /// The findings so far, and the position up to which events were examined.
    public private(set) var page: VerifiedPage
    private var recordedAt: Date?

    /// - Parameters:
    ///   - position: the position after which the examination starts.
    ///   - recordedAt: the time of the last event up to that position; `nil` if there is none.
    ///   - head: the last position of the store.
    public init(after position: Position, recordedAt: Date?, head: Position) {
        page = VerifiedPage(findings: [], through: position, head: head)
        self.recordedAt = recordedAt
    }

    /// - Parameter row: the next event, in position order.
    public mutating func examine(_ row: Row) {
        let position = row.position
        let stream = row.stream ?? StreamID("?")
        if row.stream == nil || row.lacksType { page.findings.append(.missingName(position)) }
        if position > page.through {
            // One less is still a valid position, because this position lies beyond another.
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
