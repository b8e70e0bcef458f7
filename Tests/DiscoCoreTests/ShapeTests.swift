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

private struct Folder: Codable {
    var name: String
    var folders: [Folder]
    var byName: [String: Folder]
    var last: Int?
}

private struct Keyed: Codable {
    var userID: UUID
    var hidden = 7

    enum CodingKeys: String, CodingKey { case userID = "user_id" }
}

/// Text of a certain form, which no example matches.
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

    @Test func everyKindOfFieldHasAName() {
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

    @Test func theShapeIncludesTheContentsOfCollectionsAndStructs() {
        let street: JSON = ["name": "string", "number": "integer?"]
        #expect(
            shape(Collections.self) == [
                "list": ["integer"], "optionals": ["integer?"], "lists": [["string"]], "set": ["uuid"],
                "map": ["any name": "decimal"], "byNumber": ["any name": .array([street])], "street": street,
                "streets": ["any name": street],
            ])
    }

    @Test func theShapeUsesCustomCodingKeys() {
        #expect(shape(Keyed.self) == ["user_id": "uuid"])
        #expect(
            shape(Wallet.self)
                == ["id": "uuid", "user_id": "uuid?", "balance": "decimal", "is_low": "boolean"])
    }

    @Test func aTypeThatContainsItselfIsNamedAtThatPlace() {
        #expect(
            shape(Folder.self)
                == ["name": "string", "folders": ["Folder"], "byName": ["any name": "Folder"], "last": "integer?"])
    }

    @Test func theShapeIsTheSameEachTimeItIsRead() {
        for _ in 0..<10 { #expect(Shape.read(Collections.self).shape == Shape.read(Collections.self).shape) }
    }

    @Test func aTypeThatRefusesTheExampleIsNamedUnlessItProvidesOne() {
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
        #expect(Shape.read(Price.self).shape.fingerprint != Shape.read(Renamed.self).shape.fingerprint)
    }
}
