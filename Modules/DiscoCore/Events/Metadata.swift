public import Foundation

/// What is recorded about an event beside its payload.
public struct Metadata: Hashable, Sendable {
    /// The same for everything that one request set off.
    public var correlationID: UUID?
    /// The request or the event that this was a direct consequence of.
    public var causationID: UUID?
    /// The application's own values. Names beginning with `$` are reserved.
    public var values: JSONText?

    public init(correlationID: UUID? = nil, causationID: UUID? = nil, values: JSONText? = nil) {
        self.correlationID = correlationID
        self.causationID = causationID
        self.values = values
    }

    static let traceName = "$trace"

    /// The context of the trace that this belongs to, as strings: what a tracing library injects and extracts.
    public var trace: [String: String] {
        get {
            guard let object = self[Self.traceName]?.object else { return [:] }
            return Dictionary(object.compactMap { member in member.value.string.map { (member.name, $0) } }) { $1 }
        }
        set {
            var object = (try? values?.value().object) ?? JSON.Object()
            let members = newValue.sorted { $0.key < $1.key }.map { ($0.key, JSON.string($0.value)) }
            object[Self.traceName] = newValue.isEmpty ? nil : .object(JSON.Object(members))
            values = object.isEmpty ? nil : JSONText(.object(object))
        }
    }

    public static let none = Metadata()

    /// For what is done because of `event`: the same correlation and trace, caused by it.
    public static func caused(by event: RecordedEvent) -> Metadata {
        var metadata = Metadata(correlationID: event.metadata.correlationID ?? event.id, causationID: event.id)
        if event.metadata.values != nil { metadata.trace = event.metadata.trace }
        return metadata
    }

    /// One of the application's own values.
    public subscript(name: String) -> JSON? { (try? values?.value())?[name] }
}
