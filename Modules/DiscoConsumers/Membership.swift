import DiscoCore
import Foundation
import Logging

/// This process's membership among those that share consumers: joined, renewed, and left.
final class Membership: Sendable {
    private struct State: Sendable {
        var id = ""
        /// The uptime before the last successful renewal. What follows from it is never too late, however long the
        /// renewal took.
        var renewedAt: Duration?
        var isPoked = false
        var poking: Waiter<Void>?
    }

    private let store: any LeaseStore
    private let context: StoreContext
    private let lease: Duration
    private let build: String
    private let consumers: [String: String]
    private let state = Locked(State())
    let trouble: StoreTrouble

    init(_ store: any LeaseStore, _ context: StoreContext, _ settings: Consumers.Settings, _ consumers: [EventConsumer])
    {
        self.store = store
        self.context = context
        lease = settings.lease
        build = settings.build
        self.consumers = Dictionary(consumers.map { ($0.name, $0.definition.text) }) { $1 }
        trouble = StoreTrouble(consumers.map(\.name), context.logger)
    }

    /// The current id; empty before the first ``join()``.
    var id: String { state.withLock { $0.id } }

    /// Whether an event may be begun that others would begin again after the lease: not beyond two thirds of it.
    var mayBegin: Bool {
        let now = context.uptime()
        return state.withLock { state in state.renewedAt.map { now - $0 < lease * 2 / 3 } ?? false }
    }

    /// Joins with a new id, because the id of an expired member is never valid again.
    func join() async throws {
        let id = context.newID().uuidString.lowercased()
        let before = context.uptime()
        let member = ConsumerMember(id: id, host: HostName.current, build: build, consumers: consumers)
        try await store.join(member, for: lease)
        state.withLock { state in
            state.id = id
            state.renewedAt = before
        }
    }

    var isJoined: Bool { state.withLock { $0.renewedAt != nil } }

    /// The lease has expired: nothing may be begun any more.
    func expired() { state.withLock { $0.renewedAt = nil } }

    // MARK: Looking at once

    /// Makes the group look at the stored leases now.
    func poke() {
        let waiter = state.withLock { state in
            state.isPoked = true
            defer { state.poking = nil }
            return state.poking
        }
        waiter?.settle(.success(()))
    }

    func takePoke() { state.withLock { $0.isPoked = false } }

    /// Returns when the group should look.
    func poked() async throws {
        let waiter = Waiter<Void>()
        if state.withLock({ state in
            state.poking = waiter
            return state.isPoked
        }) {
            return
        }
        try await waiter.value()
    }

    /// Renews the lease until it expires, or the task ends.
    ///
    /// - Throws: `CancellationError`, or a store error that does not pass by itself.
    func keep() async throws {
        while true {
            try await context.sleep(for: lease * 3 / 10)
            let before = context.uptime()
            do {
                let id = id
                guard try await store.renew(id, for: lease) else { return trouble.ends("renewal") }
                state.withLock { if $0.id == id { $0.renewedAt = before } }
                trouble.ends("renewal")
            } catch let error as EventStoreError where FailurePolicy.isOutage(error) {
                trouble.begins("renewal", error)
            }
        }
    }

    /// Leaves, so that others need not wait for the lease to expire.
    func leave() async {
        try? await store.leave(id)
    }
}
