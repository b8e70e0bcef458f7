#if HTTP
/// What a token allows.
///
/// No scope implies another, not even `admin`: a token that reads and deletes has both scopes. Every route names the one
/// scope that it needs.
public enum AccessScope: String, CaseIterable, Hashable, Sendable {
    /// Reads and follows events, lists streams, and looks up snapshots and idempotency keys.
    case read
    /// Appends events, and saves and deletes snapshots. Without `read`, a version conflict does not include the events
    /// that the caller has not seen.
    case append
    /// Sees the consumers and the metrics of the server.
    case consume
    /// Deletes, restores and erases streams, forgets idempotency keys, and verifies the store.
    case admin
}
#endif
