import DiscoCore
import DiscoEventStore
import DiscoEventStoreSQLite
import Foundation
import Logging
import TestSupport
import Testing

/// The store's file while it is open and after it is closed.
@Suite(.timeLimit(.minutes(1))) struct SQLiteFileTests {
    private let folder: TemporaryFolder
    private var path: String { folder.events }

    init() throws { folder = try TemporaryFolder() }

    private func append(_ client: EventStoreClient, _ count: Int = 1) async throws {
        for _ in 0..<count {
            try await client.append(Append([NewEvent(stream: "a-1", type: "T", payload: "{}", tags: ["x"])]))
        }
    }

    private func size(_ path: String) -> Int? {
        (try? FileManager.default.attributesOfItem(atPath: path))?[.size] as? Int
    }

    @Test func aClosedStoreIsCompletelyInItsFile() async throws {
        for reads in [0, 1, 30] {
            let path = folder.file("closed-\(reads)")
            let client = EventStoreClient(try await SQLiteEventStore.open(path: path))
            try await append(client, 20)
            try await withThrowingTaskGroup(of: Void.self) { group in
                for _ in 0..<reads { group.addTask { _ = try await client.events().collect() } }
                try await group.waitForAll()
            }
            await client.store.close()
            #expect(size(path + "-wal") == nil)
            #expect(size(path + "-shm") == nil)
            let copy = folder.file("copy-\(reads)")
            try FileManager.default.copyItem(atPath: path, toPath: copy)
            let copied = EventStoreClient(try await SQLiteEventStore.open(path: copy))
            #expect(try await copied.events().collect().count == 20)
            await copied.store.close()
        }
        let readModels = try await SQLiteReadModelStore.open(path: folder.file("models"))
        try await readModels.setUp { try $0.execute("CREATE TABLE t (v TEXT)") }
        _ = try await readModels.read { try $0.query("SELECT * FROM t").count }
        await readModels.close()
        #expect(size(folder.file("models") + "-wal") == nil)
    }

    @Test func aCopyOfAnOpenStoresFileIsNotAnEmptyDatabase() async throws {
        let client = EventStoreClient(try await SQLiteEventStore.open(path: path))
        try await append(client)
        try FileManager.default.copyItem(atPath: path, toPath: folder.file("copy"))
        let copy = try await SQLiteEventStore.open(path: folder.file("copy"))
        // It is an older state of the same store: consumers that are ahead of it notice.
        #expect(try await copy.identity() == client.store.identity())
        await copy.close()
        await client.store.close()
    }

    @Test func aRelativePathStaysRelativeToTheFolderAtOpening() async throws {
        let probe = try Program("DiscoProbe", ["wander", "events.sqlite", folder.path])
        let result = try await probe.finish()
        #expect(result.status == 0, "\(result)")
        #expect(result.output == "16 of 16\n")
        #expect(size(folder.path + "/here/events.sqlite") != nil)
        #expect(size(folder.path + "/there/events.sqlite") == nil)
        #expect(size(folder.path + "/there/events.sqlite-wal") == nil)
    }

    @Test func theHomeFolderIsWrittenAsATilde() async throws {
        var settings = SQLiteEventStore.Settings(path: "~/.disco-\(UUID().uuidString)")
        let store = try await SQLiteEventStore.open(settings)
        settings.path = store.settings.path
        #expect(settings.path.hasPrefix(NSHomeDirectory() + "/.disco-"))
        try await append(EventStoreClient(store))
        #expect(size(settings.path) != nil)
        await store.close()
        try FileManager.default.removeItem(atPath: settings.path)
    }

    @Test(arguments: [
        ("", "is empty"), ("a\0b", "contains a NUL"), (":memory:", "Use the memory store"),
        ("~ada/x", "only ~/ is expanded"),
        ("/tmp", "is a folder"),
    ])
    func anInvalidPathIsRefusedWithTheReason(path: String, reason: String) async throws {
        let error = await #expect(throws: EventStoreError.self) { try await SQLiteEventStore.open(path: path) }
        #expect(error?.code == .configuration)
        #expect(error?.message.contains(reason) == true, "\(error?.message ?? "")")
        await #expect(throws: EventStoreError.self) { try await SQLiteReadModelStore.open(path: path) }
    }

    enum Loss: String, CaseIterable, Sendable {
        case deleted, replaced
        case withoutLog = "-wal"
        case withoutIndex = "-shm"
    }

    @Test(arguments: Loss.allCases) func anAppendToAMissingFileIsNotAcknowledged(loss: Loss) async throws {
        let client = EventStoreClient(try await SQLiteEventStore.open(path: path))
        try await append(client)
        let aside = folder.file("aside")
        switch loss {
        case .deleted: try FileManager.default.moveItem(atPath: path, toPath: aside)
        case .replaced:
            try FileManager.default.moveItem(atPath: path, toPath: aside)
            try FileManager.default.copyItem(atPath: aside, toPath: path)
        case .withoutLog, .withoutIndex:
            try FileManager.default.moveItem(atPath: path + loss.rawValue, toPath: aside)
        }
        let error = await #expect(throws: EventStoreError.self) { try await append(client) }
        #expect(error?.code == .unavailable)
        #expect(error?.message.contains("was deleted or replaced while it was open") == true)
        await #expect(throws: EventStoreError.self) { _ = try await client.events().collect() }
        await #expect(throws: EventStoreError.self) { try await client.delete("a-1") }
        // With the file put back, the store works again.
        switch loss {
        case .deleted, .replaced:
            try? FileManager.default.removeItem(atPath: path)
            try FileManager.default.moveItem(atPath: aside, toPath: path)
        case .withoutLog, .withoutIndex: try FileManager.default.moveItem(atPath: aside, toPath: path + loss.rawValue)
        }
        try await append(client)
        #expect(try await client.events().collect().count == 2)
        await client.store.close()
    }

    @Test func aLostFileIsLoggedOnceWhenItGoesAndOnceWhenItIsBack() async throws {
        let log = LogCollector()
        let client = EventStoreClient(
            try await SQLiteEventStore.open(path: path, context: StoreContext(logger: log.logger())))
        try await append(client)
        let aside = folder.file("aside")
        for round in 1...2 {
            try FileManager.default.moveItem(atPath: path, toPath: aside)
            await eventually { log.messages.count == 2 * round - 1 }
            for _ in 0..<3 { _ = try? await client.head() }
            try FileManager.default.moveItem(atPath: aside, toPath: path)
            await eventually { log.messages.count == 2 * round }
        }
        let subject = "The event store \(path)"
        let (gone, back) = (
            "\(subject) has lost its file and rejects all requests", "\(subject) has its file again"
        )
        #expect(log.messages == [gone, back, gone, back])
        #expect(log.levels == [.warning, .notice, .warning, .notice])
        await client.close()
    }

    /// The file goes between the check before the transaction and its commit, since the clock is read in between.
    @Test func aCommitToAFileThatGoesMeanwhileHasAnUnknownOutcome() async throws {
        let (path, aside, goes) = (path, folder.file("aside"), Locked(false))
        let context = StoreContext {
            if goes.withLock({ $0 }) { rename(path, aside) }
            return Date()
        }
        let client = EventStoreClient(try await SQLiteEventStore.open(path: path, context: context))
        try await append(client)
        goes.withLock { $0 = true }
        let unknown = await #expect(throws: OutcomeUnknown.self) { try await append(client) }
        goes.withLock { $0 = false }
        // The file is put back with the event.
        #expect(rename(aside, path) == 0)
        #expect(try await client.append(try #require(unknown).append).repeated)
        #expect(try await client.events().collect().count == 2)
        await client.store.close()
    }

    @Test func anotherProcessMayOpenAndCloseTheFile() async throws {
        let client = EventStoreClient(try await SQLiteEventStore.open(path: path))
        for _ in 0..<5 {
            let other = EventStoreClient(try await SQLiteEventStore.open(path: path))
            try await append(other)
            _ = try await other.events().collect()
            await other.store.close()
            try await append(client)
        }
        #expect(try await client.events().collect().count == 10)
        await client.store.close()
        #expect(size(path + "-wal") == nil)
    }

    @Test func anOpenConnectionForgetsLongUnusedQueryShapes() async throws {
        let client = EventStoreClient(try await SQLiteEventStore.open(path: path))
        try await append(client)
        for count in 1...300 {
            let tags = (0..<count % 150 + 1).map { _ in EventTag("x") }
            let query = EventQuery(items: (0..<count / 150 + 1).map { _ in .init(tags: tags) })
            #expect(try await client.events(query).collect().count == 1)
        }
        await client.store.close()
    }
}
