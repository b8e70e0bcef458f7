import DiscoCore

/// How far a consumer has looked, and how far its checkpoint is stored.
///
/// A pure state machine. Events that do not concern a consumer move it on in memory at once; that is stored only after a
/// while, with the next step, or at the end, so that a store's appends do not cost each of its consumers a write.
struct ConsumerTail: Equatable {
    /// How long what was looked through may stay unsaved: whoever waits for a consumer waits as much longer.
    static let unsavedFor = Duration.milliseconds(100)

    /// As it is stored: the next step goes from here.
    private(set) var saved: Checkpoint
    /// Everything up to here was looked at.
    private(set) var reached: Checkpoint
    /// When the first move was made that is not stored, by the uptime.
    private var unsavedSince: Duration?

    init(_ checkpoint: Checkpoint) {
        saved = checkpoint
        reached = checkpoint
    }

    var isUnsaved: Bool { unsavedSince != nil }

    /// Nothing up to this checkpoint concerned the consumer.
    mutating func passed(to checkpoint: Checkpoint, at uptime: Duration) {
        guard checkpoint.position > reached.position else { return }
        reached = checkpoint
        unsavedSince = unsavedSince ?? uptime
    }

    mutating func stored(_ checkpoint: Checkpoint) {
        saved = checkpoint
        reached = checkpoint
        unsavedSince = nil
    }

    /// How long until what is unsaved is to be stored; nil where nothing is.
    func savesIn(at uptime: Duration) -> Duration? {
        unsavedSince.map { max(.zero, $0 + Self.unsavedFor - uptime) }
    }
}
