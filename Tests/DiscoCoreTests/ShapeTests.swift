import Foundation
import Testing
import WalletDomain

@testable import DiscoCore

private struct EveryField: Codable {
    var flag: Bool
    var text: String
    var double: Double
    var float: Float
    var int: Int
    var int8: Int8
    var int16: Int16
    var int32: Int32
    var int64: Int64
    var uint: UInt
    var uint8: UInt8
    var uint16: UInt16
    var uint32: UInt32
    var uint64: UInt64
    var decimal: Decimal
    var uuid: UUID
    var date: Date
    var data: Data
    var url: URL
    var json: JSON
    var raw: JSONText
}

private struct EveryOptional: Codable {
    var flag: Bool?
    var text: String?
    var double: Double?
    var float: Float?
    var int: Int?
    var int8: Int8?
    var int16: Int16?
    var int32: Int32?
    var int64: Int64?
    var uint: UInt?
    var uint8: UInt8?
    var uint16: UInt16?
    var uint32: UInt32?
    var uint64: UInt64?
    var decimal: Decimal?
    var uuid: UUID?
    var date: Date?
    var data: Data?
    var url: URL?
    var json: JSON?
    var list: [Int]?
    var map: [String: Int]?
    var nested: Street?
}

private struct Street: Codable {
    var name: String
    var number: Int?
}

private struct Collections: Codable {
    var list: [Int]
    var optionals: [Int?]
    var lists: [[String]]
    var set: Set<UUID>
    var map: [String: Decimal]
    var byNumber: [Int: [Street]]
    var street: Street
    var streets: [String: Street]
}

private enum Colour: String, Codable { case red, green, blue }
private enum Level: Int, Codable {
    case low = 1
    case high = 7
}
private enum Only: String, Codable { case one }
private enum Season: Codable { case spring, autumn }

private struct Painted: Codable {
    var colour: Colour
    var perhaps: Colour?
    var palette: [Colour]
    var level: Level
    var only: Only
    var season: Season
    /// Behind all of them: each is made an example of.
    var last: Bool
}

private enum Payment: Codable {
    case cash
    case card(number: String, limit: Decimal?)
    case split(Int, Int)
    case other(Street, paid: Colour)
}

private enum Renamed: Codable {
    case cash(amount: Int)
    case card

    enum CodingKeys: String, CodingKey {
        case cash = "in_coins"
        case card
    }

    enum CashCodingKeys: String, CodingKey { case amount = "how_much" }
}

private enum Either<Left: Codable, Right: Codable>: Codable {
    case left(Left)
    case right(Right)
}

private enum Single: Codable { case only(at: Date) }

private struct Paid: Codable {
    var payment: Payment
    var either: Either<Int, Street>
    var single: Single
    var last: Bool?
}

private struct Folder: Codable {
    var name: String
    var folders: [Folder]
    var byName: [String: Folder]
    var last: Int?
}

private indirect enum Tree: Codable {
    case node(Tree, Tree, label: String?)
    case leaf(Int)
}

private struct Forest: Codable {
    var tree: Tree
    var last: Int?
}

private struct Keyed: Codable {
    var userID: UUID
    var hidden = 7

    enum CodingKeys: String, CodingKey { case userID = "user_id" }
}

/// Text of a certain form, which no example has.
private struct Email: Codable {
    let text: String

    init(from decoder: any Decoder) throws {
        let container = try decoder.singleValueContainer()
        text = try container.decode(String.self)
        guard text.contains("@") else {
            throw DecodingError.dataCorruptedError(in: container, debugDescription: "must be an address")
        }
    }

    func encode(to encoder: any Encoder) throws {
        var container = encoder.singleValueContainer()
        try container.encode(text)
    }
}

struct ShapeTests {
    private func shape<Value: Decodable>(_ type: Value.Type) -> JSON { Shape.read(type).shape.json }
    private func fingerprint<Value: Decodable>(_ type: Value.Type) -> String { Shape.read(type).shape.fingerprint }

    @Test func everyKindOfFieldHasItsName() {
        #expect(
            shape(EveryField.self) == [
                "flag": "boolean", "text": "string", "double": "number", "float": "number", "int": "integer",
                "int8": "integer", "int16": "integer", "int32": "integer", "int64": "integer", "uint": "integer",
                "uint8": "integer", "uint16": "integer", "uint32": "integer", "uint64": "integer",
                "decimal": "decimal", "uuid": "uuid", "date": "date", "data": "data", "url": "url", "json": "any",
                "raw": "any",
            ])
    }

    @Test func anOptionalFieldHasAQuestionMark() {
        #expect(
            shape(EveryOptional.self) == [
                "flag": "boolean?", "text": "string?", "double": "number?", "float": "number?", "int": "integer?",
                "int8": "integer?", "int16": "integer?", "int32": "integer?", "int64": "integer?",
                "uint": "integer?", "uint8": "integer?", "uint16": "integer?", "uint32": "integer?",
                "uint64": "integer?", "decimal": "decimal?", "uuid": "uuid?", "date": "date?", "data": "data?",
                "url": "url?", "json": "any?", "list": ["optional": ["integer"]],
                "map": ["optional": ["any name": "integer"]],
                "nested": ["optional": ["name": "string", "number": "integer?"]],
            ])
    }

    @Test func collectionsAndStructsAreLookedInto() {
        let street: JSON = ["name": "string", "number": "integer?"]
        #expect(
            shape(Collections.self) == [
                "list": ["integer"], "optionals": ["integer?"], "lists": [["string"]], "set": ["uuid"],
                "map": ["any name": "decimal"], "byNumber": ["any name": .array([street])], "street": street,
                "streets": ["any name": street],
            ])
    }

    @Test func enumsOfRawValuesAreTheirRawValuesAndHideNothingBehindThem() {
        let colour: JSON = ["any of": ["blue", "green", "red"]]
        let season: JSON = ["one of": ["spring": [:], "autumn": [:]]]
        #expect(
            shape(Painted.self) == [
                "colour": colour, "perhaps": ["optional": colour], "palette": [colour], "level": ["any of": [1, 7]],
                "only": ["any of": ["one"]], "season": season, "last": "boolean",
            ])
    }

    @Test func enumsWithValuesAreEachOfTheirCases() {
        let street: JSON = ["name": "string", "number": "integer?"]
        let payment: JSON = [
            "one of": [
                "cash": [:], "card": ["number": "string", "limit": "decimal?"],
                "split": ["_0": "integer", "_1": "integer"],
                "other": ["_0": street, "paid": ["any of": ["blue", "green", "red"]]],
            ]
        ]
        #expect(shape(Payment.self) == payment)
        #expect(
            shape(Paid.self) == [
                "payment": payment, "either": ["one of": ["left": ["_0": "integer"], "right": ["_0": street]]],
                "single": ["one of": ["only": ["at": "date"]]], "last": "boolean?",
            ])
    }

    @Test func customCodingKeysAreWhatCounts() {
        #expect(shape(Keyed.self) == ["user_id": "uuid"])
        #expect(shape(Renamed.self) == ["one of": ["in_coins": ["how_much": "integer"], "card": [:]]])
        #expect(
            shape(Wallet.self)
                == ["id": "uuid", "user_id": "uuid?", "balance": "decimal", "is_low": "boolean"])
    }

    @Test func aTypeThatContainsItselfIsNamedThere() {
        #expect(
            shape(Folder.self)
                == ["name": "string", "folders": ["Folder"], "byName": ["any name": "Folder"], "last": "integer?"])
    }

    @Test func anEnumThatContainsItselfHidesNothingBehindThat() {
        let tree: JSON = [
            "one of": ["node": ["_0": "Tree", "_1": "Tree", "label": "string?"], "leaf": ["_0": "integer"]]
        ]
        #expect(shape(Tree.self) == tree)
        #expect(shape(Forest.self) == ["tree": tree, "last": "integer?"])
    }

    @Test func eventsAreTheirCases() {
        #expect(
            shape(Wallet.Event.self) == [
                "one of": [
                    "walletCreated": ["user_id": "uuid", "balance": "decimal"],
                    "moneyDeposited": ["amount": "decimal"], "moneyWithdrawn": ["amount": "decimal"],
                    "lowBalanceNoticed": ["balance": "decimal"],
                ]
            ])
    }

    @Test func theShapeIsTheSameEachTimeItIsRead() {
        for _ in 0..<10 {
            #expect(Shape.read(Paid.self).shape == Shape.read(Paid.self).shape)
            #expect(fingerprint(Paid.self) == fingerprint(Paid.self))
        }
    }

    // MARK: Fingerprints

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
        }
        enum Other: Codable {
            case second
            case first(number: Int)
        }
        #expect(fingerprint(One.self) == fingerprint(Other.self))
    }

    @Test func whateverElseChangesIsAnotherFingerprint() {
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

    @Test func anotherCaseOrAnotherValueOfACaseIsAnotherFingerprint() {
        enum First: Codable {
            case one(number: Int)
            case two
        }
        enum Renamed: Codable {
            case one(count: Int)
            case two
        }
        enum More: Codable {
            case one(number: Int)
            case two
            case three
        }
        enum Other: Codable {
            case one(number: Int)
            case three
        }
        enum Loosened: Codable {
            case one(number: Int?)
            case two
        }
        let all = [
            fingerprint(First.self), fingerprint(Renamed.self), fingerprint(More.self), fingerprint(Other.self),
            fingerprint(Loosened.self),
        ]
        #expect(Set(all).count == all.count)
    }

    @Test func aTypeThatRefusesTheExampleIsNamedUnlessItGivesOne() {
        struct Code: Codable, ExampleProviding {
            var text: String
            init(from decoder: any Decoder) throws {
                text = try String(from: decoder)
                if text.count != 3 { throw DecodingError.dataCorrupted(.init(codingPath: [], debugDescription: "")) }
            }
            init(text: String) { self.text = text }
            static var example: Code { Code(text: "EUR") }
        }
        struct Customer: Codable {
            var email: Email
            var memo: String?
        }
        struct Price: Codable {
            var code: Code
            var memo: String?
        }
        struct Renamed: Codable {
            var code: Code
            var remark: String?
        }
        #expect(Shape.read(Customer.self).unreadable == ["Email"])
        #expect(Shape.read(Price.self).unreadable == [])
        #expect(shape(Price.self) == ["code": "Code", "memo": "string?"])
        #expect(fingerprint(Price.self) != fingerprint(Renamed.self))
    }
}
