import Testing

@testable import DiscoCore

/// Two shapes have the same fingerprint only if a stored value of one is a value of the other.
struct ShapeFingerprintTests {
    private func fingerprint<Value: Decodable>(_ type: Value.Type) -> String { Shape.read(type).shape.fingerprint }

    private enum Before {
        struct Inner: Codable { var memo: String? }
        struct Note: Codable {
            var text: String
            var memo: String?
            var inner: [Inner]
        }
    }

    @Test func theOrderOfFieldsDoesNotMatter() {
        struct Note: Codable {
            var inner: [Before.Inner]
            var memo: String?
            var text: String
        }
        #expect(fingerprint(Note.self) == fingerprint(Before.Note.self))
        enum One: Codable {
            case first(number: Int)
            case second

            enum CodingKeys: CodingKey, CaseIterable { case first, second }
        }
        enum Other: Codable {
            case second
            case first(number: Int)

            enum CodingKeys: CodingKey, CaseIterable { case second, first }
        }
        #expect(fingerprint(One.self) == fingerprint(Other.self))
    }

    @Test func anyOtherChangeChangesTheFingerprint() {
        struct RenamedOptional: Codable {
            var text: String
            var remark: String?
            var inner: [Before.Inner]
        }
        struct RenamedInside: Codable {
            struct Inner: Codable { var remark: String? }
            var text: String
            var memo: String?
            var inner: [Inner]
        }
        struct NoLongerOptional: Codable {
            var text: String
            var memo: String
            var inner: [Before.Inner]
        }
        struct OfAnotherType: Codable {
            var text: Int
            var memo: String?
            var inner: [Before.Inner]
        }
        struct OneMore: Codable {
            var text: String
            var memo: String?
            var inner: [Before.Inner]
            var more: Bool?
        }
        struct OneInstead: Codable {
            var text: String
            var memo: String?
            var inner: Before.Inner
        }
        struct OtherKeys: Codable {
            var text: String
            var memo: String?
            var inner: [Before.Inner]

            enum CodingKeys: String, CodingKey {
                case text
                case memo = "note"
                case inner
            }
        }
        let all = [
            fingerprint(Before.Note.self), fingerprint(RenamedOptional.self), fingerprint(RenamedInside.self),
            fingerprint(NoLongerOptional.self), fingerprint(OfAnotherType.self), fingerprint(OneMore.self),
            fingerprint(OneInstead.self), fingerprint(OtherKeys.self),
        ]
        #expect(Set(all).count == all.count)
    }

    @Test func aChangeOfACaseOrItsValuesChangesTheFingerprint() {
        enum First: Codable {
            case one(number: Int)
            case two

            enum CodingKeys: CodingKey, CaseIterable { case one, two }
        }
        enum Renamed: Codable {
            case one(count: Int)
            case two

            enum CodingKeys: CodingKey, CaseIterable { case one, two }
        }
        enum More: Codable {
            case one(number: Int)
            case two
            case three

            enum CodingKeys: CodingKey, CaseIterable { case one, two, three }
        }
        enum Other: Codable {
            case one(number: Int)
            case three

            enum CodingKeys: CodingKey, CaseIterable { case one, three }
        }
        enum Loosened: Codable {
            case one(number: Int?)
            case two

            enum CodingKeys: CodingKey, CaseIterable { case one, two }
        }
        let all = [
            fingerprint(First.self), fingerprint(Renamed.self), fingerprint(More.self), fingerprint(Other.self),
            fingerprint(Loosened.self),
        ]
        #expect(Set(all).count == all.count)
    }

    @Test func aChangeOfARawValueChangesTheFingerprint() {
        enum First {
            enum Colour: String, Codable, CaseIterable { case red, green }
        }
        enum More {
            enum Colour: String, Codable, CaseIterable { case red, green, blue }
        }
        #expect(fingerprint(First.Colour.self) != fingerprint(More.Colour.self))
    }

    @Test func aNewCaseOfAnEnumThatDoesNotListItsCasesKeepsTheFingerprint() {
        enum First {
            enum Colour: String, Codable { case red, green }
            enum Payment: Codable { case cash }
        }
        enum More {
            enum Colour: String, Codable { case red, green, blue }
            enum Payment: Codable {
                case cash
                case card(number: String)
            }
        }
        #expect(fingerprint(First.Colour.self) == fingerprint(More.Colour.self))
        #expect(fingerprint(First.Payment.self) == fingerprint(More.Payment.self))
    }
}
