import DiscoTesting
import Foundation
import Testing

@testable import DiscoCore

/// The JSON form of values sent between programs, encoded and decoded.
@Suite struct WireFormTests {
    private static let id = UUID(uuidString: "0198a6c0-0000-7000-8000-000000000001")!
    private static let id2 = UUID(uuidString: "0198a6c0-0000-7000-8000-000000000002")!
    private static let date = Timestamp.date(from: "2026-01-31T12:00:00.123456Z")!

    private static let event = RecordedEvent(
        position: 7, stream: "wallet-1", version: 2, id: id, type: "MoneyDeposited", typeVersion: 3,
        payload: #"{"b":12.50,"a":9007199254740993}"#,
        metadata: Metadata(correlationID: id, causationID: id2, values: #"{"by":"ada"}"#), tags: ["a:1", "b"],
        recordedAt: date)
    private static let eventLine =
        #"{"position":7,"stream":"wallet-1","version":2,"id":"0198a6c0-0000-7000-8000-000000000001","#
        + #""type":"MoneyDeposited","type_version":3,"payload":{"b":12.50,"a":9007199254740993},"#
        + #""correlation_id":"0198a6c0-0000-7000-8000-000000000001","#
        + #""causation_id":"0198a6c0-0000-7000-8000-000000000002","metadata":{"by":"ada"},"tags":["a:1","b"],"#
        + #""recorded_at":"2026-01-31T12:00:00.123456Z"}"#

    private func check<Value: WireForm & Equatable>(_ value: Value, _ line: String) throws {
        #expect(value.wire.string == line)
        #expect(try Value(wire: JSONText(line)) == value)
    }

    @Test func eachTypeHasItsDocumentedForm() throws {
        try check(Self.event, Self.eventLine)
        let new = NewEvent(id: Self.id, stream: "a-1", type: "T", payload: "[1]")
        let newLine =
            #"{"id":"0198a6c0-0000-7000-8000-000000000001","stream":"a-1","type":"T","type_version":1,"payload":[1],"#
            + #""correlation_id":null,"causation_id":null,"metadata":null,"tags":[]}"#
        try check(new, newLine)
        try check(
            Metadata(correlationID: Self.id, values: "{}"),
            #"{"correlation_id":"0198a6c0-0000-7000-8000-000000000001","causation_id":null,"metadata":{}}"#)
        let query = EventQuery.types("T").tagged("x").or(.stream("a-1"))
        let queryLine =
            #"{"items":[{"types":["T"],"tags":["x"],"category":null,"stream":null},"#
            + #"{"types":[],"tags":[],"category":null,"stream":"a-1"}]}"#
        try check(query, queryLine)
        try check(
            Append(
                [new], expect: ["a-1": .exactly(3), "b-1": .noStream, "c-1": .streamExists, "d-1": .any],
                condition: AppendCondition(noneMatch: query, after: 9), key: IdempotencyKey("k", fingerprint: "f")),
            #"{"events":["# + newLine
                + #"],"expect":{"a-1":3,"b-1":"none","c-1":"exists","d-1":"any"},"condition":{"query":"# + queryLine
                + #","after":9},"key":{"key":"k","fingerprint":"f"}}"#)
        try check(
            Appended(events: [.init(id: Self.id, stream: "a-1", version: 1, position: 5)], repeated: true),
            #"{"events":[{"id":"0198a6c0-0000-7000-8000-000000000001","stream":"a-1","version":1,"position":5}],"#
                + #""repeated":true}"#)
        var read = Read(
            query, direction: .backward, after: 1, upTo: 9, versions: 2...3, asOf: Self.date, limit: 10, byteLimit: 20,
            slices: 0...511)
        read.settles = true
        try check(
            read,
            #"{"query":"# + queryLine
                + #","direction":"backward","after":1,"up_to":9,"from_version":2,"to_version":3,"#
                + #""as_of":"2026-01-31T12:00:00.123456Z","limit":10,"byte_limit":20,"from_slice":0,"to_slice":511,"#
                + #""settles":true}"#)
        try check(
            Page(events: [Self.event], through: 8, head: 9, hasMore: true, throughID: Self.id2, settled: Self.date),
            #"{"events":["# + Self.eventLine
                + #"],"through":8,"through_id":"0198a6c0-0000-7000-8000-000000000002","head":9,"has_more":true,"#
                + #""settled":"2026-01-31T12:00:00.123456Z"}"#)
    }

    @Test func whatServersAnswerHasItsForm() throws {
        try check(
            StoreIdentity(store: Self.id, epoch: 3), #"{"store":"0198a6c0-0000-7000-8000-000000000001","epoch":3}"#)
        try check(StreamInfo(stream: "a-\u{0}é", version: 2), #"{"stream":"a-\u0000é","version":2}"#)
        try check(
            Snapshot(
                key: SnapshotKey(stream: "a-1", name: "A", fingerprint: ""), version: .max, state: #"{"b":1.50,"a":2}"#),
            #"{"stream":"a-1","name":"A","fingerprint":"","version":9223372036854775807,"state":{"b":1.50,"a":2}}"#)
        let findings: [Finding] = [
            .missingPositions(1, through: 2), .wrongVersion(3, stream: "a-1", version: 4, expected: 2), .missingName(5),
            .damagedPayload(6, stream: "a-1", reason: "not \"JSON\""), .timeRunsBackwards(7),
            .wrongTags(8, stream: "a-1"),
        ]
        let page = VerifiedPage(findings: findings, through: 8, head: 9)
        #expect(try VerifiedPage(wire: JSONText(page.wire.string)) == page)
        try check(
            VerifiedPage(findings: [.missingName(5)], through: 5, head: 9),
            #"{"findings":[{"finding":"missing_name","position":5,"message":"\#(Finding.missingName(5))"}],"through":5,"head":9}"#
        )
        #expect(throws: ValidationError.self) {
            try VerifiedPage(wire: #"{"findings":[{"finding":"rust","position":5}],"through":5,"head":9}"#)
        }
    }

    @Test(arguments: [
        "", "x", "0198a6c0-0000-7000-8000-00000000000", "0198a6c0-0000-7000-8000-0000000000011",
        "0198a6c0000007000-8000-0000000000001", "0198a6c0-0000-7000-8000-00000000000g",
        "0198a6c0-0000-7000-8000-0000000000é", " 198a6c0-0000-7000-8000-000000000001", "\u{0}",
    ])
    func onlyIdsInFullAreIds(text: String) { #expect(UUID(digits: text) == nil) }

    @Test func idsOfEitherCaseAreRead() {
        for id in (0..<100).map({ _ in UUID() }) {
            #expect(UUID(digits: id.uuidString) == id && UUID(digits: id.lowercased) == id)
        }
    }

    @Test func integersOfEveryFormAreRead() throws {
        for (text, value) in [
            ("0", 0), ("-0", 0), ("7", 7), ("-7", -7), ("1e2", 100), ("2.0", 2),
            ("999999999999999999", 999_999_999_999_999_999),
            ("9223372036854775807", .max), ("-9223372036854775808", .min),
        ] {
            #expect(try StreamInfo(wire: JSONText(#"{"stream":"a-1","version":\#(text)}"#)).version == value)
        }
        for text in ["9223372036854775808", "1.5", "\"7\"", "true", "1e400"] {
            #expect(throws: ValidationError.self, "\(text)") {
                try StreamInfo(wire: JSONText(#"{"stream":"a-1","version":\#(text)}"#))
            }
        }
        // A member that is not JSON is found while the object is read.
        #expect(throws: (any Error).self) {
            try StreamInfo(wire: JSONText(unchecked: Array(#"{"stream":"a-1","version":007}"#.utf8)))
        }
    }

    @Test func queriesAreEqualByTheirBytes() {
        let (composed, decomposed) = ("caf\u{e9}", "cafe\u{301}")
        #expect(EventQuery.types(composed) != .types(decomposed))
        #expect(EventQuery.category(composed) != .category(decomposed))
        #expect(Set([Read(.types(composed)), Read(.types(decomposed)), Read(.types(composed))]).count == 2)
    }

    @Test func listsAreCutIntoTheirElements() throws {
        #expect(try WireList.texts(#"[{"a":1.0}, [2],null]"#)?.map(\.string) == [#"{"a":1.0}"#, "[2]", "null"])
        #expect(try WireList.texts("  [] ")?.isEmpty == true)
        #expect(try WireList.texts("{}") == nil)
        #expect(WireList.write(["1", "{}"]).string == "[1,{}]")
        #expect(WireList.object("x", []).string == #"{"x":[]}"#)
        #expect(throws: (any Error).self) { try WireList.texts(JSONText(unchecked: Array("[1,".utf8))) }
    }

    @Test func eventsOfARequestTakeTheStreamOfItsPath() throws {
        let one = try NewEvent.events(wire: #"{"type":"T","payload":{}}"#, in: "a-1")
        #expect(one.map(\.stream) == ["a-1"])
        #expect(try NewEvent.events(wire: #"[{"type":"T"},{"stream":"a-1","type":"U"}]"#, in: "a-1").count == 2)
        for wrong in [#"{"stream":"a-2","type":"T"}"#, #"[{"type":"T","typ":1}]"#, #"[{}]"#, "7", "null"] {
            #expect(throws: ValidationError.self, "\(wrong)") { try NewEvent.events(wire: JSONText(wrong), in: "a-1") }
        }
    }

    @Test func omittedMembersHaveDefaults() throws {
        #expect(try Read(wire: "{}") == Read())
        #expect(try Append(wire: #"{"events": []}"#) == Append([]))
        let new = try NewEvent(wire: #"{"stream": "a-1", "type": "T", "payload": {}}"#)
        #expect(new.typeVersion == 1 && new.tags == [] && new.metadata == .none && new.id != Self.id)
        #expect(try Metadata(wire: "{}") == .none)
        #expect(try Read(wire: #"{"from_version": 3}"#).versions == 3...(.max))
    }

    // MARK: Payloads

    @Test(arguments: [
        #"{ "a" : 1 , "a":2}"#, "12.500", "18446744073709551615", "1e400", #""\u00e9é""#, "null", "  [1]  ", "[]\n",
        "{\n  \"a\": 1\r\n}", #""\"\\""#, "", "not JSON", "{\"a\":", "\u{FEFF}1",
    ])
    func payloadsAndMetadataRoundTripByteForByte(text: String) throws {
        let payload = JSONText(unchecked: Array(text.utf8))
        let event = RecordedEvent(
            position: 1, stream: "a-1", version: 1, id: Self.id, type: "T", payload: payload,
            metadata: Metadata(values: payload), recordedAt: Self.date)
        let line = event.wire
        #expect(!line.bytes.contains(0x0A) && !line.bytes.contains(0x0D))
        let read = try RecordedEvent(wire: JSONText(line.string))
        #expect(read == event)
        #expect(read.payload.bytes == payload.bytes)
    }

    @Test func bytesThatAreNotTextRoundTripToo() throws {
        let payload = JSONText(unchecked: [0x22, 0xFF, 0x22])
        let event = RecordedEvent(
            position: 1, stream: "a-1", version: 1, id: Self.id, type: "T", payload: payload, recordedAt: Self.date)
        #expect(event.wire.string.contains(#""payload_base64":"Iv8i""#))
        #expect(try RecordedEvent(wire: event.wire) == event)
    }

    @Test func thePayloadWithTheDeepestNestingFitsIntoAPage() throws {
        let payload = try JSONText(String(repeating: "[", count: 512) + String(repeating: "]", count: 512))
        let event = RecordedEvent(
            position: 1, stream: "a-1", version: 1, id: Self.id, type: "T", payload: payload, recordedAt: Self.date)
        let page = Page(events: [event], through: 1, head: 1, hasMore: false, throughID: nil)
        #expect(try Page(wire: page.wire) == page)
        let conflict = VersionConflict(
            streams: [.init(stream: "a-1", expected: .exactly(0), actual: 1, unseen: [event], complete: true)])
        let read = try WireError(wire: WireError(conflict).wire).error
        #expect(read as? VersionConflict == conflict)
    }

    // MARK: Generated values

    private func metadata(_ values: inout GeneratedValues) throws -> Metadata {
        Metadata(
            correlationID: values.pick([nil, values.uuid()]), causationID: values.pick([nil, values.uuid()]),
            values: values.flag() ? nil : JSONText(["k": .string(values.text()), "é": JSON(values.decimal())]))
    }

    private func query(_ values: inout GeneratedValues) -> EventQuery {
        EventQuery(
            items: (0..<values.pick([0, 1, 3])).map { _ in
                .init(
                    types: (0..<values.pick([0, 1, 2])).map { _ in values.text() },
                    tags: (0..<values.pick([0, 1, 2])).map { _ in EventTag(values.text()) },
                    category: values.pick([nil, values.text()]), stream: values.pick([nil, StreamID(values.text())]))
            })
    }

    private func new(_ values: inout GeneratedValues) throws -> NewEvent {
        NewEvent(
            id: values.uuid(), stream: StreamID(values.text()), type: values.text(), typeVersion: values.integer(),
            payload: try JSONText(encoding: EveryKind.generated(&values)), metadata: try metadata(&values),
            tags: (0..<values.pick([0, 1, 3])).map { _ in EventTag(values.text()) })
    }

    private func recorded(_ values: inout GeneratedValues) throws -> RecordedEvent {
        let event = try new(&values)
        return RecordedEvent(
            position: Position(rawValue: Int64(values.integer())), stream: event.stream, version: values.integer(),
            id: event.id, type: event.type, typeVersion: event.typeVersion, payload: event.payload,
            metadata: event.metadata, tags: event.tags, recordedAt: values.date())
    }

    private func roundTrip<Value: WireForm & Equatable>(_ value: Value) throws {
        let text = value.wire
        // The text is a single line.
        #expect(!text.bytes.contains(0x0A))
        #expect(try Value(wire: JSONText(text.string)) == value)
    }

    @Test func generatedValuesRoundTrip() throws {
        var values = GeneratedValues()
        for _ in 0..<500 {
            try roundTrip(metadata(&values))
            try roundTrip(query(&values))
            try roundTrip(new(&values))
            try roundTrip(recorded(&values))
            let position = Position(rawValue: Int64(values.integer()))
            let id = values.uuid()
            var read = Read(
                query(&values), direction: values.pick([.forward, .backward]), after: position,
                upTo: values.pick([nil, position]), versions: values.pick([nil, Int.min...0, 3...(.max)]),
                asOf: values.pick([nil, values.date()]), limit: max(0, values.integer()),
                byteLimit: max(1, values.integer()), slices: values.pick([nil, -5...2000]))
            read.settles = values.flag()
            try roundTrip(read)
            let appended = Appended.Event(
                id: id, stream: StreamID(values.text()), version: values.integer(), position: position)
            try roundTrip(Appended(events: [appended, appended], repeated: values.flag()))
            try roundTrip(
                Page(
                    events: [recorded(&values), recorded(&values)], through: position, head: position,
                    hasMore: values.flag(), throughID: values.pick([nil, id]),
                    settled: values.pick([nil, values.date()])))
            let expected: [ExpectedVersion] = [.any, .noStream, .streamExists, .exactly(values.integer())]
            var append = Append([try new(&values)], expect: [StreamID(values.text()): values.pick(expected)])
            append.condition = values.pick([nil, AppendCondition(noneMatch: query(&values), after: position)])
            append.key = values.pick([nil, IdempotencyKey(values.text(), fingerprint: values.text())])
            try roundTrip(append)
        }
    }

    // MARK: Unknown members

    @Test func anUnknownMemberOfARequestIsRefusedByItsPath() {
        func refused<Value: WireForm>(_ type: Value.Type, _ text: String, _ path: String) {
            let error = #expect(throws: ValidationError.self) { _ = try Value(wire: JSONText(text)) }
            #expect(error?.fields == [path: ["is not a known field"]])
        }
        refused(Append.self, #"{"events": [], "expected": {"a-1": 3}}"#, "expected")
        refused(
            Append.self, #"{"events": [{"stream": "a-1", "type": "T", "payload": 1, "tag": "x"}]}"#, "events.0.tag")
        refused(NewEvent.self, #"{"stream": "a-1", "type": "T", "payload": 1, "version": 1}"#, "version")
        refused(EventQuery.self, #"{"items": [{"type": "T"}]}"#, "items.0.type")
        refused(Read.self, #"{"upto": 3}"#, "upto")
        refused(Metadata.self, #"{"user": "ada"}"#, "user")
        refused(
            Append.self, #"{"events": [], "condition": {"query": {"items": []}, "afer": 1}}"#, "condition.afer")
        refused(Read.self, #"{"limit\u0000": 3}"#, "limit\0")
    }

    @Test func anUnknownMemberOfAResponseIsIgnored() throws {
        let line = Self.eventLine.dropLast() + #","new":{"a":[1]}}"#
        #expect(try RecordedEvent(wire: JSONText(String(line))) == Self.event)
        #expect(try Appended(wire: #"{"events": [], "shard": 3}"#) == Appended(events: []))
        let page = #"{"events": [], "through": 1, "head": 2, "has_more": false, "took": 3}"#
        #expect(
            try Page(wire: JSONText(page)) == Page(events: [], through: 1, head: 2, hasMore: false, throughID: nil))
    }

    @Test(arguments: [
        (#"{"events": [], "events": []}"#, ["events": ["occurs twice"]]),
        (#"{"events": [], "expect": {"a-1": 1, "a-1": "any"}}"#, ["expect.a-1": ["occurs twice"]]),
        (#"{}"#, ["events": ["is required"]]), (#"{"events": {}}"#, ["events": ["must be a list"]]),
        (#"[]"#, ["": ["must be an object"]]), (#"{"events": [1]}"#, ["events.0": ["must be an object"]]),
        (
            #"{"events": [], "expect": {"a-1": 1.5}}"#,
            ["expect.a-1": [#"must be a version, "any", "none" or "exists""#]]
        ),
        (
            #"{"events": [], "expect": {"a-1": 9223372036854775808}}"#,
            ["expect.a-1": [#"must be a version, "any", "none" or "exists""#]]
        ),
        (#"{"events": [{"type": "T"}]}"#, ["events.0.stream": ["is required"]]),
        (
            #"{"events": [{"stream": "a-1", "type": "T", "id": "x"}]}"#,
            ["events.0.id": ["must be a valid UUID string"]]
        ),
        (
            #"{"events": [{"stream": "a-1", "type": "T", "type_version": "1"}]}"#,
            ["events.0.type_version": ["must be an integer"]]
        ),
    ])
    func invalidMembersAreNamedByTheirPaths(text: String, fields: [String: [String]]) throws {
        let error = #expect(throws: ValidationError.self) { _ = try Append(wire: JSONText(text)) }
        #expect(error?.fields == fields)
    }

    @Test func impossibleReadsAreRefused() throws {
        for text in [
            #"{"from_version": 3, "to_version": 2}"#, #"{"as_of": "NaN"}"#, #"{"direction": "up"}"#,
            #"{"limit": 1.5}"#, #"{"settles": 1}"#,
        ] {
            #expect(throws: ValidationError.self) { _ = try Read(wire: JSONText(text)) }
        }
        // A value that no reader accepts cannot be sent as another.
        let read = Read(asOf: Date(timeIntervalSinceReferenceDate: .nan))
        #expect(throws: ValidationError.self) { _ = try Read(wire: read.wire) }
        #expect(throws: JSONError.self) { _ = try Read(wire: JSONText(unchecked: Array("{".utf8))) }
    }

    // MARK: Errors

    @Test func refusalsRoundTrip() throws {
        func roundTrip<Failure: Error & Equatable>(_ error: Failure) throws {
            #expect(try WireError(wire: WireError(error).wire).error as? Failure == error)
        }
        var values = GeneratedValues()
        for _ in 0..<50 {
            try roundTrip(
                VersionConflict(streams: [
                    .init(
                        stream: StreamID(values.text()), expected: .exactly(values.integer()), actual: values.integer(),
                        unseen: [recorded(&values), recorded(&values)], complete: values.flag()),
                    .init(stream: "a-1", expected: .noStream, actual: 2),
                ]))
            try roundTrip(ConditionFailed(position: Position(rawValue: Int64(values.integer())), id: values.uuid()))
            try roundTrip(DuplicateEvent(id: values.uuid()))
            try roundTrip(IdempotencyConflict(key: values.text()))
            try roundTrip(StreamDeleted(stream: StreamID(values.text())))
            try roundTrip(ValidationError([values.text(): [values.text(), "b"], "x": []]))
        }
    }

    @Test func technicalErrorsKeepCodeKindAndMessage() throws {
        let busy = try WireError(wire: WireError(EventStoreError(.busy, "Try again.")).wire).error
        #expect((busy as? EventStoreError)?.code == .busy)
        #expect((busy as? EventStoreError)?.code.kind == .unavailable)
        #expect((busy as? EventStoreError)?.message == "Try again.")
        let own = EventStoreError(EventStoreError.Code("quota", .exhausted), "Too much.")
        let read = try WireError(wire: WireError(own).wire).error as? EventStoreError
        #expect(read?.code.name == "quota" && read?.code.kind == .exhausted)
        let unknown = OutcomeUnknown(append: Append([]), underlying: CancellationError())
        #expect(ErrorDescription(try WireError(wire: WireError(unknown).wire).error).kind == .unknownOutcome)
        let newer = try WireError(wire: #"{"error": "teapot", "kind": "hot", "message": "m"}"#).error
        #expect(ErrorDescription(newer).kind == .internal)
    }
}
