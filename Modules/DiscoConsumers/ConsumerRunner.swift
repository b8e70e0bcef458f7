import DiscoCore

/// What a running consumer does next: steps, waits, or pauses while its stores cannot be used.
///
/// A pure state machine. Failed steps and failed waits are counted separately: steps may succeed while waiting does
/// not.
struct ConsumerRunner: Equatable {
    enum Action: Equatable {
        case step
        /// Waits until there are events beyond the position (`nil` if no new ones are wanted), or the time has passed.
        case wait(beyond: Position?, atMost: Duration?)
        /// Gives the stores time to recover.
        case pause(Duration)
    }

    /// The longest wait: a wait for a retry further away ends earlier, to check the clock again.
    private static let longest = Duration.seconds(3600)

    private(set) var failedSteps = 0
    private(set) var failedWaits = 0

    /// - Parameters:
    ///   - next: what the step found to do next.
    ///   - retryIn: the time until a held event is due.
    ///   - saveIn: the time until the checkpoint must be stored.
    mutating func stepped(
        to position: Position, _ next: ConsumerLoop.Step.Next, retryIn: Duration?, saveIn: Duration?
    ) -> Action {
        failedSteps = 0
        let limit = [retryIn, saveIn].compactMap(\.self).min().map { $0.bounded(to: Self.longest) }
        switch next {
        case .more: return .step
        case .newEvents: return .wait(beyond: position, atMost: limit)
        case .retries: return .wait(beyond: nil, atMost: limit ?? .seconds(1))
        // The loop ends.
        case .stop: return .step
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
