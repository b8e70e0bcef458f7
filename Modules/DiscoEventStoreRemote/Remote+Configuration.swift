#if HTTP && Configuration
public import Configuration
import DiscoCore
public import DiscoEventStore

extension RemoteEventStore.Settings {
    /// ## Configuration keys
    /// Below `disco.eventStore.remote`:
    /// - `url` (string, required): the server, for example `https://events.example:8080`.
    /// - `token` (string, secret): the token that the server knows this client by.
    /// - `caFile` (string): a PEM file with the authorities that the server's certificate must be signed by.
    /// - `certificateFile`, `privateKeyFile` (strings): PEM files with a client certificate and its key.
    /// - `connectTimeout` (seconds, default 5), `requestTimeout` (seconds, default 10).
    /// - `requestsInFlight` (number, default 2): how many requests with appends may be under way at a time.
    ///
    /// - Parameter config: the root of the configuration.
    /// - Throws: ``/DiscoCore/EventStoreError`` with code ``/DiscoCore/EventStoreError/Code/configuration``.
    public init(config: ConfigReader) throws {
        let settings = SettingsReader(config)
        let keys = "eventStore.remote."
        guard let url = try settings.text(keys + "url") else {
            throw SettingsReader.missing(keys + "url", "https://host:port")
        }
        self.init(
            url: url, token: try settings.secret(keys + "token"),
            certificateAuthorityFile: try settings.text(keys + "caFile"))
        switch (try settings.text(keys + "certificateFile"), try settings.text(keys + "privateKeyFile")) {
        case (nil, nil): break
        case (let certificate?, let key?): clientCertificate = (certificate, key)
        default:
            throw EventStoreError(
                .configuration,
                "A client certificate needs both disco.eventStore.remote.certificateFile and disco.eventStore.remote.privateKeyFile."
            )
        }
        connectTimeout = try settings.seconds(keys + "connectTimeout", default: connectTimeout)
        requestTimeout = try settings.seconds(keys + "requestTimeout", default: requestTimeout)
        requestsInFlight = try settings.number(keys + "requestsInFlight", default: requestsInFlight, in: 1...16)
    }
}

extension EventStoreAdapter {
    /// Opens a ``/DiscoEventStoreRemote/RemoteEventStore``; requires `import DiscoEventStoreRemote`.
    public static let remote = EventStoreAdapter(
        name: "remote",
        keys: [
            "url", "token", "caFile", "certificateFile", "privateKeyFile", "connectTimeout", "requestTimeout",
            "requestsInFlight",
        ].map { "disco.eventStore.remote." + $0 }
    ) { config, context in
        try await RemoteEventStore.open(RemoteEventStore.Settings(config: config), context: context)
    }
}
#endif
