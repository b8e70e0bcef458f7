public import DiscoCore

extension EventCounting {
    /// Returns the number of events after one position, up to another, in a store whose positions have no gaps. Only
    /// such a store may subtract positions.
    ///
    /// - Parameters:
    ///   - after: any position; one before the first event counts as the start.
    ///   - upTo: any position; one beyond the last event counts as the head.
    ///   - head: the last position of the store.
    public static func gaplessCount(after: Position, upTo: Position, head: Position) -> Int {
        let last = min(upTo, head).rawValue
        let first = max(after, .start).rawValue
        return first < last ? Int(last - first) : 0
    }
}
