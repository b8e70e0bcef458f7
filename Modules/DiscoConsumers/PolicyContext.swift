public import DiscoCore

/// What a policy knows about the event that it processes.
public struct PolicyContext: Sendable {
    private let event: RecordedEvent
    private let sender: PolicySender

    /// Creates a context like that in which a consumer would process an event, for testing a policy.
    public init(for event: RecordedEvent, attempt: Int = 1) {
        self.event = event
        sender = PolicySender(consumer: "", event: Recorded.grouped([event])[0], attempt: attempt, store: .system)
    }

    init(event: RecordedEvent, sender: PolicySender) {
        self.event = event
        self.sender = sender
    }

    /// How often the event has been tried, this time included.
    public var attempt: Int { sender.attempt }
}

/// Sends the commands of a policy for one recorded event.
final class PolicySender: Sendable {
    let consumer: String
    let attempt: Int
    let hasChangedCommand = false

    init(consumer: String, event: Recorded, attempt: Int, store: StoreContext) {
        self.consumer = consumer
        self.attempt = attempt
    }
}
