public import Foundation

/// Data recorded about an event in addition to its payload.
public struct Metadata: Hashable, Sendable {
    /// An id shared by everything that one request caused.
    public var correlationID: UUID?
    /// The id of the request or event that directly caused this one.
    public var causationID: UUID?
    /// The application's own values. Names beginning with `$` are reserved.
    public var values: JSONText?

    public init(correlationID: UUID? = nil, causationID: UUID? = nil, values: JSONText? = nil) {
        self.correlationID = correlationID
        self.causationID = causationID
        self.values = values
    }

    static let traceName = "$trace"

    /// The trace context, as the strings that a tracing library injects and extracts.
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

    /// Metadata for what `event` causes: the same correlation and trace, with `event` as the cause.
    public static func caused(by event: RecordedEvent) -> Metadata {
        var metadata = Metadata(correlationID: event.metadata.correlationID ?? event.id, causationID: event.id)
        if event.metadata.values != nil { metadata.trace = event.metadata.trace }
        return metadata
    }

    /// One of the application's own values.
    public subscript(name: String) -> JSON? { (try? values?.value())?[name] }
}
