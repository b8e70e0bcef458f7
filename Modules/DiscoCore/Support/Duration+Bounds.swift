extension Duration {
    /// Not negative, and at most a hundred years: what can be added to a clock's time, whatever a caller has given.
    package var bounded: Duration { bounded(to: .seconds(3_155_760_000)) }

    package func bounded(to most: Duration) -> Duration { min(max(self, .zero), most) }
}
