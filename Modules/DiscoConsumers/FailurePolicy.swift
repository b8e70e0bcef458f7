public import DiscoCore
import Foundation

/// What a consumer does about an event that fails.
///
/// ```swift
/// .policy(SendMail(), in: readModels, failures: FailurePolicy(attempts: 5, afterwards: .skip))
/// ```
public struct FailurePolicy: Sendable {
    /// What happens after the last attempt.
    public enum Afterwards: Hashable, Sendable {
        /// The event's stream is held until somebody decides about it; other streams continue.
        case park
        /// The event is given up, which is logged as an error, and its stream continues.
        case skip
        /// `run()` ends with ``ConsumerStopped``; the event is tried again at the next start.
        case stop
    }

    public enum Kind: Hashable, Sendable {
        /// Something that the event needs is away: a store, a network, another system. The consumer waits until it
        /// is back, and no attempt is counted.
        case outage
        /// The event or the code is at fault. The attempt is counted.
        case poison
    }

    /// How often an event is tried, at least once. Restarts and crashes do not start the count again.
    public var attempts: Int
    public var afterwards: Afterwards
    /// The delay before the second attempt; it doubles with each further one, less up to a fifth of jitter.
    public var firstDelay: Duration
    public var longestDelay: Duration
    /// How long a policy may take for one event, which then has failed. The policy's task is cancelled, so it can end.
    public var timeLimit: Duration
    /// Whether a parked stream is tried once more by a program whose `build` is another than the one that failed.
    public var retriesWithNewBuild: Bool
    /// Distinguishes outages from errors that come with the event.
    public var classify: @Sendable (any Error) -> Kind

    public init(
        attempts: Int = 10, afterwards: Afterwards = .park, firstDelay: Duration = .milliseconds(100),
        longestDelay: Duration = .seconds(60), timeLimit: Duration = .seconds(30), retriesWithNewBuild: Bool = false,
        classify: @escaping @Sendable (any Error) -> Kind = FailurePolicy.kind
    ) {
        self.attempts = max(1, attempts)
        self.afterwards = afterwards
        self.firstDelay = firstDelay
        self.longestDelay = longestDelay
        self.timeLimit = timeLimit
        self.retriesWithNewBuild = retriesWithNewBuild
        self.classify = classify
    }

    /// The default of ``classify``: an outage is a store that is busy, full or unavailable, and a network that cannot
    /// be used (POSIX errors such as a refused connection).
    public static func kind(_ error: any Error) -> Kind {
        if let error = error as? EventStoreError { return isOutage(error) ? .outage : .poison }
        if error is OutcomeUnknown { return .outage }
        let code: Int32
        if let error = error as? POSIXError {
            code = error.code.rawValue
        } else {
            let error = error as NSError
            guard error.domain == NSPOSIXErrorDomain else { return .poison }
            code = Int32(truncatingIfNeeded: error.code)
        }
        let network = [
            ECONNREFUSED, ECONNRESET, ECONNABORTED, EPIPE, ETIMEDOUT, EHOSTUNREACH, ENETUNREACH, ENETDOWN, EHOSTDOWN,
            ENOSPC,
        ]
        return network.contains(code) ? .outage : .poison
    }

    /// Whether the store failed in a way that may pass by itself; the request is not at fault.
    static func isOutage(_ error: EventStoreError) -> Bool {
        [.busy, .unavailable, .outcomeUnknown, .full].contains(error.code)
    }

    /// The delay before a retry.
    ///
    /// - Parameters:
    ///   - attempts: how many attempts were made before.
    ///   - random: from 0 to 1.
    func pause(attempts: Int, random: Double) -> Duration {
        let most = max(.zero, longestDelay.bounded) / .seconds(1)
        let first = max(.zero, firstDelay.bounded) / .seconds(1)
        return .seconds(min(most, first * Double(1 << min(max(0, attempts), 40))) * (1 - 0.2 * random))
    }

    /// The delay before a store that was away is tried again: 0.1 s, doubled each time up to a minute.
    static func pause(attempts: Int, random: Double) -> Duration {
        FailurePolicy().pause(attempts: attempts, random: random)
    }
}

/// A consumer has stopped because of an event, as its ``FailurePolicy`` demands.
public struct ConsumerStopped: Error, Hashable, Sendable, CustomStringConvertible {
    public let consumer: String
    public let stream: StreamID
    public let position: Position
    public let attempts: Int
    public let reason: String

    public init(consumer: String, stream: StreamID, position: Position, attempts: Int, reason: String) {
        self.consumer = consumer
        self.stream = stream
        self.position = position
        self.attempts = attempts
        self.reason = reason
    }

    public var description: String {
        "\(consumer) has stopped: the event of \(stream) at position \(position) failed \(attempts) times. \(reason)"
    }
}

/// Notices that streams fail alike one after the other, without a success in between: then something else than the
/// events is broken, and trying more of them does harm.
///
/// A pure state machine.
struct AlikeFailures: Equatable {
    /// With this many streams, the consumer pauses.
    static let most = 5

    private var code = ""
    private var streams: Set<StreamID> = []
    /// How many probes have failed since the consumer paused.
    private(set) var probes = 0

    var isPaused: Bool { streams.count >= Self.most }
    /// Whether the next probe is a new event; otherwise it is a held one.
    var probesNewEvent: Bool { probes.isMultiple(of: 2) == false }
    var description: String { "\(streams.count) streams in a row have failed with \(code)" }

    mutating func failed(_ stream: StreamID, _ failedCode: String) {
        if isPaused {
            probes += 1
            return
        }
        if failedCode != code { streams = [] }
        code = failedCode
        streams.insert(stream)
    }

    mutating func succeeded() { self = AlikeFailures() }
}
