import DiscoCore
import Logging

/// Logs an outage of the stores once for all consumers of a group: when the first part of it meets the outage, and when
/// the last one has got over it.
final class StoreTrouble: Sendable {
    private struct State: Sendable {
        var log: TroubleLog
        var parts: Set<String> = []
    }

    private let state: Locked<State>
    private let isOne: Bool

    init(_ consumers: [String], _ logger: Logger?) {
        isOne = consumers.count == 1
        state = Locked(
            State(log: TroubleLog("The consumer\(isOne ? "" : "s") \(consumers.joined(separator: ", "))", logger)))
    }

    /// - Parameter part: names what cannot use its store; each ends for itself.
    func begins(_ part: String, _ error: any Error) {
        state.withLock { state in
            state.parts.insert(part)
            state.log.begins(
                isOne ? "cannot use its stores and is retrying" : "cannot use their stores and are retrying", error)
        }
    }

    func ends(_ part: String) {
        state.withLock { state in
            if state.parts.remove(part) == nil || !state.parts.isEmpty { return }
            state.log.ends(isOne ? "is running again" : "are running again")
        }
    }
}
