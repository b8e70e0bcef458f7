import Foundation
import Testing
import WalletDomain

@testable import DiscoCore

private struct Street: Codable {
    var name: String
    var number: Int?
}

private enum Colour: String, Codable, CaseIterable { case red, green, blue }
private enum Level: Int, Codable, CaseIterable {
    case low = 1
    case high = 7
}
private enum Only: String, Codable, CaseIterable { case one }
private enum Season: Codable, CaseIterable { case spring, autumn }

private struct Painted: Codable {
    var colour: Colour
    var perhaps: Colour?
    var palette: [Colour]
    var level: Level
    var only: Only
    var season: Season
    /// After all of them, so it is read only if each has an example.
    var last: Bool
}

private enum Payment: Codable {
    case cash
    case card(number: String, limit: Decimal?)
    case split(Int, Int)
    case other(Street, paid: Colour)

    enum CodingKeys: String, CodingKey, CaseIterable { case cash, card, split, other }
}

private enum Renamed: Codable {
    case cash(amount: Int)
    case card

    enum CodingKeys: String, CodingKey, CaseIterable {
        case cash = "in_coins"
        case card
    }

    enum CashCodingKeys: String, CodingKey { case amount = "how_much" }
}

private enum Either<Left: Codable, Right: Codable>: Codable {
    case left(Left)
    case right(Right)

    enum CodingKeys: CodingKey, CaseIterable { case left, right }
}

private enum Single: Codable {
    case only(at: Date)

    enum CodingKeys: CodingKey, CaseIterable { case only }
}

private struct Paid: Codable {
    var payment: Payment
    var either: Either<Int, Street>
    var single: Single
    var last: Bool?
}

private indirect enum Tree: Codable {
    case node(Tree, Tree, label: String?)
    case leaf(Int)

    enum CodingKeys: CodingKey, CaseIterable { case node, leaf }
}

private struct Forest: Codable {
    var tree: Tree
    var last: Int?
}

struct ShapeEnumTests {
    private func fingerprint<Value: Decodable>(_ type: Value.Type) -> String { Shape.read(type).shape.fingerprint }
    private func shape<Value: Decodable>(_ type: Value.Type) -> JSON { Shape.read(type).shape.json }

    @Test func enumsWithRawValuesAreTheirRawValuesAndHideNoLaterField() {
        let colour: JSON = ["any of": ["blue", "green", "red"]]
        let season: JSON = ["one of": ["spring": [:], "autumn": [:]]]
        #expect(
            shape(Painted.self) == [
                "colour": colour, "perhaps": ["optional": colour], "palette": [colour], "level": ["any of": [1, 7]],
                "only": ["any of": ["one"]], "season": season, "last": "boolean",
            ])
    }

    @Test func enumsWithAssociatedValuesAreTheirCases() {
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
        #expect(shape(Renamed.self) == ["one of": ["in_coins": ["how_much": "integer"], "card": [:]]])
        #expect(Shape.read(Paid.self).unlisted == [])
    }

    @Test func anEnumThatContainsItselfHidesNoLaterField() {
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

    // MARK: Enums that do not list their cases

    private enum Mark: String, Codable { case good, bad }
    private enum Weather: Codable { case dry, wet }
    private enum Delivery: Codable {
        case post(to: Street)
        case pickup
    }

    @Test func anEnumThatDoesNotListItsCasesIsItsName() {
        #expect(shape(Mark.self) == "Mark")
        #expect(shape(Weather.self) == "Weather")
        #expect(shape(Delivery.self) == "Delivery")
        struct Around: Codable {
            var marks: [Mark]
            var perhaps: Weather?
            var deliveries: [String: Delivery]
            var last: Bool
        }
        // No example is needed to continue: a list is empty, and an optional is nil.
        #expect(
            shape(Around.self) == [
                "marks": ["Mark"], "perhaps": "Weather?", "deliveries": ["any name": "Delivery"], "last": "boolean",
            ])
        #expect(Shape.read(Around.self).unreadable == [])
        #expect(Shape.read(Around.self).unlisted == ["Mark", "Weather", "Delivery"])
    }

    @Test func fieldsAfterAnEnumThatDoesNotListItsCasesCannotBeRead() {
        struct Marked: Codable {
            var text: String
            var mark: Mark
            var hidden: Int?
        }
        let reading = Shape.read(Marked.self)
        #expect(reading.shape.json == ["text": "string", "mark": "Mark"])
        #expect(reading.unreadable == ["Mark"])
        #expect(Shape.read([Marked].self).unreadable == ["Mark"])
    }

    @Test func aProvidedExampleReplacesTheListOfCases() {
        enum Unit: Codable, ExampleProviding {
            case metres(Int)
            case none
            static var example: Unit { .none }
        }
        struct Length: Codable {
            var unit: Unit
            var last: Int?
        }
        #expect(shape(Length.self) == ["unit": "Unit", "last": "integer?"])
        #expect(Shape.read(Length.self).unreadable == [])
    }

    /// Nothing guarantees that the list is complete.
    @Test func casesWithAssociatedValuesThatAreListedByHandAreOnlyExamples() {
        enum Fee: Codable, CaseIterable {
            case none
            case fixed(Int)
            static let allCases: [Fee] = [.fixed(0), .none]
        }
        struct Priced: Codable {
            var fee: Fee
            var last: Int?
        }
        #expect(shape(Priced.self) == ["fee": "Fee", "last": "integer?"])
        #expect(Shape.read(Priced.self).unreadable == [])
        #expect(Shape.read(Priced.self).unlisted == ["Fee"])
    }

    @Test func aStructWithARawValueIsWhatItDecodes() {
        struct Number: RawRepresentable, Codable { var rawValue: Int }
        struct Line: Codable {
            var number: Number
            var last: Int?
        }
        #expect(shape(Line.self) == ["number": "integer", "last": "integer?"])
        #expect(Shape.read(Line.self).unlisted == [])
    }

    @Test func theFixNamesEachType() {
        #expect(
            Shape.remedy(for: ["Mark"])
                == "Mark. Conform it (or its CodingKeys) to CaseIterable, or to ExampleProviding.")
        #expect(
            Shape.remedy(for: ["Mark", "Weather"])
                == "Mark, Weather. Conform each of them (or its CodingKeys) to CaseIterable, or to ExampleProviding.")
    }
}
