import DiscoCore

/// How far a consumer has read, and how far its checkpoint is stored.
///
/// A pure state machine. Events that do not concern a consumer advance it in memory at once; the checkpoint is stored
/// only after a delay, with the next step, or at the end, so that an append does not cost every consumer a write.
struct ConsumerTail: Equatable {
    /// How long progress may stay unsaved. Whoever waits for a consumer in another process has it saved at once.
    static let unsavedFor = Duration.seconds(5)

    /// The stored checkpoint, from which the next step starts.
    private(set) var saved: Checkpoint
    /// Everything up to here has been read.
    private(set) var reached: Checkpoint
    /// The uptime of the first advance that is not stored.
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

    /// How long until unsaved progress must be stored; `nil` if there is none.
    func savesIn(at uptime: Duration) -> Duration? {
        unsavedSince.map { max(.zero, $0 + Self.unsavedFor - uptime) }
    }
}
