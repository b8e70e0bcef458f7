import DiscoCore

/// An account whose events have changed over the years.
struct Account: Aggregate {
    let id: String
    var cents = 0
    var street = ""
    var city = ""

    init(id: String) { self.id = id }

    static let commands: [any AggregateCommand<Account>.Type] = [PayIn.self, PayOut.self]

    enum Event: DomainEvent, Equatable {
        case moneyDeposited(cents: Int)
        case moneyWithdrawn(cents: Int)
        case streetChanged(street: String)
        case cityChanged(city: String)

        static let typeVersions = ["MoneyDeposited": 2]
    }

    mutating func apply(_ event: Event) {
        switch event {
        case .moneyDeposited(let amount): cents += amount
        case .moneyWithdrawn(let amount): cents -= amount
        case .streetChanged(let street): self.street = street
        case .cityChanged(let city): self.city = city
        }
    }
}

struct PayIn: TimelessCommand {
    let id: String
    let cents: Int

    var target: CommandTarget<String> { .any(id) }

    func run(on account: Account) throws -> [Account.Event] { [.moneyDeposited(cents: cents)] }
}

struct PayOut: UpdateCommand {
    let id: String
    let cents: Int

    func run(on account: Account) throws -> [Account.Event] {
        guard account.cents >= cents else { throw AccountRefusal.notEnough(account.cents) }
        return [.moneyWithdrawn(cents: cents)]
    }
}

enum AccountRefusal: Refusal, Equatable {
    case notEnough(Int)

    var message: String { "The balance is too low." }
}

/// Returns the previous balance.
struct EmptyAccount: ActionCommand {
    let id: String

    func run(in context: ActionContext) async throws -> Int {
        let account = try await context.load(Account.self, id)
        try await context.append([account.recording(.moneyWithdrawn(cents: account.state.cents))])
        return account.state.cents
    }
}

/// The total of all accounts.
struct Vault: DecisionModel {
    var cents = 0

    mutating func apply(_ event: Account.Event) {
        switch event {
        case .moneyDeposited(let amount): cents += amount
        case .moneyWithdrawn(let amount): cents -= amount
        case .streetChanged, .cityChanged: break
        }
    }
}

struct Insure: DecisionCommand {
    let most: Int

    var query: EventQuery { .types("MoneyDeposited", "MoneyWithdrawn") }
    var model: Vault { Vault() }

    func run(on vault: Vault) throws -> [Account.Event] {
        guard vault.cents <= most else { throw AccountRefusal.notEnough(vault.cents) }
        return []
    }
}
