import DiscoCore
import DiscoEventStore
import Foundation

extension EventStoreConformance {
    static let appendCases: [Case] = [
        Case("A1", "versions and positions have no gaps, and the result reports them") { suite in
            try await suite.withStore { client in
                let first = try await client.append(Append([event("a-1"), event("a-1")]))
                let second = try await client.append(Append([event("b-1"), event("a-1")]))
                try requireEqual(first.events.map(\.version), [1, 2], "versions")
                try requireEqual(first.events.map(\.position.rawValue), [1, 2], "positions")
                try requireEqual(second.events.map(\.version), [1, 3], "versions")
                try requireEqual(second.events.map(\.position.rawValue), [3, 4], "positions")
                try requireEqual(second.version(of: "a-1"), 3, "version of the stream")
                try requireEqual(second.repeated, false, "repeated")
                let read = try await client.events().collect()
                try requireEqual(read.map(\.id), (first.events + second.events).map(\.id), "ids")
            }
        },
        Case("A2", "the result has the first and last position, the ids, and each stream's version") { suite in
            try await suite.withStore { client in
                try await client.append(Append([event("a-1")]))
                let events = [event("b-1"), event("a-1"), event("b-1")]
                let appended = try await client.append(Append(events))
                try requireEqual(appended.first, 2, "first position")
                try requireEqual(appended.last, 4, "last position")
                try requireEqual(appended.events.map(\.id), events.map(\.id), "ids")
                try requireEqual(appended.events.map(\.stream), ["b-1", "a-1", "b-1"], "streams")
                try requireEqual(appended.version(of: "a-1"), 2, "version of a-1")
                try requireEqual(appended.version(of: "b-1"), 2, "version of b-1")
                try requireEqual(appended.version(of: "c-1"), nil, "version of a stream that was not written")
            }
        },
        Case("A3", "an append without events creates no stream") { suite in
            try await suite.withStore { client in
                let appended = try await client.append(Append([]))
                try requireEqual(appended.events.count, 0, "events")
                try requireEqual(try await client.head(), 0, "head")
            }
        },
        Case("A4", "5,000 events in one append") { suite in
            try await suite.withStore { client in
                let appended = try await client.append(Append((0..<5000).map { _ in event("a-1") }))
                try requireEqual(appended.last, 5000, "last position")
                try requireEqual(try await client.version(of: "a-1"), 5000, "version")
            }
        },
        Case("A5", "an append that reuses a recorded id is refused unless it repeats the whole append") { suite in
            try await suite.withStore { client in
                let old = event("a-1")
                try await client.append(Append([old, event("a-1")]))
                var elsewhere = old
                elsewhere.stream = "b-1"
                for events in [[old], [elsewhere], [event("a-1"), old]] {
                    let error = try await requireThrows(DuplicateEvent.self) { try await client.append(Append(events)) }
                    try requireEqual(error.id, old.id, "id")
                }
                let twice = event("c-1")
                try await requireThrows(DuplicateEvent.self) { try await client.append(Append([twice, twice])) }
                try requireEqual(try await client.head(), 2, "head")
            }
        },
        Case("A6", "a repeated append and a repeated key return the first result") { suite in
            try await suite.withStore { client in
                let append = Append([event("a-1"), event("b-1")], expect: ["a-1": .noStream])
                let first = try await client.append(append)
                try await client.append(Append([event("a-1")]))
                let again = try await client.append(append)
                try requireEqual(again.events, first.events, "result")
                try requireEqual(again.repeated, true, "repeated")

                let key = IdempotencyKey("k", fingerprint: "f")
                let keyed = try await client.append(Append([event("a-1")], key: key))
                let repeated = try await client.append(
                    Append([event("a-1")], expect: ["a-1": .noStream], key: key))
                try requireEqual(repeated.events, keyed.events, "result of the key")
                try await requireThrows(IdempotencyConflict.self) {
                    try await client.append(Append([event("a-1")], key: .init("k", fingerprint: "other")))
                }
                let empty = IdempotencyKey("empty", fingerprint: "f")
                try await client.append(Append([], key: empty))
                try requireEqual(try await client.append(Append([event("a-1")], key: empty)).events.count, 0, "events")
                let refused = IdempotencyKey("refused", fingerprint: "f")
                try await requireThrows(VersionConflict.self) {
                    try await client.append(Append([event("a-1")], expect: ["a-1": .noStream], key: refused))
                }
                try requireEqual(
                    try await client.append(Append([event("a-1")], key: refused)).repeated, false, "repeated")
                try requireEqual(try await client.head(), 5, "head")
            }
        },
        Case("A6", "an append can be looked up by its key, and old keys can be forgotten") { suite in
            try await suite.withStore { client in
                let keys = try demand(client.store.abilities.keys, "key lookup")
                let (key, empty) = (IdempotencyKey("k", fingerprint: "é"), IdempotencyKey("empty", fingerprint: "f"))
                try requireEqual(try await keys.recorded(under: key), nil, "unknown key")
                try await client.append(Append([event("a-1")]))
                let first = try await client.append(Append([event("a-1"), event("b-1")], key: key))
                try await client.append(Append([], key: empty))
                try await client.append(Append([event("a-1")]))
                try requireEqual(try await keys.recorded(under: key)?.events, first.events, "what was recorded")
                try requireEqual(try await keys.recorded(under: key)?.repeated, true, "repeated")
                try requireEqual(try await keys.recorded(under: empty)?.events, [], "what was recorded")
                for fingerprint in ["other", "e\u{301}"] {
                    try await requireThrows(IdempotencyConflict.self) {
                        _ = try await keys.recorded(under: .init("k", fingerprint: fingerprint))
                    }
                }
                try requireEqual(try await keys.recorded(under: .init("K", fingerprint: "é")), nil, "another key")
                let events = try await client.events().collect()
                let storedAt = events[1].recordedAt
                let later = Date(timeIntervalSinceNow: 3600)
                try requireEqual(
                    try await keys.forgetKeys(storedBefore: storedAt, ofPolicies: true), 0, "forgotten")
                try requireEqual(try await keys.forgetKeys(storedBefore: later, ofPolicies: false), 2, "forgotten")
                try requireEqual(try await keys.recorded(under: key), nil, "forgotten key")
                try requireEqual(
                    try await client.append(Append([event("a-1")], key: key)).repeated, false, "repeated")
                try requireEqual(try await client.events(upTo: 4).collect(), events, "events")
            }
        },
        Case("A6", "the keys of policies' commands are kept unless they are asked for") { suite in
            try await suite.withStore { client in
                let keys = try demand(client.store.abilities.keys, "key lookup")
                let policy = IdempotencyKey("$policy/p/1/c/1", fingerprint: "f")
                for key in [policy, IdempotencyKey("plain", fingerprint: "f")] {
                    try await client.append(Append([event("a-1")], key: key))
                }
                let later = Date(timeIntervalSinceNow: 3600)
                try requireEqual(try await keys.forgetKeys(storedBefore: later, ofPolicies: false), 1, "forgotten")
                try requireEqual(try await keys.recorded(under: policy)?.events.count, 1, "events of the policy")
                try requireEqual(try await keys.forgetKeys(storedBefore: later, ofPolicies: true), 1, "forgotten")
                try requireEqual(try await keys.recorded(under: policy), nil, "forgotten key")
                let reserved = Append([event("a-1")], key: IdempotencyKey("$other", fingerprint: "f"))
                let error = try await requireThrows(EventStoreError.self) { try await client.append(reserved) }
                try requireEqual(error.code, .invalidAppend, "code")
            }
        },
        Case("A7", "several streams are written in order or not at all; every refused stream is named") { suite in
            try await suite.withStore { client in
                try await client.append(Append([event("c-1")]))
                let conflict = try await requireThrows(VersionConflict.self) {
                    try await client.append(
                        Append(
                            [event("a-1"), event("b-1")],
                            expect: ["a-1": .noStream, "b-1": .streamExists, "c-1": .noStream]))
                }
                try requireEqual(conflict.streams.map(\.stream), ["b-1", "c-1"], "refused streams")
                try requireEqual(try await client.head(), 1, "head")
                try await client.append(
                    Append([event("a-1"), event("b-1"), event("a-1")], expect: ["c-1": .exactly(1), "a-1": .noStream]))
                let streams = try await client.events(after: 1).collect().map(\.stream)
                try requireEqual(streams, ["a-1", "b-1", "a-1"], "order")
            }
        },
        Case("A8", "text, numbers and dates read back unchanged") { suite in
            try await suite.withStore { client in
                let payload = JSONText(
                    unchecked: Array(
                        #"{ "a" : 9223372036854775807, "b":12345678901234567890.123456789,"é🎉":"x" , "e\u0301": null}"#
                            .utf8))
                let big = JSONText(.string(String(repeating: "é", count: 500_000)))
                let name = StreamID("cat-" + String(repeating: "x", count: 400) + "é🎉")
                try await client.append(
                    Append([event(name, "Type é🎉", payload, tags: ["tag:🎉"]), event(name, "Big", big)]))
                let read = try await client.events(in: name).collect()
                try requireEqual(read.map(\.payload), [payload, big], "payloads")
                try requireEqual(read.first?.type, "Type é🎉", "type")
                try requireEqual(read.first?.tags, ["tag:🎉"], "tags")
                try requireEqual(read.first?.stream, name, "stream")
            }
        },
        Case("A9", "metadata, correlation id, causation id and tags are stored; each is optional") { suite in
            try await suite.withStore { client in
                let metadata = Metadata(correlationID: UUID(), causationID: UUID(), values: #"{"by":"ada"}"#)
                let full = NewEvent(stream: "a-1", type: "T", payload: "{}", metadata: metadata, tags: ["b", "a"])
                let half = NewEvent(
                    stream: "a-1", type: "T", typeVersion: 3, payload: "1", metadata: .init(causationID: UUID()))
                try await client.append(Append([full, half]))
                let read = try await client.events().collect()
                try requireEqual(read.map(\.metadata), [metadata, half.metadata], "metadata")
                try requireEqual(read.map(\.tags), [["b", "a"], []], "tags")
                try requireEqual(read.map(\.typeVersion), [1, 3], "type versions")
            }
        },
        Case("A10", "recorded times never decrease as positions rise") { suite in
            try await suite.withStore { client in
                let before = Date()
                let stored = try await winners(of: 100, [client]) { Append([event(StreamID("s-\($0 % 10)"))]) }
                try requireEqual(stored, 100, "stored")
                let times = try await client.events().collect().map(\.recordedAt)
                try requireEqual(times, times.sorted(), "times")
                // A server's clock may differ slightly from ours.
                try require(abs(times[0].timeIntervalSince(before)) < 60, "the first time is \(times[0])")
            }
        },
        Case("A10", "recorded times come from the store and never decrease when its clock is set back") { suite in
            try suite.requireSettableClock()
            let now = Locked(Date(timeIntervalSince1970: 1_700_000_000.123456))
            let options = Options(context: StoreContext(now: { now.withLock { $0 } }))
            try await suite.withStore(options) { client in
                try await client.append(Append([event("a-1")]))
                now.withLock { $0.addTimeInterval(-3600) }
                try await client.append(Append([event("a-1")]))
                now.withLock { $0.addTimeInterval(7200) }
                try await client.append(Append([event("a-1")]))
                let events = try await client.events().collect()
                let times = events.map(\.recordedAt)
                try requireEqual(times, times.sorted(), "times")
                let expected = [0, 0, 3600].map { Date(timeIntervalSince1970: 1_700_000_000.123456 + $0) }
                try requireEqual(times, expected, "times")
            }
        },
        Case("A11", "malformed and reserved names are refused, and nothing is stored") { suite in
            try await suite.withStore { client in
                let bad: [NewEvent] = [
                    event("nohyphen"), event("a-"), event("-a"), event("ä-1"), event("$a-1"),
                    event(StreamID("a-" + String(repeating: "x", count: 511))), event("a-1\0"),
                    event("a-1", ""), event("a-1", "$type"), event("a-1", String(repeating: "x", count: 256)),
                    event("a-1", tags: ["$tag"]), event("a-1", tags: [""]),
                    event("a-1", "T", JSONText(unchecked: Array("{".utf8))),
                    NewEvent(stream: "a-1", type: "T", payload: "{}", metadata: .init(values: #"{"$x":1}"#)),
                    NewEvent(stream: "a-1", type: "T", payload: "{}", metadata: .init(values: "[]")),
                ]
                for wrong in bad {
                    let error = try await requireThrows(EventStoreError.self) {
                        try await client.append(Append([event("a-1"), wrong]))
                    }
                    try requireEqual(error.code, .invalidAppend, "code for \(wrong.stream) \(wrong.type)")
                }
                try requireEqual(try await client.head(), 0, "head")
            }
        },
        Case("A12", "a failed append leaves no trace: no stream, no position, no key") { suite in
            try await suite.withStore { client in
                let key = IdempotencyKey("k", fingerprint: "f")
                try await requireThrows(VersionConflict.self) {
                    try await client.append(
                        Append([event("a-1"), event("new-1")], expect: ["none-1": .streamExists], key: key))
                }
                try requireEqual(try await client.head(), 0, "head")
                try requireEqual(try await client.exists("new-1"), false, "exists")
                try requireEqual(
                    try await client.append(Append([event("b-1")], key: key)).repeated, false, "repeated")
                if client.store.abilities.catalog != nil {
                    try requireEqual(try await client.streams().map(\.stream), ["b-1"], "streams")
                }
            }
        },
        Case("A13", "after `close`, every call fails and none hangs") { suite in
            try await suite.withStore { client in
                let waiting = Task { try await client.store.wait(beyond: 10) }
                // Long enough for the wait to begin, except on a very slow machine, where the case proves less.
                try await Task.sleep(for: .milliseconds(50))
                await client.store.close()
                let calls: [@Sendable () async throws -> Void] = [
                    { try await waiting.value }, { try await client.append(Append([event("a-1")])) },
                    { _ = try await client.head() }, { try await client.store.wait(beyond: 0) },
                ]
                for call in calls {
                    let error = try await within(.seconds(20), "a call after close") {
                        try await requireThrows(EventStoreError.self) { try await call() }
                    }
                    try requireEqual(error.code, .closed, "code")
                }
            }
        },
    ]
}
