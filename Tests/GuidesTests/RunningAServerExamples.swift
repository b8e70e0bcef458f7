#if HTTP
import DiscoCore
import DiscoEventStore
import DiscoEventStoreRemote
import DiscoEventStoreServer
import Hummingbird
import Logging
import ServiceLifecycle
import Testing
import WalletDomain

/// The code of the page of DiscoEventStoreServer. Its guide is tested with the app EventStoreApp.
@Suite struct RunningAServerExamples {
    private let store = InMemoryEventStore()
    private let logger = Logger(label: "guides") { _ in SwiftLogNoOpLogHandler() }
    private var settings: EventStoreServer.Settings {
        var settings = EventStoreServer.Settings()
        settings.port = 0
        return settings
    }

    /// Compiled, but not run: it would end the tests on SIGTERM.
    private func serve() async throws {
        let server = try EventStoreServer(EventStoreClient(store), settings: settings, logger: logger)
        try await ServiceGroup(services: [server], gracefulShutdownSignals: [.sigterm], logger: logger).run()
    }

    @Test func anAggregateIsUsedOnAServer() async throws {
        let token = "disco_example"
        let store = try await RemoteEventStore.open(.init(url: "https://events.example:8080", token: token))
        let orchestrator = Orchestrator(client: EventStoreClient(store), aggregates: [Wallet.self])
        #expect(orchestrator.commands().contains("create_wallet"))
        await store.close()
    }

    @Test func aServerIsMountedIntoAnotherApp() async throws {
        let router = Router()
        var settings = settings
        settings.prefix = "/store"
        try EventStoreServer(EventStoreClient(store), settings: settings).mount(on: router)
        #expect(router.routes.contains { $0.path.description == "/store/head" })
    }
}
#endif
