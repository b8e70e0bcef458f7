import DiscoConsumers
import DiscoCore
import DiscoEventStoreSQLite
import Foundation
import Logging
import TestSupport
import Testing
import WalletDomain

/// Several processes on one file, some of them killed.
@Suite(.serialized, .timeLimit(.minutes(3))) struct ProcessTests {
    private func open(_ folder: TemporaryFolder) async throws -> (SQLiteEventStore, SQLiteReadModelStore, Wallets) {
        let store = try await SQLiteEventStore.open(path: folder.events)
        let readModels = try await SQLiteReadModelStore.open(path: folder.events + ".read-models")
        let logger = Logger(label: "test") { _ in SwiftLogNoOpLogHandler() }
        return (store, readModels, Wallets(events: store, readModels: readModels, logger: logger))
    }

    @Test func concurrentDepositsOfTwoProcessesLoseNothing() async throws {
        let folder = try TemporaryFolder()
        let (store, readModels, wallets) = try await open(folder)
        var ids: [UUID] = []
        for _ in 0..<10 {
            ids.append(try await wallets.orchestrator.dispatch(CreateWallet(userID: UUID(), balance: 0)).state.id)
        }
        let arguments = ["deposit", folder.events, "25", "500"] + ids.map(\.uuidString)
        var (conflicts, rounds) = (0, 0)
        // One round is usually enough; on a busy machine, the processes may hardly overlap.
        repeat {
            rounds += 1
            let programs = try (0..<2).map { _ in try Program("DiscoProbe", arguments) }
            for program in programs { #expect(try await program.printed(atLeast: 6) == "ready\n") }
            for program in programs { try program.send("go") }
            for program in programs {
                let result = try await program.finish()
                conflicts += try #require(Int(result.output.dropLast()), "\(result)")
            }
        } while conflicts < 100 && rounds < 10
        #expect(conflicts >= 100, "too few conflicts for the test to prove anything")
        for id in ids {
            let versions = try await wallets.client.events(in: Wallet.streamID(id)).collect().map(\.version)
            #expect(versions == Array(1...1 + 100 * rounds))
        }
        try await wallets.consumers.catchUp()
        for id in ids {
            let wallet = try await wallets.orchestrator.query(FindWallet(id: id))
            #expect(wallet?.balance == Decimal(100 * rounds))
        }
        await store.close()
        await readModels.close()
    }

    @Test func aKilledProcessLosesNothingAcknowledgedAndLeavesNothingHalfDone() async throws {
        let folder = try TemporaryFolder()
        let (store, readModels, wallets) = try await open(folder)
        var ids: [UUID] = []
        for _ in 0..<2 {
            ids.append(try await wallets.orchestrator.dispatch(CreateWallet(userID: UUID(), balance: 1000)).state.id)
        }
        let follower = Task {
            var seen: [Int64] = []
            for try await case .event(let event) in wallets.client.subscribe() {
                seen.append(event.position.rawValue)
                if event.type == "WalletCreated", seen.count > 2 { break }
            }
            return seen
        }
        var acknowledged: Int64 = 0
        for _ in 0..<50 {
            let program = try Program("DiscoProbe", ["transfer", folder.events] + ids.map(\.uuidString))
            // Kills the process after a random number of acknowledgements, so at a random moment under load.
            let begun = try await program.printed(atLeast: Int.random(in: 1...60))
            program.kill()
            let result = try await program.finish()
            // The last line may be incomplete.
            let positions = (begun + result.output).split(separator: "\n").dropLast().compactMap { Int64($0) }
            acknowledged = max(acknowledged, positions.max() ?? 0)
            let head = try await wallets.client.head()
            #expect(head.rawValue >= acknowledged)
        }
        #expect(acknowledged > 100)
        try await wallets.orchestrator.dispatch(CreateWallet(userID: UUID(), balance: 0))
        let followed = try await follower.value
        #expect(followed == (1...Int64(followed.count)).map { $0 })
        #expect(try await wallets.client.head().rawValue == Int64(followed.count))
        #expect(try await wallets.client.verify().isEmpty)

        var balances: [UUID: Decimal] = [:]
        var withdrawn: Decimal = 0
        var last: RecordedEvent?
        for try await event in wallets.client.events(.category("wallet")) {
            let id = try #require(UUID(uuidString: event.stream.id))
            #expect(event.position.rawValue == (last?.position.rawValue ?? 0) + 1)
            switch try Wallet.Event(event) {
            case .walletCreated(_, let balance): balances[id] = balance
            case .moneyWithdrawn(let amount):
                balances[id, default: 0] -= amount
                withdrawn += amount
            case .moneyDeposited(let amount):
                // Both halves of a transfer are adjacent.
                #expect(last?.type == "MoneyWithdrawn")
                balances[id, default: 0] += amount
                withdrawn -= amount
            case .lowBalanceNoticed: break
            }
            last = event
        }
        #expect(withdrawn == 0)
        try await wallets.consumers.catchUp()
        for id in ids {
            let wallet = try await wallets.orchestrator.query(FindWallet(id: id))
            #expect(wallet?.balance == balances[id])
        }
        await store.close()
        await readModels.close()
    }
}
