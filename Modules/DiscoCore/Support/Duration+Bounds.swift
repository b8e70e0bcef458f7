extension Duration {
    /// Clamped to between 0 and 100 years, so that it can be added to a clock's time, whatever a caller has passed.
    package var bounded: Duration { bounded(to: .seconds(3_155_760_000)) }

    package func bounded(to most: Duration) -> Duration { min(max(self, .zero), most) }
}
