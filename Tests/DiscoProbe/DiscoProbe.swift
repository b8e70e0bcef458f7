import DiscoConsumers
import DiscoCore
import DiscoEventStoreSQLite
import Foundation
import Logging
import WalletDomain

/// A process for tests to start, kill and start again.
///
/// `deposit PATH TASKS COUNT WALLET…` dispatches COUNT deposits of 1 from TASKS tasks.
/// `transfer PATH WALLET WALLET` transfers 1 back and forth without an end, following with the projection, and prints
/// the position of each transfer when it is acknowledged.
@main
struct DiscoProbe {
    static func main() async throws {
        let arguments = CommandLine.arguments
        let store = try SQLiteEventStore(path: arguments[2])
        let readModels = try SQLiteReadModelStore(path: arguments[2] + ".read-models")
        let logger = Logger(label: "probe") { StreamLogHandler.standardError(label: $0) }
        let wallets = Wallets(events: store, readModels: readModels, logger: logger)
        switch arguments[1] {
        case "deposit":
            let ids = arguments[5...].compactMap { UUID(uuidString: $0) }
            try await deposit(wallets, tasks: Int(arguments[3]) ?? 1, count: Int(arguments[4]) ?? 1, ids)
        default:
            try await transfer(wallets, arguments[3...].compactMap { UUID(uuidString: $0) })
        }
    }

    private static func deposit(_ wallets: Wallets, tasks: Int, count: Int, _ ids: [UUID]) async throws {
        try await withThrowingTaskGroup(of: Void.self) { group in
            for task in 0..<tasks {
                group.addTask {
                    for number in stride(from: task, to: count, by: tasks) {
                        try await wallets.orchestrator.dispatch(DepositMoney(id: ids[number % ids.count], amount: 1))
                    }
                }
            }
            try await group.waitForAll()
        }
    }

    private static func transfer(_ wallets: Wallets, _ ids: [UUID]) async throws {
        try await withThrowingTaskGroup(of: Void.self) { group in
            group.addTask { try await wallets.consumers.run() }
            for task in 0..<8 {
                group.addTask {
                    while true {
                        try await wallets.orchestrator.dispatch(
                            TransferMoney(from: ids[task % 2], to: ids[(task + 1) % 2], amount: 1))
                        let head = try await wallets.client.head()
                        // One short write is atomic, so lines of several tasks do not mix.
                        try FileHandle.standardOutput.write(contentsOf: Data("\(head)\n".utf8))
                    }
                }
            }
            try await group.waitForAll()
        }
    }
}
