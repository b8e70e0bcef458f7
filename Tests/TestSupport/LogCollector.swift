import DiscoCore
package import Logging

/// Collects log messages.
package final class LogCollector: Sendable {
    private struct Handler: LogHandler {
        let collector: LogCollector
        var metadata: Logger.Metadata = [:]
        var logLevel = Logger.Level.trace

        subscript(metadataKey key: String) -> Logger.Metadata.Value? {
            get { metadata[key] }
            set { metadata[key] = newValue }
        }

        func log(event: LogEvent) { collector.collected.withLock { $0.append(event) } }
    }

    private let collected = Locked<[LogEvent]>([])

    package init() {}

    package var events: [LogEvent] { collected.withLock { $0 } }
    package var messages: [String] { events.map(\.message.description) }
    package var levels: [Logger.Level] { events.map(\.level) }

    package func logger(_ level: Logger.Level = .trace) -> Logger {
        var logger = Logger(label: "test") { _ in Handler(collector: self) }
        logger.logLevel = level
        return logger
    }
}
