public import DiscoCore

extension EventCounting {
    /// How many events lie after one position, up to another, in a store whose positions have no gap: only such a store
    /// may subtract them.
    ///
    /// - Parameters:
    ///   - after: any position: one before the first event is as good as the start.
    ///   - upTo: any position: one beyond the last is as good as the head.
    ///   - head: the last position of the store.
    public static func gaplessCount(after: Position, upTo: Position, head: Position) -> Int {
        let last = min(upTo, head).rawValue
        let first = max(after, .start).rawValue
        return first < last ? Int(last - first) : 0
    }
}
