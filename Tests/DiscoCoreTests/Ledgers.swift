import DiscoCore
import Foundation

enum LedgerEvent: DomainEvent, Equatable {
    case entryAdded(amount: Int, memo: String)
}

/// Several states with one name and category, which snapshots must distinguish.
protocol LedgerState: Aggregate where ID == String, Event == LedgerEvent {
    var sum: Int { get }
}

extension LedgerState {
    static var commands: [any AggregateCommand<Self>.Type] { [] }
}

struct AddEntry<State: LedgerState>: TimelessCommand {
    let id: String
    let amount: Int
    var memo = ""

    var target: CommandTarget<String> { .any(id) }

    func run(on ledger: State) throws -> [LedgerEvent] { [.entryAdded(amount: amount, memo: memo)] }
}

struct Ledger: LedgerState {
    let id: String
    var sum = 0
    var entries = 0
    var memo: String?

    init(id: String) { self.id = id }

    static let snapshotPolicy = SnapshotPolicy.every(events: 100)

    mutating func apply(_ event: LedgerEvent) {
        guard case .entryAdded(let amount, let memo) = event else { return }
        sum += amount
        entries += 1
        self.memo = memo
    }
}

/// Has a property whose type refuses every example.
struct Picky: LedgerState {
    struct Code: Codable {
        var text = "EUR"
        init() {}
        init(from decoder: any Decoder) throws {
            text = try String(from: decoder)
            if text.count != 3 { throw DecodingError.dataCorrupted(.init(codingPath: [], debugDescription: "no code")) }
        }
    }

    let id: String
    var code = Code()
    var sum = 0

    init(id: String) { self.id = id }

    static let snapshotPolicy = SnapshotPolicy.every(events: 1)

    mutating func apply(_ event: LedgerEvent) {
        if case .entryAdded(let amount, _) = event { sum += amount }
    }
}

enum Often {
    /// Saves a snapshot after every third event.
    struct Ledger: LedgerState {
        let id: String
        var sum = 0
        var entries = 0
        var memo: String?

        init(id: String) { self.id = id }

        static let snapshotPolicy = SnapshotPolicy.every(events: 3)

        mutating func apply(_ event: LedgerEvent) {
            guard case .entryAdded(let amount, let memo) = event else { return }
            sum += amount
            entries += 1
            self.memo = memo
        }
    }
}

enum Recounted {
    /// The same properties with another meaning.
    struct Ledger: LedgerState {
        let id: String
        var sum = 0
        var entries = 0
        var memo: String?

        init(id: String) { self.id = id }

        static let snapshotPolicy = SnapshotPolicy.every(events: 100)
        static let stateVersion = 2

        mutating func apply(_ event: LedgerEvent) {
            guard case .entryAdded(let amount, _) = event else { return }
            sum += 10 * amount
        }
    }
}

enum Reshaped {
    /// One property has another name. It is optional, so an old snapshot would decode without an error.
    struct Ledger: LedgerState {
        let id: String
        var sum = 0
        var entries = 0
        var note: String?

        init(id: String) { self.id = id }

        static let snapshotPolicy = SnapshotPolicy.every(events: 100)

        mutating func apply(_ event: LedgerEvent) {
            guard case .entryAdded(let amount, let memo) = event else { return }
            sum += amount
            entries += 1
            note = memo
        }
    }
}
