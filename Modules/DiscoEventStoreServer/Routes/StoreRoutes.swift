#if HTTP
import DiscoCore
import DiscoHTTPSupport
import HTTPTypes
import Hummingbird

/// The routes of an event store.
struct StoreRoutes: Sendable {
    typealias StoreExchange = Exchange<Caller>

    let store: any EventStore
    let settings: EventStoreServer.Settings
    let followers: Followers
    let metrics: ServerMetrics
    /// Where the consumers keep their checkpoints, if the server shows them.
    let checkpoints: (any CheckpointStore)?
    let exposition: (@Sendable () -> String)?

    var all: [Route<Caller>] {
        // The first match answers: /events/live before /events/{id}.
        let groups = [
            ("Appending", appending), ("Following", following), ("Reading", reading), ("Streams", streams),
            ("Snapshots", snapshots), ("Keys", keys), ("Operating", operating),
        ]
        let routes = groups.flatMap { tag, routes in routes.map { $0.tagged(tag) } }
        return routes + [document(of: routes)]
    }

    /// The store as the caller sees it.
    func store(for exchange: StoreExchange) -> any EventStore {
        RestrictedEventStore.view(of: store, for: exchange.caller)
    }

    func client(for exchange: StoreExchange) -> EventStoreClient { EventStoreClient(store(for: exchange)) }

    /// One of the store's abilities.
    func ability<Ability>(_ ability: Ability?, _ what: String) throws -> Ability {
        guard let ability else { throw EventStoreError(.unsupported, "The server's store cannot \(what).") }
        return ability
    }
}

extension Exchange {
    static var streamParameter: APIOperation.Parameter {
        .path("stream", "The name of the stream, percent-encoded.", ServerSchemas.ref("StreamName"))
    }

    /// The stream that the path names.
    var stream: StreamID { StreamID(path["stream"] ?? "") }

    /// The one value of a header; `nil` if the request does not have it.
    func header(_ name: String) throws -> String? {
        let values = HTTPField.Name(name).map { request.headers[values: $0] } ?? []
        guard values.count <= 1 else { throw ValidationError([name: ["occurs twice"]]) }
        return values.first
    }
}

extension HTTPFields {
    /// Headers of names that are known to be valid.
    init(_ fields: [(name: String, value: String)]) {
        self.init()
        for (name, value) in fields {
            if let name = HTTPField.Name(name) { self[name] = value }
        }
    }
}
#endif
