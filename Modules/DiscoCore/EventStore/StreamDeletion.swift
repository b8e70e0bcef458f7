/// Deletes, restores and erases streams. Rows are never removed, so no position or version is ever reused.
///
/// Readers, followers and append conditions skip deleted and erased events; checkpoints are unaffected.
public protocol StreamDeletion: Sendable {
    /// Hides a stream and closes it to appends, which are refused with ``StreamDeleted``; ``restore(_:)`` reverses
    /// this.
    ///
    /// - Throws: ``EventStoreError`` with code ``EventStoreError/Code/unknownStream``.
    func delete(_ stream: StreamID) async throws

    /// Whether a stream is hidden and can be restored; `false` if it was never deleted, or was erased.
    func isDeleted(_ stream: StreamID) async throws -> Bool

    /// Restores a deleted stream. A follower that has already passed its events does not receive them again: reset the
    /// projections that must show them. Consumers automatically resume the events of the stream that they held.
    /// - Throws: ``EventStoreError`` with code ``EventStoreError/Code/unknownStream``, or ``StreamDeleted`` if it was
    ///   erased and closed.
    func restore(_ stream: StreamID) async throws

    /// Permanently blanks the payload, metadata and tags of every event of a stream, and deletes its snapshots.
    ///
    /// Positions, versions, ids, types and times remain. Afterwards the stream reads as if it did not exist; unless it
    /// is closed, the next append continues at the next version.
    ///
    /// - Throws: ``EventStoreError`` with code ``EventStoreError/Code/unknownStream``, or
    ///   ``EventStoreError/Code/erasingNotAllowed`` if the store's settings do not allow it.
    func erase(_ stream: StreamID, close: Bool) async throws
}
