public import DiscoCore
import Foundation
import Logging

/// Why an event could not be processed.
struct EventFailure: Sendable {
    var code: String
    var reason: String
    /// Whether another attempt cannot help, so the event is parked at once.
    var isFinal = false

    init(_ error: any Error) {
        let description = ErrorDescription(error)
        // Without a code of its own, the error's type tells most.
        code =
            description.code == "internal"
            ? DerivedName.snakeCase(String(describing: type(of: error))) : description.code
        reason = description.message
    }

    init(code: String, reason: String, isFinal: Bool = false) {
        self.code = code
        self.reason = reason
        self.isFinal = isFinal
    }

    static func upcasting(_ reason: String) -> EventFailure { EventFailure(code: "upcasting_failed", reason: reason) }
}

extension ConsumerStopped: DescribedError {
    public var code: String { "consumer_stopped" }
    public var message: String { description }
    public var data: JSON.Object {
        [
            "consumer": .string(consumer), "stream": .string(stream.name), "position": JSON(position.rawValue),
            "attempts": JSON(attempts),
        ]
    }
}

/// Something that a consumer needs is away.
struct Outage: Error, CustomStringConvertible {
    let underlying: any Error

    init(_ underlying: any Error) { self.underlying = underlying }

    var description: String { ErrorDescription(underlying).message }
}

extension ConsumerLoop {
    /// Counts a failed attempt and holds the stream, or skips the event, as the failure policy says.
    ///
    /// - Returns: whether the event is settled, because it is skipped.
    func settled(
        _ event: Recorded, _ failure: EventFailure, _ memory: inout Memory, _ result: inout Processed
    ) -> Bool {
        let now = context.now()
        // While the consumer is paused, the cause is not the event.
        let counts = !memory.isPaused
        let before = memory.plan.attempts(at: event.position, of: event.stream)
        let attempts = counts ? before + 1 : before
        let isLast = failure.isFinal || attempts >= failures.attempts
        if isLast, failures.afterwards == .skip, !failure.isFinal {
            context.logger?.error(
                "\(consumer.name) gives up an event after \(attempts) attempts: \(failure.reason)",
                metadata: metadata(event.stream, event.type, event.position, attempts))
            return true
        }
        let delay = failures.pause(attempts: attempts - 1, random: context.random()) / .seconds(1)
        memory.plan.hold(event) { held in
            held.attempts = attempts
            let isParked = isLast && (failures.afterwards == .park || failure.isFinal)
            held.parkedAt = isParked ? now : nil
            held.retryAt = isParked ? nil : now.addingTimeInterval(delay)
            held.failure = HeldFailure(
                type: event.type, code: failure.code, reason: failure.reason,
                firstAt: held.failure?.firstAt ?? now, lastAt: now, build: build)
        }
        if isLast, failures.afterwards == .stop {
            result.stopped = ConsumerStopped(
                consumer: consumer.name, stream: event.stream, position: event.position, attempts: attempts,
                reason: failure.reason)
        }
        return false
    }

    func logFailure(_ held: HeldStream, _ failure: EventFailure) {
        settings.observer?.failed(consumer.name, code: failure.code, parked: held.isParked)
        let type = held.failure?.type ?? ""
        let metadata = metadata(held.stream, type, held.first, held.attempts)
        context.logger?.warning(
            "\(consumer.name) failed at position \(held.first), attempt \(held.attempts): \(failure.reason)",
            metadata: metadata)
        if held.isParked {
            context.logger?.error(
                "\(consumer.name) has parked the stream \(held.stream) at position \(held.first)", metadata: metadata)
        }
    }

    private func metadata(
        _ stream: StreamID, _ type: String, _ position: Position, _ attempt: Int
    ) -> Logger.Metadata {
        [
            "consumer": "\(consumer.name)", "stream": "\(stream)", "type": "\(type)", "position": "\(position)",
            "attempt": "\(attempt)",
        ]
    }
}
