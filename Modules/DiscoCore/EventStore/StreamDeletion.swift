/// Takes streams out of sight. Rows are never removed, so no position and no version is ever used again.
///
/// Readers, followers and append conditions pass over what is deleted or erased; checkpoints are not disturbed.
public protocol StreamDeletion: Sendable {
    /// Hides a stream and closes it to appends, which are refused with ``StreamDeleted``; ``restore(_:)`` takes that
    /// back.
    ///
    /// - Throws: ``EventStoreError`` with code ``EventStoreError/Code/unknownStream``.
    func delete(_ stream: StreamID) async throws

    /// Whether a stream is hidden and can be restored; false where it never was, or was erased.
    func isDeleted(_ stream: StreamID) async throws -> Bool

    /// Brings a deleted stream back. A follower that has passed its events meanwhile does not get them again: reset the
    /// projections that must show them. What a consumer held of it when it was deleted goes on by itself.
    ///
    /// - Throws: ``EventStoreError`` with code ``EventStoreError/Code/unknownStream``, or ``StreamDeleted`` where it
    ///   was erased and closed.
    func restore(_ stream: StreamID) async throws

    /// Blanks payload, metadata and tags of every event of a stream, for good, and drops its snapshots.
    ///
    /// Positions, versions, ids, types and times stay. Afterwards the stream reads as one that does not exist; unless
    /// it is closed, the next append goes on at the next version.
    ///
    /// - Throws: ``EventStoreError`` with code ``EventStoreError/Code/unknownStream``, or
    ///   ``EventStoreError/Code/erasingNotAllowed`` where the store's settings do not allow it.
    func erase(_ stream: StreamID, close: Bool) async throws
}
