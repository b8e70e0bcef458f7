#if Postgres
import DiscoCore
import Foundation

/// Encodes a batch of appends as arguments of the SQL function `append`, and decodes its result.
struct PostgresBatch {
    private let appends: [Append]
    /// The number, from 1, of each stream that is written or expected.
    private var places: [StreamID: Int] = [:]
    private var streams: [StreamID] = []
    /// The expected versions, in the order in which they were passed.
    private var expected: [(append: Int, stream: StreamID, version: ExpectedVersion)] = []

    init(_ appends: [Append]) { self.appends = appends }

    private mutating func place(of stream: StreamID) -> Int {
        if let place = places[stream] { return place }
        streams.append(stream)
        places[stream] = streams.count
        return streams.count
    }

    static let sql = """
        SELECT * FROM "disco".append($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17, $18, $19, $20, $21,
            $22, $23, $24, $25, $26, $27, $28)
        """

    /// The arguments of the function `append`.
    mutating func values(repeatsIDs: Bool) -> [PostgresValue] {
        var (keys, fingerprints, counts) = (PostgresArray(.text), PostgresArray(.text), PostgresArray(.int4))
        var (append, first) = (PostgresArray(.int4), PostgresArray(.int4))
        var (stream, number) = (PostgresArray(.int4), PostgresArray(.int4))
        var (names, categories, slices) = (PostgresArray(.text), PostgresArray(.text), PostgresArray(.int2))
        var (types, typeVersions, ids) = (PostgresArray(.text), PostgresArray(.int4), PostgresArray(.uuid))
        var (payloads, metadata) = (PostgresArray(.text), PostgresArray(.text))
        var (tagNames, tagEvent, tagAgain) = (PostgresArray(.text), PostgresArray(.int4), PostgresArray(.bool))
        var hasTagsAgain = false
        var (correlations, causations) = (PostgresArray(.uuid), PostgresArray(.uuid))
        var (expectedAppend, expectedStream, expectedVersion) = (
            PostgresArray(.int4), PostgresArray(.int4), PostgresArray(.int8)
        )
        var (conditionAppend, conditionAfter, conditionQueries) = (
            PostgresArray(.int4), PostgresArray(.int8), PostgresArray(.text)
        )
        var written: [Int64] = []
        for (index, one) in appends.enumerated() {
            keys.append(one.key?.key)
            fingerprints.append(one.key?.fingerprint)
            counts.append(Int64(one.events.count))
            let begin = Int64(ids.count) + 1
            for event in one.events {
                let place = place(of: event.stream)
                if place > written.count { written.append(0) }
                written[place - 1] += 1
                append.append(Int64(index + 1))
                first.append(begin)
                stream.append(Int64(place))
                number.append(written[place - 1])
                names.append(event.stream.name)
                categories.append(event.stream.category)
                slices.append(Int64(event.stream.slice))
                types.append(event.type)
                typeVersions.append(Int64(event.typeVersion))
                ids.append(event.id)
                payloads.append(event.payload.bytes)
                metadata.append(event.metadata.values?.bytes)
                correlations.append(event.metadata.correlationID)
                causations.append(event.metadata.causationID)
                let areOnce = event.tags.once.count == event.tags.count
                for (index, tag) in event.tags.enumerated() {
                    tagNames.append(tag.name)
                    tagEvent.append(Int64(ids.count))
                    let isAgain = !areOnce && event.tags.firstIndex(of: tag) != index
                    tagAgain.append(isAgain ? 1 : 0)
                    hasTagsAgain = hasTagsAgain || isAgain
                }
                if event.tags.isEmpty {
                    tagNames.appendNull()
                    tagEvent.append(Int64(ids.count))
                    tagAgain.append(0)
                }
            }
            for (name, version) in one.expect.sorted(by: { $0.key.name < $1.key.name }) {
                let place = place(of: name)
                if place > written.count { written.append(0) }
                expected.append((index, name, version))
                expectedAppend.append(Int64(index + 1))
                expectedStream.append(Int64(place))
                expectedVersion.append(version.number)
            }
            if let condition = one.condition {
                for item in condition.query.items {
                    conditionAppend.append(Int64(index + 1))
                    conditionAfter.append(condition.after.rawValue)
                    conditionQueries.append(item.json.bytes)
                }
            }
        }
        var streamNames = PostgresArray(.text)
        for stream in streams { streamNames.append(stream.name) }
        let hasKeys = appends.contains { $0.key != nil }
        return [
            hasKeys ? .array(keys) : .nullArray(.text), hasKeys ? .array(fingerprints) : .nullArray(.text),
            .array(counts), .array(streamNames), .array(append), .array(first), .array(stream), .array(number),
            .array(names),
            .array(categories), .array(slices), .array(types), .array(typeVersions), .array(ids),
            .array(payloads), metadata.orNull, correlations.orNull, causations.orNull,
            tagNames.orNull, tagNames.hasValues ? .array(tagEvent) : .nullArray(.int4),
            hasTagsAgain ? .array(tagAgain) : .nullArray(.bool), .bool(repeatsIDs),
            expectedAppend.orNull, expectedStream.orNull, expectedVersion.orNull, conditionAppend.orNull,
            conditionAfter.orNull, conditionQueries.orNull,
        ]
    }

    // MARK: The answer

    struct Answer {
        var outcomes: [Outcome]
        var head: Position

        enum Outcome {
            case appended(Appended)
            case refused(any Error)
            /// Recorded before: `count` events from the position `first` on.
            case repeated(first: Int64, count: Int64)
        }
    }

    func answer(_ result: PostgresResult) -> Answer {
        let (last, heads) = (result.int(0, 0), result.ints(0, 1) ?? [])
        let shown = result.ints(0, 2) ?? []
        let reasons = result.texts(0, 4) ?? []
        var refused: [Int: Int] = [:]
        for (index, append) in (result.ints(0, 3) ?? []).enumerated() { refused[Int(append ?? 0) - 1] = index }
        let (at, numbers) = (result.ints(0, 5) ?? [], result.ints(0, 6) ?? [])
        let ids = result.array(0, 7) { UUID(uuid: $0.loadUnaligned(as: uuid_t.self)) } ?? []
        var position = last
        var versions = heads.map { $0 ?? 0 }
        var outcomes: [Answer.Outcome] = []
        for (index, append) in appends.enumerated() {
            guard let place = refused[index] else {
                outcomes.append(
                    .appended(
                        Appended(
                            events: append.events.map { event in
                                position += 1
                                let stream = (places[event.stream] ?? 1) - 1
                                versions[stream] += 1
                                return .init(
                                    id: event.id, stream: event.stream, version: Int(versions[stream]),
                                    position: Position(rawValue: position))
                            })))
                continue
            }
            let culprit = (ids[place]) ?? append.events.first?.id ?? UUID()
            switch reasons[place] ?? "" {
            case "K", "I": outcomes.append(.repeated(first: at[place] ?? 0, count: numbers[place] ?? 0))
            case "X": outcomes.append(.refused(IdempotencyConflict(key: append.key?.key ?? "")))
            case "D": outcomes.append(.refused(DuplicateEvent(id: culprit)))
            case "G": outcomes.append(.refused(StreamDeleted(stream: streams[Int(numbers[place] ?? 1) - 1])))
            case "C":
                outcomes.append(
                    .refused(ConditionFailed(position: Position(rawValue: at[place] ?? 0), id: culprit)))
            default: outcomes.append(.refused(conflict(index, shown)))
            }
        }
        return Answer(outcomes: outcomes, head: Position(rawValue: position))
    }

    private func conflict(_ append: Int, _ shown: [Int64?]) -> VersionConflict {
        VersionConflict(
            streams: expected.filter { $0.append == append }.compactMap { entry in
                let actual = Int((shown[(places[entry.stream] ?? 1) - 1]) ?? 0)
                if entry.version.allows(actual) { return nil }
                return .init(stream: entry.stream, expected: entry.version, actual: actual)
            })
    }
}

extension PostgresArray {
    fileprivate mutating func append(_ text: String?) {
        if let text { append(text) } else { appendNull() }
    }

    fileprivate mutating func append(_ bytes: [UInt8]?) {
        if let bytes { append(bytes) } else { appendNull() }
    }

    fileprivate mutating func append(_ uuid: UUID?) {
        if let uuid { append(uuid) } else { appendNull() }
    }

    /// A null if the array contains only nulls.
    fileprivate var orNull: PostgresValue { hasValues ? .array(self) : .nullArray(element) }
}

extension [EventTag] {
    /// The tags without duplicates, in order.
    var once: [EventTag] {
        count < 2 || Set(self).count == count
            ? self : indices.filter { firstIndex(of: self[$0]) == $0 }.map { self[$0] }
    }
}

extension ExpectedVersion {
    /// The number that the SQL functions expect.
    var number: Int64 {
        switch self {
        case .any: -1
        case .noStream: -2
        case .streamExists: -3
        case .exactly(let version): version < 0 ? -4 : Int64(version)
        }
    }
}

extension EventQuery.Item {
    /// The JSON that the function expects.
    fileprivate var json: JSONText {
        JSONText([
            "types": types.isEmpty ? .null : .array(types.map(JSON.string)),
            "tags": tags.isEmpty ? .null : .array(tags.map { .string($0.name) }),
            "category": category.map(JSON.string) ?? .null, "stream": stream.map { .string($0.name) } ?? .null,
        ])
    }
}
#endif
