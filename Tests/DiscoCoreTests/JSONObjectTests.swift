import DiscoCore
import DiscoTesting
import Testing

/// The members of an object keep their order and are compared by the bytes of their names, with and without an index.
@Suite struct JSONObjectTests {
    private let composed = "\u{E9}"
    private let decomposed = "e\u{301}"

    @Test func namesThatAreEqualOnlyToUnicodeAreDistinct() throws {
        var object: JSON.Object = [composed: 1, decomposed: 2]
        #expect(object.count == 2)
        #expect(object[composed] == 1)
        #expect(object[decomposed] == 2)
        #expect(JSON.object([composed: 1]) != .object([decomposed: 1]))
        #expect(JSON.object([composed: 1, decomposed: 2]) != .object([composed: 2, decomposed: 1]))
        #expect(JSON.object([composed: 1, decomposed: 2]) == .object([decomposed: 2, composed: 1]))
        object[composed] = nil
        #expect(object[composed] == nil)
        #expect(object[decomposed] == 2)
        let parsed = try JSONText("{\"\(composed)\":1,\"e\\u0301\":2,\"\\u00e9\":3}" as String).value()
        #expect(JSONText(parsed).bytes == Array("{\"\(composed)\":3,\"\(decomposed)\":2}".utf8))
    }

    @Test func aMemberIsReplacedInItsPlaceAndRemovedWithoutATrace() {
        var object: JSON.Object = ["a": 1, "b": 2, "c": 3]
        object["b"] = "new"
        #expect(object.names == ["a", "b", "c"])
        // Null is a value like any other; assigning nil removes the member.
        object["c"] = JSON.null
        #expect(object["c"] == .some(.null))
        #expect(object.count == 3)
        object["a"] = nil
        object["missing"] = nil
        #expect(object.names == ["b", "c"])
        object["a"] = 4
        #expect(object.map(\.name) == ["b", "c", "a"])
        #expect(object.map(\.value) == ["new", nil, 4])
        #expect(object == ["a": 4, "b": "new", "c": nil])
        #expect(JSON.Object(object.map { ($0.name, $0.value) }) == object)
    }

    /// On both sides of the count from which there is an index.
    @Test(arguments: [0, 1, 14, 15, 16, 17, 18, 40])
    func everyMemberIsFoundAtAnyIndex(count: Int) {
        var object = JSON.Object((0..<count).map { ("name \($0)", JSON($0)) })
        #expect(object.count == count)
        for number in 0..<count { #expect(object["name \(number)"] == JSON(number)) }
        #expect(object["name \(count)"] == nil)
        #expect(object[""] == nil)
        for removed in [0, count / 2, count - 1] where removed >= 0 {
            object["name \(removed)"] = nil
            let left = (0..<count).filter { object["name \($0)"] != nil }
            #expect(!left.contains(removed))
            #expect(object.names == left.map { "name \($0)" })
            for number in left { #expect(object["name \(number)"] == JSON(number)) }
        }
        object["name 0"] = "again"
        #expect(object.names.last == "name 0")
        #expect(object["name 0"] == "again")
    }

    /// An object behaves like a plain list of members for any sequence of insertions and removals.
    @Test(arguments: 1...20)
    func anObjectBehavesLikeAListOfMembers(seed: UInt64) {
        var values = GeneratedValues(seed: seed)
        let names = (0..<24).map { "n\($0)" } + [composed, decomposed, "", "\0", "\"\u{301}", "n\u{301}"]
        var object = JSON.Object()
        var members: [(name: String, value: JSON)] = []
        var largest = 0
        for step in 0..<600 {
            let name = values.pick(names)
            let place = members.firstIndex { $0.name.utf8.elementsEqual(name.utf8) }
            // Grows and shrinks repeatedly past the count from which there is an index.
            let isRemoved = values.pick(step / 100 % 2 == 0 ? [true, false, false, false] : [true, true, true, false])
            // In a single expression, nil would be JSON's null.
            if isRemoved { object[name] = nil } else { object[name] = JSON(step) }
            switch (place, isRemoved) {
            case (let place?, true): members.remove(at: place)
            case (let place?, false): members[place].value = JSON(step)
            case (nil, true): break
            case (nil, false): members.append((name, JSON(step)))
            }
            largest = max(largest, members.count)
            let isSame =
                object.count == members.count
                && zip(object, members).allSatisfy { $0.name.utf8.elementsEqual($1.name.utf8) && $0.value == $1.value }
                && names.allSatisfy { name in
                    object[name] == members.first { $0.name.utf8.elementsEqual(name.utf8) }?.value
                }
            #expect(isSame, "after step \(step): \(JSON.object(object))")
            if !isSame { return }
        }
        #expect(largest > 16)
        let other = JSON.Object(members.reversed().map { ($0.name, $0.value) })
        #expect(object == other)
        #expect(object.hashValue == other.hashValue)
    }

    @Test func theLastOfSeveralMembersWithOneNameCounts() throws {
        let texts = (0..<100).map { "\"n\($0 % 20)\":\($0)" }
        let object = try #require(try JSONText("{\(texts.joined(separator: ","))}" as String).value().object)
        #expect(object.names == (0..<20).map { "n\($0)" })
        #expect(object.map(\.value) == (80..<100).map { JSON($0) })
    }
}
