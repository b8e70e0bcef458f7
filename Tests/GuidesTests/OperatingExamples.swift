import DiscoCore
import DiscoEventStoreSQLite
import Logging
import TestSupport
import Testing

/// The code of the guide "Operating", and of the page of its module.
@Suite struct OperatingExamples {
    private let folder: TemporaryFolder
    private var path: String { folder.events }
    private let logger = Logger(label: "guides") { _ in SwiftLogNoOpLogHandler() }

    init() throws { folder = try TemporaryFolder() }

    @Test func eventsAndReadModelsHaveSeparateFiles() async throws {
        let client = EventStoreClient(try await SQLiteEventStore.open(path: path))
        let readModels = try await SQLiteReadModelStore.open(path: path + ".read-models")
        try await client.emit("WalletOpened", [:] as JSON)
        #expect(try await client.head() == 1)
        await client.store.close()
        await readModels.close()
    }

    @Test func durabilityIsASetting() async throws {
        var settings = SQLiteEventStore.Settings(path: path)
        settings.durability = .processCrash
        let store = try await SQLiteEventStore.open(settings)
        #expect(store.settings.durability == .processCrash)
        await store.close()
    }

    @Test func aStreamIsDeletedRestoredAndErased() async throws {
        var settings = SQLiteEventStore.Settings(path: path)
        settings.allowsErasing = true
        let client = EventStoreClient(try await SQLiteEventStore.open(settings))
        for stream in ["wallet-1", "wallet-2"] as [StreamID] {
            try await client.append(Append([NewEvent(stream: stream, type: "WalletOpened", payload: "{}")]))
        }
        try await client.delete("wallet-1")  // hides the stream and refuses appends
        try await client.restore("wallet-1")
        try await client.erase("wallet-1")  // blanks the events for good and refuses appends
        try await client.erase("wallet-2", close: false)  // blanks the events; appends continue at the next version
        #expect(try await client.events().collect().isEmpty)
        let again = NewEvent(stream: "wallet-2", type: "WalletOpened", payload: "{}")
        #expect(try await client.append(Append([again])).version(of: "wallet-2") == 2)
        await #expect(throws: StreamDeleted(stream: "wallet-1")) {
            try await client.append(Append([NewEvent(stream: "wallet-1", type: "WalletOpened", payload: "{}")]))
        }
        let findings = try await client.verify { through, head in logger.info("verified \(through) of \(head)") }
        for finding in findings { logger.error("\(finding)") }
        #expect(findings.isEmpty)
        await client.store.close()
    }
}
