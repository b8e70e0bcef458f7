import DiscoCore
import DiscoTesting
import Foundation
import Testing

@testable import DiscoEventStore

/// The code of the guide "Writing an adapter".
@Suite struct WritingAnAdapterExamples {
    /// Stands for a database: takes one transaction at a time, and forgets everything in the end.
    final class Table: Sendable {
        struct Transaction: Sendable {
            fileprivate var log: EventLog
            fileprivate let clock: StoreClock

            mutating func outcome(of append: Append) throws -> BatchOutcome {
                do {
                    return .appended(try log.append(append, clock: clock))
                } catch {
                    return .refused(error)
                }
            }
        }

        private struct State: Sendable {
            var log = EventLog()
            var isClosed = false
        }

        let identity = StoreIdentity(store: .timeOrdered(), epoch: 1)
        private let state = Locked(State())
        private let clock: StoreClock

        init(clock: StoreClock) { self.clock = clock }

        func inTransaction(_ body: (inout Transaction) throws -> [BatchOutcome]) throws -> [BatchOutcome] {
            try state.withLock { state in
                var transaction = Transaction(log: state.log, clock: clock)
                let outcomes = try body(&transaction)
                state.log = transaction.log
                return outcomes
            }
        }

        func page(_ read: Read) async throws -> Page {
            try Task.checkCancellation()
            return try state.withLock { state in
                if state.isClosed { throw EventStoreError(.closed, "The table was closed.") }
                return state.log.page(read)
            }
        }

        func close() async { state.withLock { $0.isClosed = true } }
    }

    struct TableAppender: BatchAppender {
        let table: Table

        func commit(_ batch: [Append]) throws -> [BatchOutcome] {
            try table.inTransaction { transaction in
                try batch.map { append in try transaction.outcome(of: append) }
            }
        }
    }

    final class TableEventStore: EventStore {
        private let table: Table
        private let lane: AppendLane

        init(_ table: Table) {
            self.table = table
            lane = AppendLane(name: "table-append", appender: TableAppender(table: table))
        }

        func append(_ append: Append) async throws -> Appended { try await lane.append(append) }

        func page(_ read: Read) async throws -> Page { try await table.page(read.checked()) }

        func wait(beyond position: Position) async throws {
            while try await page(Read(after: position, limit: 0)).head <= position {
                try await Task.sleep(for: .milliseconds(20))
            }
        }

        func identity() async throws -> StoreIdentity { table.identity }

        var abilities: StoreAbilities { StoreAbilities() }

        func close() async {
            await lane.close()
            await table.close()
        }
    }

    @Test(arguments: EventStoreConformance.cases)
    func conforms(to aCase: EventStoreConformance.Case) async throws {
        let suite = EventStoreConformance(isDurable: false) { options in TableEventStore(Table(clock: options.clock)) }
        if case .skipped(let lacking) = try await aCase.run(on: suite) {
            print("skipped: \(aCase); this store lacks \(lacking)")
            try Test.cancel("\(lacking)")
        }
    }
}
