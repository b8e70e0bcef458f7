public import DiscoCore

/// Records several appends in one transaction for an ``AppendLane``; implemented by an adapter.
public protocol BatchAppender: Sendable {
    /// Records a batch. The lane calls it on its own thread, one batch at a time; it may block.
    ///
    /// The outcomes are in the order of the appends, and the same as if the appends were made one by one in this order.
    /// A refused append is an outcome like any other. A thrown error concerns the whole batch: none of it is recorded
    /// (or, for `OutcomeUnknown`, perhaps all of it).
    func commit(_ batch: [Append]) throws -> [BatchOutcome]
}

/// The outcome of one append of a batch.
public enum BatchOutcome: Sendable {
    case appended(Appended)
    case refused(any Error)
}
