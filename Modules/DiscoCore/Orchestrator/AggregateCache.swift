/// The most recently used aggregates, up to a capacity.
struct AggregateCache<State: Aggregate>: Sendable {
    private struct Entry {
        var loaded: Loaded<State>
        var used: UInt64
    }

    private let capacity: Int
    private var entries: [StreamID: Entry] = [:]
    private var clock: UInt64 = 0

    init(capacity: Int) { self.capacity = capacity }

    var count: Int { entries.count }

    subscript(stream: StreamID) -> Loaded<State>? {
        mutating get {
            clock += 1
            entries[stream]?.used = clock
            return entries[stream]?.loaded
        }
        set {
            clock += 1
            guard let newValue, capacity > 0 else {
                entries[stream] = nil
                return
            }
            // Another dispatch may have stored a later state in the meantime.
            if let present = entries[stream], present.loaded.version > newValue.version { return }
            entries[stream] = Entry(loaded: newValue, used: clock)
            if entries.count > capacity { shrink() }
        }
    }

    /// Drops the least recently used quarter: one pass over all entries, but only once in many insertions.
    private mutating func shrink() {
        let limit = entries.values.map(\.used).sorted()[entries.count / 4]
        entries = entries.filter { $0.value.used > limit }
    }
}
