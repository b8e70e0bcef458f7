/// Turns an event that was recorded in an old shape into what it means today: one event, several, or none.
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
/// Nothing that is recorded changes. Upcasters are chained: what one yields goes through the one for its type and
/// version. Of several events that one becomes, all but the last have the position before it: reading resumed after any
/// of them brings all of them again.
public struct Upcaster: Sendable {
    /// An event as it is to be seen.
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
    /// The types of what it yields.
    public let types: [String]
    let upcast: @Sendable (JSON) throws -> [Event]

    /// An event that becomes any number of others, whose types are all among `types`; with none of them it is passed
    /// over.
    public init(
        _ type: String, version: Int = 1, into types: [String], _ upcast: @escaping @Sendable (JSON) throws -> [Event]
    ) {
        self.type = type
        typeVersion = version
        self.types = types
        self.upcast = upcast
    }

    /// An event of the same type with another payload.
    public init(_ type: String, from old: Int, to new: Int, _ upcast: @escaping @Sendable (JSON) throws -> JSON) {
        precondition(new > old, "An upcaster of \(type) leads from version \(old) to \(new): it must lead upwards.")
        self.init(type, version: old, into: [type]) { [Event(type, version: new, try upcast($0))] }
    }

    /// An event whose type has another name now.
    public init(_ type: String, version: Int = 1, to newType: String, version newVersion: Int = 1) {
        self.init(type, version: version, into: [newType]) { [Event(newType, version: newVersion, $0)] }
    }

    /// An event that means nothing any more.
    public static func dropping(_ type: String, version: Int = 1) -> Upcaster {
        Upcaster(type, version: version, into: []) { _ in [] }
    }
}
