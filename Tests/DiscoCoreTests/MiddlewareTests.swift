import DiscoCore
import DiscoEventStore
import Foundation
import Logging
import TestSupport
import Testing
import WalletDomain

/// Records when it is entered and left.
private struct Noting: Middleware {
    let name: String
    let notes: Locked<[String]>

    func handle<Answer: Sendable>(_ call: Call, next: Next<Answer>) async throws -> Answer {
        notes.withLock { $0.append("> " + name) }
        defer { notes.withLock { $0.append("< " + name) } }
        return try await next(call)
    }
}

/// Records every call and its error, if any.
private final class Witness: Middleware {
    private let seen = Locked((calls: [Call](), errors: [any Error]()))

    var calls: [Call] { seen.withLock { $0.calls } }
    var errors: [any Error] { seen.withLock { $0.errors } }

    func handle<Answer: Sendable>(_ call: Call, next: Next<Answer>) async throws -> Answer {
        seen.withLock { $0.calls.append(call) }
        do {
            return try await next(call)
        } catch {
            seen.withLock { $0.errors.append(error) }
            throw error
        }
    }
}

private struct AddingMetadata: Middleware {
    let tenant: String

    func handle<Answer: Sendable>(_ call: Call, next: Next<Answer>) async throws -> Answer {
        var call = call
        call.metadata.values = JSONText(["tenant": .string(tenant)])
        call.metadata.trace = ["traceparent": "00-1-1-01"]
        return try await next(call)
    }
}

private struct NotByNight: Refusal, Equatable {
    let message = "Come back by day."
}

private struct Closing: Middleware {
    func handle<Answer: Sendable>(_ call: Call, next: Next<Answer>) async throws -> Answer { throw NotByNight() }
}

private struct PayOnce: UpdateCommand, KeyedCommand {
    let id: UUID

    var idempotencyKey: String { "once" }

    func run(on wallet: Wallet) throws -> [Wallet.Event] { [.moneyWithdrawn(amount: 1)] }
}

/// Keeps running after its append until it is cancelled.
private struct DepositAndLinger: ActionCommand {
    let id: UUID

    func run(in context: ActionContext) async throws -> Bool {
        let wallet = try await context.load(Wallet.self, id)
        try await context.append([wallet.recording(.moneyDeposited(amount: 1))])
        try await Waiter<Void>().value()
        return true
    }
}

private struct Fail: ActionCommand {
    struct Trouble: Error {}

    func run(in context: ActionContext) async throws -> Bool { throw Trouble() }
}

@Suite(.timeLimit(.minutes(1))) struct MiddlewareTests {
    private let store = InMemoryEventStore()
    private var client: EventStoreClient { EventStoreClient(store) }

    private func orchestrator(_ middleware: any Middleware..., on store: (any EventStore)? = nil) -> Orchestrator {
        Orchestrator(
            client: EventStoreClient(store ?? self.store), aggregates: [Wallet.self],
            commands: [TransferMoney.self, DepositAndLinger.self, Fail.self], queries: [WalletHistory.self],
            middleware: middleware)
    }

    private func wallet(_ balance: Decimal = 100) async throws -> UUID {
        try await orchestrator().dispatch(CreateWallet(userID: UUID(), balance: balance)).state.id
    }

    // MARK: The chain

    @Test func theFirstIsTheOutermost() async throws {
        let id = try await wallet()
        let notes = Locked<[String]>([])
        let one = orchestrator(Noting(name: "outer", notes: notes), Noting(name: "inner", notes: notes))
        let round = ["> outer", "> inner", "< inner", "< outer"]
        try await one.dispatch(DepositMoney(id: id, amount: 1))
        #expect(notes.withLock { $0 } == round)
        try await one.dispatch("deposit_money", ["id": .string(id.uuidString), "amount": 1])
        #expect(notes.withLock { $0 } == round + round)
        _ = try await one.query(WalletHistory(id: id))
        #expect(notes.withLock { $0 } == round + round + round)
    }

    @Test func middlewareSeesTheNameTheKeyTheMetadataAndTheRequest() async throws {
        let (witness, id, correlation) = (Witness(), try await wallet(), UUID())
        let one = orchestrator(witness)
        try await one.dispatch(
            DepositMoney(id: id, amount: 7), metadata: Metadata(correlationID: correlation), key: "k")
        try await one.dispatch("withdraw_money", ["id": .string(id.uuidString), "amount": 2])
        try await one.dispatch(PayOnce(id: id))
        _ = try await one.query("wallet_history", ["id": .string(id.uuidString)])
        let calls = witness.calls
        #expect(calls.map(\.name) == ["deposit_money", "withdraw_money", "pay_once", "wallet_history"])
        #expect(calls.map(\.kind) == [.command, .command, .command, .query])
        #expect(calls.map(\.key) == ["k", nil, "once", nil])
        #expect(calls[0].metadata.correlationID == correlation)
        #expect(calls[1].metadata.correlationID != nil)
        #expect((calls[0].request as? DepositMoney)?.amount == 7)
        #expect((calls[1].request as? WithdrawMoney)?.amount == 2)
        #expect((calls[3].request as? WalletHistory)?.id == id)
        #expect(witness.errors.isEmpty)
    }

    @Test func middlewareSeesOneCallPerRequestHoweverOftenItIsDecided() async throws {
        let (witness, id) = (Witness(), try await wallet())
        let both = [orchestrator(witness), orchestrator(witness)]
        try await withThrowingTaskGroup(of: Void.self) { group in
            for task in 0..<10 {
                group.addTask {
                    for _ in 0..<10 { try await both[task % 2].dispatch(DepositMoney(id: id, amount: 1)) }
                }
            }
            try await group.waitForAll()
        }
        #expect(witness.calls.count == 100)
        #expect(try await client.version(of: Wallet.streamID(id)) == 101)
    }

    @Test func middlewareSeesInvalidFieldsWithoutARequest() async throws {
        let (witness, id) = (Witness(), try await wallet())
        let one = orchestrator(witness)
        await #expect(throws: ValidationError(["amount": ["must be greater than 0"]])) {
            try await one.dispatch("deposit_money", ["id": .string(id.uuidString), "amount": 0], key: "k")
        }
        await #expect(throws: ValidationError(["id": ["must be a valid UUID string"]])) {
            _ = try await one.query("wallet_history", ["id": 7])
        }
        #expect(witness.calls.map(\.name) == ["deposit_money", "wallet_history"])
        #expect(witness.calls.allSatisfy { $0.request == nil })
        #expect(witness.calls[0].key == "k")
        #expect(witness.errors.count == 2)
        #expect(witness.errors.allSatisfy { $0 is ValidationError })
    }

    @Test func metadataThatMiddlewareAddsIsRecorded() async throws {
        let one = orchestrator(AddingMetadata(tenant: "acme"))
        let from = try await one.dispatch(CreateWallet(userID: UUID(), balance: 5)).state.id
        let to = try await wallet()
        try await one.dispatch(TransferMoney(from: from, to: to, amount: 1))
        let events = try await client.events().collect().filter { $0.metadata["tenant"] != nil }
        #expect(events.map(\.type) == ["WalletCreated", "MoneyWithdrawn", "MoneyDeposited"])
        for event in events {
            #expect(event.metadata["tenant"] == "acme")
            #expect(event.metadata.trace == ["traceparent": "00-1-1-01"])
            #expect(event.metadata.correlationID != nil)
            // An event that it causes belongs to the same trace and inherits nothing else.
            let next = Metadata.caused(by: event)
            #expect(next.trace == event.metadata.trace)
            #expect(next["tenant"] == nil)
        }
    }

    @Test func middlewareMayRefuse() async throws {
        let id = try await wallet()
        let one = orchestrator(Closing())
        let head = try await client.head()
        await #expect(throws: NotByNight()) { try await one.dispatch(DepositMoney(id: id, amount: 1)) }
        await #expect(throws: NotByNight()) {
            try await one.dispatch("deposit_money", ["id": .string(id.uuidString), "amount": 1])
        }
        await #expect(throws: NotByNight()) { _ = try await one.query(WalletHistory(id: id)) }
        #expect(try await client.head() == head)
    }

    // MARK: Logging

    @Test func callsAreLoggedAtTheGivenLevel() async throws {
        let (log, id) = (LogCollector(), try await wallet())
        let one = orchestrator(LoggingMiddleware(logger: log.logger(), level: .info))
        let correlation = UUID()
        try await one.dispatch(
            DepositMoney(id: id, amount: 1), metadata: Metadata(correlationID: correlation), key: "k")
        _ = try await one.query(WalletHistory(id: id))
        #expect(log.messages == ["command deposit_money", "query wallet_history"])
        #expect(log.levels == [.info, .info])
        let metadata = try #require(log.events.first?.metadata)
        #expect(metadata["correlation_id"]?.description == correlation.uuidString.lowercased())
        #expect(metadata["key"]?.description == "k")
        let milliseconds = try #require(metadata["milliseconds"].flatMap { Double($0.description) })
        #expect(milliseconds >= 0)
    }

    @Test func aRefusalIsLoggedWithItsCodeAndAFailureAsAnError() async throws {
        let (log, id) = (LogCollector(), try await wallet(1))
        let one = orchestrator(LoggingMiddleware(logger: log.logger(), level: .info))
        await #expect(throws: WalletRefusal.self) { try await one.dispatch(WithdrawMoney(id: id, amount: 2)) }
        await #expect(throws: ValidationError.self) { try await one.dispatch("withdraw_money", [:]) }
        await #expect(throws: Fail.Trouble.self) { try await one.dispatch(Fail()) }
        #expect(log.levels == [.info, .info, .error])
        #expect(
            log.events.map { $0.metadata?["code"]?.description } == ["insufficient_funds", "validation", "internal"])
        #expect(log.messages[0].contains("withdraw_money"))
        #expect(log.messages[2].contains("fail"))
    }

    @Test func fieldsAreNeverLogged() async throws {
        let (log, user) = (LogCollector(), UUID())
        let one = orchestrator(LoggingMiddleware(logger: log.logger(), level: .info))
        let id = try await one.dispatch(CreateWallet(userID: user, balance: 987_654)).state.id
        await #expect(throws: WalletRefusal.self) { try await one.dispatch(WithdrawMoney(id: id, amount: 987_655)) }
        await #expect(throws: ValidationError.self) {
            try await one.dispatch("deposit_money", ["id": "987655", "amount": "987655"])
        }
        // Times and correlation ids may hold any digits.
        let own = log.events.map { event in
            event.metadata?.filter { !["milliseconds", "correlation_id"].contains($0.key) } ?? [:]
        }
        let text = "\(log.messages) \(own)".lowercased()
        #expect(log.events.count == 3)
        #expect(!text.contains("98765"))
        #expect(!text.contains(user.uuidString.lowercased()))
        #expect(!text.contains(id.uuidString.lowercased()))
    }

    @Test func levelsThatTheLoggerIgnoresAreNotLogged() async throws {
        let log = LogCollector()
        let one = orchestrator(LoggingMiddleware(logger: log.logger(.warning), level: .debug))
        try await one.dispatch(CreateWallet(userID: UUID(), balance: 1))
        #expect(log.events.isEmpty)
    }

    // MARK: Authorization

    @Test func onlyAuthorizedCallsAreCarriedOut() async throws {
        let id = try await wallet()
        let one = orchestrator(
            AuthorizationMiddleware { call in
                if (call.request as? WithdrawMoney).map({ $0.amount > 50 }) == true { throw NotByNight() }
                return call.name != "deposit_money" && call.kind != .query
            })
        let head = try await client.head()
        await #expect(throws: NotAuthorized(name: "deposit_money")) {
            try await one.dispatch(DepositMoney(id: id, amount: 1))
        }
        await #expect(throws: NotAuthorized(name: "deposit_money")) {
            try await one.dispatch("deposit_money", ["id": "nobody's"])
        }
        await #expect(throws: NotAuthorized(name: "wallet_history")) {
            _ = try await one.query("wallet_history", ["id": .string(id.uuidString)])
        }
        await #expect(throws: NotByNight()) { try await one.dispatch(WithdrawMoney(id: id, amount: 51)) }
        #expect(try await client.head() == head)
        #expect(try await one.dispatch(WithdrawMoney(id: id, amount: 50)).state.balance == 50)
        let description = ErrorDescription(NotAuthorized(name: "deposit_money"))
        #expect(description.code == "not_authorized")
        #expect(description.kind == .unauthorized)
    }

    // MARK: Time limits

    /// A store whose reads never return, and a waiter for the first read.
    private func hanging() -> (store: HookedEventStore, asked: Waiter<Void>) {
        let (store, asked) = (store, Waiter<Void>())
        let hanging = HookedEventStore(
            store,
            page: { read in
                asked.settle(.success(()))
                try await Waiter<Void>().value()
                return try await store.page(read)
            })
        return (hanging, asked)
    }

    @Test func aCallThatExceedsItsTimeLimitIsCancelledAndRecordsNothing() async throws {
        let id = try await wallet()
        let head = try await client.head()
        let limit = Duration.milliseconds(20)
        let one = orchestrator(TimeLimitMiddleware(limit), on: hanging().store)
        await #expect(throws: TimeLimitExceeded(name: "deposit_money", limit: limit)) {
            try await one.dispatch(DepositMoney(id: id, amount: 1))
        }
        await #expect(throws: TimeLimitExceeded(name: "wallet_history", limit: limit)) {
            _ = try await one.query(WalletHistory(id: id))
        }
        #expect(try await client.head() == head)
        #expect(ErrorDescription(TimeLimitExceeded(name: "x", limit: limit)).code == "time_limit_exceeded")
    }

    @Test func eachCallMayHaveItsOwnTimeLimitOrNone() async throws {
        let id = try await wallet()
        let limits = TimeLimitMiddleware { call in call.name == "deposit_money" ? .milliseconds(20) : nil }
        let (hanging, asked) = hanging()
        let one = orchestrator(limits, on: hanging)
        await #expect(throws: TimeLimitExceeded(name: "deposit_money", limit: .milliseconds(20))) {
            try await one.dispatch(DepositMoney(id: id, amount: 1))
        }
        // A call without a time limit waits until it is cancelled.
        let query = Task { try await one.query(WalletHistory(id: id)) }
        try await asked.value()
        query.cancel()
        await #expect(throws: CancellationError.self) { _ = try await query.value }
    }

    @Test func aCommandThatSucceedsLateReturnsItsResult() async throws {
        let (store, id) = (store, try await wallet())
        let slow = HookedEventStore(
            store,
            append: { append in
                // The time limit passes while the append is being written, when nothing can stop it.
                try? await Waiter<Void>().value()
                return try await Task { try await store.append(append) }.value
            })
        let one = orchestrator(TimeLimitMiddleware(.milliseconds(20)), on: slow)
        let late = try await one.dispatch(DepositMoney(id: id, amount: 1))
        #expect(late.state.balance == 101)
        #expect(try await client.version(of: Wallet.streamID(id)) == 2)
    }

    @Test func aRefusalWithinTheTimeLimitIsThrown() async throws {
        let id = try await wallet(1)
        let one = orchestrator(TimeLimitMiddleware(.seconds(30)))
        await #expect(throws: WalletRefusal.insufficientFunds(balance: 1, amount: 2)) {
            try await one.dispatch(WithdrawMoney(id: id, amount: 2))
        }
    }

    @Test func theCallersOwnCancellationStaysACancellation() async throws {
        let id = try await wallet()
        let (hanging, asked) = hanging()
        let one = orchestrator(TimeLimitMiddleware(.seconds(3600)), on: hanging)
        let command = Task { try await one.dispatch(DepositMoney(id: id, amount: 1)) }
        try await asked.value()
        command.cancel()
        await #expect(throws: CancellationError.self) { _ = try await command.value }
    }

    @Test func eventsAnActionAppendedBeforeItsTimeLimitStayRecordedAndTheErrorDoesNotDenyIt() async throws {
        let id = try await wallet()
        let one = orchestrator(TimeLimitMiddleware(.milliseconds(200)))
        let exceeded = await #expect(throws: TimeLimitExceeded.self) {
            try await one.dispatch(DepositAndLinger(id: id))
        }
        // On a busy machine, the time limit may pass before the append.
        #expect([1, 2].contains(try await client.version(of: Wallet.streamID(id))))
        #expect(exceeded?.message.lowercased().contains("nothing was recorded") == false)
    }
}
