import DiscoCore

extension HeldStream {
    /// The positions from the first to the last event that waits.
    var range: ClosedRange<Position> { first...through }
}
