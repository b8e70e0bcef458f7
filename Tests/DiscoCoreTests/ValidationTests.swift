import DiscoCore
import Foundation
import Testing
import WalletDomain

struct BoxRequest: NamedRequest {
    var count: Int
    var label: String

    static let rules: [FieldRule<Self>] = [
        .field(CodingKeys.count, \.count, .atLeast(1), .satisfies("must be even") { $0.isMultiple(of: 2) }),
        .field(CodingKeys.label, \.label, .notEmpty),
    ]
}

struct MoveRequest: NamedRequest {
    struct Address: Codable, Sendable {
        var street: String
    }

    var address: Address
}

struct ValidationTests {
    private let user = "13BB0E9C-5E63-4D5B-8F0C-6B1C5C0E7A11"

    /// The messages by field, empty if all are valid; any other error has the key "other error".
    private func faults(_ body: () throws -> Void) -> [String: [String]] {
        do {
            try body()
            return [:]
        } catch let error as ValidationError {
            return error.fields
        } catch {
            return ["other error": ["\(error)"]]
        }
    }

    @Test func allInvalidFieldsAreNamedAtOnce() {
        let fields = faults { _ = try CreateWallet(validating: ["balance": -1]) }
        #expect(fields == ["user_id": ["must be a valid UUID string"], "balance": ["must be at least 0"]])
    }

    @Test func aValidRequestIsDecoded() throws {
        let command = try CreateWallet(validating: ["user_id": .string(user), "balance": 5])
        #expect(command.userID == UUID(uuidString: user))
        #expect(command.balance == 5)
    }

    @Test func anUnknownFieldIsNamed() {
        let fields = faults {
            _ = try CreateWallet(validating: ["user_id": .string(user), "balance": 5, "colour": "red"])
        }
        #expect(fields == ["colour": ["is not a known field"]])
    }

    @Test func nullAndWrongTypeHaveADefaultMessage() {
        let fields = faults { _ = try BoxRequest(validating: ["count": .null, "label": 5]) }
        #expect(fields.keys.sorted() == ["count", "label"])
        #expect(fields["count"]?.count == 1)
        #expect(fields["label"] == ["must be a string"])
    }

    @Test func missingFieldsHaveADefaultMessage() {
        let fields = faults { _ = try BoxRequest(validating: [:]) }
        #expect(fields.keys.sorted() == ["count", "label"])
        #expect(fields["label"] == ["is required"])
    }

    @Test func nullAndWrongTypeHaveTheMessageOfTheRule() {
        let null = faults { _ = try CreateWallet(validating: ["user_id": .null, "balance": 5]) }
        #expect(null == ["user_id": ["must be a valid UUID string"]])
        let number = faults { _ = try CreateWallet(validating: ["user_id": 7, "balance": 5]) }
        #expect(number == ["user_id": ["must be a valid UUID string"]])
    }

    @Test func allFailedChecksOfOneFieldAreNamed() {
        let fields = faults { _ = try BoxRequest(validating: ["count": -3, "label": "a"]) }
        #expect(fields == ["count": ["must be at least 1", "must be even"]])
    }

    @Test func typedRequestsAreValidatedToo() throws {
        try BoxRequest(count: 2, label: "a").validated()
        let fields = faults { try BoxRequest(count: -3, label: "").validated() }
        #expect(fields == ["count": ["must be at least 1", "must be even"], "label": ["must not be empty"]])
    }

    @Test func fieldsAreValidatedTogether() {
        let id = UUID()
        let fields = faults { try TransferMoney(from: id, to: id, amount: 0).validated() }
        #expect(fields == ["to": ["must be another wallet"], "amount": ["must be greater than 0"]])
        let json = faults {
            _ = try TransferMoney(validating: ["from": .string(user), "to": .string(user), "amount": 1])
        }
        #expect(json == ["to": ["must be another wallet"]])
    }

    @Test func aFaultInANestedStructIsNamedByItsPath() {
        let fields = faults { _ = try MoveRequest(validating: ["address": ["street": 5]]) }
        #expect(fields.count == 1)
        let path = fields.keys.first ?? ""
        #expect(path.hasPrefix("address"))
        #expect(path.contains("street"))
    }
}
