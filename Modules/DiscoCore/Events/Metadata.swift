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

    public static let none = Metadata()

    /// For what is done because of `event`: the same correlation, caused by it.
    public static func caused(by event: RecordedEvent) -> Metadata {
        Metadata(correlationID: event.metadata.correlationID ?? event.id, causationID: event.id)
    }

    /// One of the application's own values.
    public subscript(name: String) -> JSON? { (try? values?.value())?[name] }
}
