import DiscoCore

/// What a consumer that runs does next: steps, waits, or pauses while its stores cannot be used.
///
/// A pure state machine. Failed steps and failed waits are counted apart: steps may succeed while waiting does not.
struct ConsumerRunner: Equatable {
    enum Action: Equatable {
        case step
        /// Until there are events beyond the position (nil where no new ones are wanted), or the time is over.
        case wait(beyond: Position?, atMost: Duration?)
        /// The store is given time.
        case pause(Duration)
    }

    /// A wait for a retry that is far away ends in between, to look at the clock again.
    private static let longest = Duration.seconds(3600)

    private(set) var failedSteps = 0
    private(set) var failedWaits = 0

    /// - Parameters:
    ///   - next: what the step found there is to do.
    ///   - retryIn: until an event that waits is due.
    ///   - saveIn: until the checkpoint is to be stored.
    mutating func stepped(
        to position: Position, _ next: ConsumerLoop.Step.Next, retryIn: Duration?, saveIn: Duration?
    ) -> Action {
        failedSteps = 0
        let limit = [retryIn, saveIn].compactMap(\.self).min().map { $0.bounded(to: Self.longest) }
        switch next {
        case .more: return .step
        case .newEvents: return .wait(beyond: position, atMost: limit)
        case .retries: return .wait(beyond: nil, atMost: limit ?? .seconds(1))
        }
    }

    mutating func stepFailed(random: Double) -> Action {
        defer { failedSteps += 1 }
        return .pause(FailurePolicy.pause(attempts: failedSteps, random: random))
    }

    mutating func waited() -> Action {
        failedWaits = 0
        return .step
    }

    mutating func waitFailed(random: Double) -> Action {
        defer { failedWaits += 1 }
        return .pause(FailurePolicy.pause(attempts: failedWaits, random: random))
    }
}
