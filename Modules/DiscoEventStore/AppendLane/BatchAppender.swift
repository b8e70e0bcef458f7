public import DiscoCore

/// What an adapter does for the ``AppendLane``: records several appends in one transaction.
public protocol BatchAppender: Sendable {
    /// Called on the lane's own thread, one batch at a time; may block.
    ///
    /// The outcomes are those of the appends one by one, in this order. A refused append is an outcome like any other;
    /// what is thrown concerns the whole batch, of which then nothing is recorded (or, for `OutcomeUnknown`, perhaps
    /// all).
    func commit(_ batch: [Append]) throws -> [BatchOutcome]
}

/// What became of one append of a batch.
public enum BatchOutcome: Sendable {
    case appended(Appended)
    case refused(any Error)
}
