import DiscoCore
import DiscoTesting
import Foundation
import Testing
import WalletDomain

@Suite struct ScenarioTests {
    private let user = UUID()
    private let id = UUID()

    @Test func aDecisionIsComparedWithTheEventsExpected() throws {
        let wallet = Scenario(Wallet.self, id: id).given(.walletCreated(userID: user, balance: 100))
        try wallet.when(WithdrawMoney(id: id, amount: 30)).then(.moneyWithdrawn(amount: 30))
            .thenState { $0.balance == 70 }
        try wallet.when(NoticeLowBalance(id: id)).then()
        try Scenario(Wallet.self, id: id).when(CreateWallet(userID: user, balance: 1))
            .then(.walletCreated(userID: user, balance: 1))
    }

    @Test func aRefusalIsComparedWithTheOneExpected() throws {
        let wallet = Scenario(Wallet.self, id: id).given(.walletCreated(userID: user, balance: 5))
        try wallet.when(WithdrawMoney(id: id, amount: 30))
            .thenRefused(WalletRefusal.insufficientFunds(balance: 5, amount: 30))
        try wallet.when(WithdrawMoney(id: id, amount: -1))
            .thenRefused(ValidationError(["amount": ["must be greater than 0"]]))
        try Scenario(Wallet.self, id: id).when(WithdrawMoney(id: id, amount: 1))
            .thenRefused(DispatchError.aggregateNotFound(Wallet.streamID(id)))
        try wallet.when(CreateWallet(userID: user, balance: 1))
            .thenRefused { (error: DispatchError) in error == .aggregateExists(Wallet.streamID(id)) }
    }

    @Test func aFailedCheckThrowsAndNamesTheDifference() throws {
        let wallet = Scenario(Wallet.self, id: id).given(.walletCreated(userID: user, balance: 5))
        let other = #expect(throws: ConformanceFailure.self) {
            try wallet.when(WithdrawMoney(id: id, amount: 3)).then(.moneyWithdrawn(amount: 4))
        }
        #expect(other?.description.contains(#"MoneyWithdrawn {"amount":3}"#) == true)
        #expect(other?.file.hasSuffix("ScenarioTests.swift") == true)
        #expect(throws: ConformanceFailure.self) {
            try wallet.when(WithdrawMoney(id: id, amount: 30)).then(.moneyWithdrawn(amount: 30))
        }
        #expect(throws: ConformanceFailure.self) {
            try wallet.when(WithdrawMoney(id: id, amount: 3)).thenRefused(
                WalletRefusal.insufficientFunds(balance: 5, amount: 3))
        }
        #expect(throws: ConformanceFailure.self) {
            try wallet.when(WithdrawMoney(id: id, amount: 30)).thenRefused(
                WalletRefusal.insufficientFunds(balance: 5, amount: 31))
        }
        #expect(throws: ConformanceFailure.self) {
            try wallet.when(WithdrawMoney(id: id, amount: 3)).thenState { $0.balance == 5 }
        }
    }

    @Test func theBuilderAssignsPositionsVersionsAndTimes() throws {
        var builder = EventBuilder()
        let first = try builder.record(Wallet.Event.moneyDeposited(amount: 1), in: "wallet-1")
        let second = builder.record("Other", in: "other-1", tags: ["x"])
        let third = builder.record("MoneyDeposited", #"{"amount":2}"#, in: "wallet-1")
        #expect([first, second, third].map(\.position) == [1, 2, 3])
        #expect([first, second, third].map(\.version) == [1, 1, 2])
        #expect(third.recordedAt.timeIntervalSince(first.recordedAt) == 2)
        #expect(try Wallet.Event(third) == .moneyDeposited(amount: 2))
        #expect(builder.events == [first, second, third])
    }
}
