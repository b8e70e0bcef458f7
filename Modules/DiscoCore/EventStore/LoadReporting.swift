/// Reports how busy a store is, for metrics.
public protocol LoadReporting: Sendable {
    /// How busy the store is at this moment; answers at once, without asking the database.
    func load() -> StoreLoad
}

/// How busy a store of one process is.
public struct StoreLoad: Hashable, Sendable {
    /// How many connections the store has for reading.
    public var connections: Int
    /// How many of them are in use.
    public var busyConnections: Int
    /// The reads that wait for a connection.
    public var waitingReads: Int
    /// The appends that wait for the next commit.
    public var waitingAppends: Int

    public init(connections: Int, busyConnections: Int, waitingReads: Int, waitingAppends: Int) {
        self.connections = connections
        self.busyConnections = busyConnections
        self.waitingReads = waitingReads
        self.waitingAppends = waitingAppends
    }
}
