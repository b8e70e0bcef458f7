/// Converts an event recorded in an old shape to its current meaning: one event, several, or none.
///
/// ```swift
/// let upcasters = [
///     Upcaster("MoneyPaidIn", to: "MoneyDeposited"),                              // the type was renamed
///     Upcaster("MoneyDeposited", from: 1, to: 2) { ["amount": $0["cents"] ?? 0] },  // another payload
///     Upcaster("AddressChanged", into: ["StreetChanged", "CityChanged"]) { old in  // two instead of one
///         [.init("StreetChanged", ["street": old["street"] ?? ""]), .init("CityChanged", ["city": old["city"] ?? ""])]
///     },
/// ]
/// let client = EventStoreClient(store, upcasters: upcasters)
/// ```
///
/// Recorded events do not change. Upcasters are chained: each event that one returns goes through the upcaster for its
/// type and version. If one event becomes several, all but the last have the position before it: a read that resumes
/// after any of those returns all of them again.
public struct Upcaster: Sendable {
    /// An event as an upcaster returns it.
    public struct Event: Hashable, Sendable {
        public var type: String
        public var typeVersion: Int
        public var payload: JSON

        public init(_ type: String, version: Int = 1, _ payload: JSON) {
            self.type = type
            typeVersion = version
            self.payload = payload
        }
    }

    public let type: String
    public let typeVersion: Int
    /// The types of the events it returns.
    public let types: [String]
    let upcast: @Sendable (JSON) throws -> [Event]

    /// Converts an event to any number of events, whose types are all in `types`; if there are none, the event is
    /// skipped.
    public init(
        _ type: String, version: Int = 1, into types: [String], _ upcast: @escaping @Sendable (JSON) throws -> [Event]
    ) {
        self.type = type
        typeVersion = version
        self.types = types
        self.upcast = upcast
    }

    /// Converts the payload of an event and keeps its type.
    public init(_ type: String, from old: Int, to new: Int, _ upcast: @escaping @Sendable (JSON) throws -> JSON) {
        precondition(
            new > old, "The upcaster of \(type) converts version \(old) to \(new): the new version must be higher.")
        self.init(type, version: old, into: [type]) { [Event(type, version: new, try upcast($0))] }
    }

    /// Renames the type of an event.
    public init(_ type: String, version: Int = 1, to newType: String, version newVersion: Int = 1) {
        self.init(type, version: version, into: [newType]) { [Event(newType, version: newVersion, $0)] }
    }

    /// Drops an event that no longer means anything.
    public static func dropping(_ type: String, version: Int = 1) -> Upcaster {
        Upcaster(type, version: version, into: []) { _ in [] }
    }
}
